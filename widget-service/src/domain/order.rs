use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use super::{Problem, Widget};

/// What a list is sorted by. Equal keys are sorted by name, so that every order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The name, byte by byte.
    Name,
    /// When the widget was created.
    CreatedAt,
    /// When the widget was last changed.
    UpdatedAt,
    /// When the widget is due.
    Deadline,
}

impl SortKey {
    /// All sort keys.
    pub const ALL: [Self; 4] = [Self::Name, Self::CreatedAt, Self::UpdatedAt, Self::Deadline];

    /// The sort key's name in requests, which is also its column's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Deadline => "deadline",
        }
    }

    /// The widget's time that is compared; `None` where only names are.
    pub fn time_of(self, widget: &Widget) -> Option<DateTime<Utc>> {
        match self {
            Self::Name => None,
            Self::CreatedAt => Some(widget.created_at),
            Self::UpdatedAt => Some(widget.updated_at),
            Self::Deadline => Some(widget.deadline.time()),
        }
    }
}

/// A sort key and a direction, written as `deadline` or `deadline desc` (AIP-132).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub key: SortKey,
    /// Whether the greatest comes first. Equal keys then come in descending order of names.
    pub descending: bool,
}

impl FromStr for Order {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let mut words = text.split_ascii_whitespace();
        let key = match words.next() {
            None => SortKey::CreatedAt,
            Some(word) => *SortKey::ALL
                .iter()
                .find(|key| key.name() == word)
                .ok_or(Problem::NotAnOrder)?,
        };
        let descending = match words.next() {
            None => false,
            Some("desc") => true,
            Some(_) => return Err(Problem::NotAnOrder),
        };
        if words.next().is_some() {
            return Err(Problem::NotAnOrder);
        }
        Ok(Self { key, descending })
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key.name())?;
        f.write_str(if self.descending { " desc" } else { "" })
    }
}
