use std::{str::FromStr, sync::LazyLock};

use regex::Regex;
use url::Url;

use super::Problem;

/// What `Url::parse` would mend silently is refused: missing slashes, backslashes, white space, control characters.
static SHAPE: LazyLock<Result<Regex, regex::Error>> =
    LazyLock::new(|| Regex::new(r"\A(?i:https?)://[^/\\\s\p{Cc}][^\\\s\p{Cc}]*\z"));

/// Where to read more: an absolute http or https URL with a host, of up to 2,048 characters. Kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InfoUrl(String);

impl InfoUrl {
    const MAX: usize = 2_048;

    /// One that was accepted before, whatever the rules are by now.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InfoUrl {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::Missing);
        }
        if text.chars().count() > Self::MAX {
            return Err(Problem::TooLong(Self::MAX));
        }
        let shaped = SHAPE.as_ref().is_ok_and(|pattern| pattern.is_match(text));
        if !shaped || !Url::parse(text).is_ok_and(|url| url.has_host()) {
            return Err(Problem::NotAUrl);
        }
        Ok(Self(text.to_owned()))
    }
}
