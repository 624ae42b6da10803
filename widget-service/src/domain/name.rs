use std::{fmt, str::FromStr, sync::LazyLock};

use regex::Regex;

use super::Problem;

static NAME: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| Regex::new(r"\A[a-z0-9_-]{1,100}\z"));

/// A widget's name: 1 to 100 characters of `a-z`, `0-9`, `-` and `_`. Names compare byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WidgetName(String);

impl WidgetName {
    /// One that was accepted before, whatever the rules are by now.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WidgetName {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::Missing);
        }
        let fits = NAME.as_ref().is_ok_and(|pattern| pattern.is_match(text));
        fits.then(|| Self(text.to_owned())).ok_or(Problem::NotAName)
    }
}

impl fmt::Display for WidgetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the names of a listing begin with: any text, though most texts begin no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePrefix(String);

impl NamePrefix {
    /// A prefix that leaves something out, or `None` for the empty one.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name begins so.
    pub fn begins(&self, name: &WidgetName) -> bool {
        name.0.starts_with(&self.0)
    }

    /// All names that begin so, and no others, lie from the first text (included) to the second (excluded).
    pub fn range(&self) -> (String, String) {
        if self.0.parse::<WidgetName>().is_err() {
            return (String::new(), String::new());
        }
        let mut end = self.0.clone();
        // Names are ASCII below U+007F: the last character has a successor.
        let last = end.pop().map_or(0, |last| last as u32);
        end.extend(char::from_u32(last + 1));
        (self.0.clone(), end)
    }
}
