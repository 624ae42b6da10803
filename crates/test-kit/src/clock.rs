use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use access_token::Now;
use chrono::{DateTime, Utc};
use service_kit::clock::Clock;

/// A clock that stands still until a test moves it. Clones show the same time.
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<AtomicI64>);

impl FixedClock {
    /// A clock that shows a time given as RFC 3339, such as `2026-07-01T12:00:00Z`. It keeps microseconds.
    ///
    /// # Panics
    ///
    /// When `time` is not RFC 3339.
    pub fn at(time: &str) -> Self {
        let clock = Self(Arc::default());
        clock.set(time);
        clock
    }

    /// A clock that shows the time of its making.
    pub fn now_standing_still() -> Self {
        Self(Arc::new(AtomicI64::new(Utc::now().timestamp_micros())))
    }

    /// Moves to a time, forwards or backwards.
    ///
    /// # Panics
    ///
    /// When `time` is not RFC 3339.
    pub fn set(&self, time: &str) {
        let time = DateTime::parse_from_rfc3339(time).expect("RFC 3339");
        self.0.store(time.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves forwards.
    pub fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_micros()).expect("a sane step"), Ordering::SeqCst);
    }

    /// The same clock in whole seconds, as a verifier of tokens wants it.
    pub fn seconds(&self) -> Now {
        let clock = self.clone();
        Arc::new(move || clock.now().timestamp())
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).expect("a time that was set")
    }
}
