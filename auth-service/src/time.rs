//! Between the clock's time, stored microseconds and messages.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;

/// A time as a message.
pub(crate) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}

/// Microseconds since the epoch as a message.
pub(crate) fn timestamp_of_micros(micros: i64) -> Timestamp {
    Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default(),
    }
}

/// A message as a time, if it is one.
pub(crate) fn time_of(message: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(message.seconds, u32::try_from(message.nanos).ok()?)
}

/// A whole number of microseconds: what is stored comes back equal.
pub(crate) fn to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}
