use chrono::{DateTime, Datelike, SubsecRound, Utc};
use prost_types::Timestamp;

use super::Problem;

/// When a widget is due, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(DateTime<Utc>);

impl Deadline {
    /// The deadline as a time.
    pub fn time(self) -> DateTime<Utc> {
        self.0
    }

    /// The deadline, if it may be written at `now`: its date is today or later, both dates taken in UTC.
    ///
    /// # Errors
    /// When its date lies in the past.
    pub fn open_at(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        if self.0.date_naive() < now.date_naive() {
            return Err(Problem::Past);
        }
        Ok(self)
    }
}

impl From<DateTime<Utc>> for Deadline {
    /// Cuts off what is finer than a microsecond.
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.trunc_subsecs(6))
    }
}

impl TryFrom<Timestamp> for Deadline {
    type Error = Problem;

    fn try_from(timestamp: Timestamp) -> Result<Self, Problem> {
        u32::try_from(timestamp.nanos)
            .ok()
            .filter(|nanos| *nanos < 1_000_000_000) // chrono would take more for a leap second
            .and_then(|nanos| DateTime::from_timestamp(timestamp.seconds, nanos))
            .filter(|time| (1..=9999).contains(&time.year()))
            .map(Self::from)
            .ok_or(Problem::NotATime)
    }
}
