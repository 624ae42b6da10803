use std::str::FromStr;

use super::Problem;

/// Free text of up to 2,000 characters, possibly empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    const MAX: usize = 2_000;

    /// One that was accepted before, whatever the rules are by now.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Description {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        // PostgreSQL's text type cannot hold this one character; both engines take the same.
        if text.contains('\0') {
            return Err(Problem::Nul);
        }
        if text.chars().count() > Self::MAX {
            return Err(Problem::TooLong(Self::MAX));
        }
        Ok(Self(text.to_owned()))
    }
}
