//! When a Sync begins and what a view may decide: rules without a clock.
//!
//! Every time is a distance from one fixed moment.

use std::time::Duration;

/// How many Syncs are in flight at most.
pub const MOST_IN_FLIGHT: usize = 2;

/// Syncs that take longer than this are spaced by two milliseconds of the clock, others by one.
pub const QUICK: Duration = Duration::from_millis(1);

/// The pause after a first failure. It doubles with each further one.
pub const LEAST_BACKOFF: Duration = Duration::from_millis(10);

/// The longest pause after a failure.
pub const MOST_BACKOFF: Duration = Duration::from_millis(200);

/// As of when a view has to be fresh to decide a request that arrived at a time.
pub fn needed(arrived: Duration, max_staleness: Duration) -> Duration {
    arrived.saturating_sub(max_staleness)
}

/// As of when a view has to be fresh to say that nobody knows a key, when somebody asks at a time.
///
/// A key may have been published a moment ago, so the newest view need not know it. But anybody can invent a key's id:
/// such tokens bring the idle Sync forward, once per `idle`, and share what it says.
pub fn needed_for_unknown_key(asked_before: Option<Duration>, now: Duration, idle: Duration) -> Duration {
    match asked_before {
        Some(before) if now < before + idle => before,
        _ => now,
    }
}

/// What a request gets that needs a view as of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The view decides.
    Fresh,
    /// A later view will.
    Wait,
    /// None will soon.
    Unavailable,
}

/// Judges a view that is fresh as of a time, when Syncs have failed since another.
pub fn judge(
    need: Duration,
    fresh_as_of: Option<Duration>,
    failing_since: Option<Duration>,
    now: Duration,
    patience: Duration,
) -> Verdict {
    if fresh_as_of.is_some_and(|as_of| as_of >= need) {
        Verdict::Fresh
    } else if failing_since.is_some_and(|since| now >= since + patience) {
        Verdict::Unavailable
    } else {
        Verdict::Wait
    }
}

/// What to do about the next Sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Begin one now.
    Begin,
    /// Begin one at this time, whoever else comes.
    At(Duration),
    /// Begin one at this time, or earlier for somebody who comes.
    AtRest(Duration),
    /// Wait until one of those in flight has ended.
    AfterOneEnds,
}

/// How an attempt at a Sync ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With a view that reaches the end of the history.
    Complete,
    /// With a page, and more to come.
    Partial,
    /// Without a usable answer.
    Failed,
}

/// Which Syncs are in flight, and what came of those before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Schedule {
    in_flight: Vec<Duration>,
    last_begun: Option<Duration>,
    /// How long Syncs take: three parts what it was before, one part the last one.
    round_trip: Duration,
    more_to_come: bool,
    failures: u32,
    failing_since: Option<Duration>,
    retry_at: Option<Duration>,
}

impl Schedule {
    /// Says when the next Sync begins: soon if somebody needs a view as of a time that neither the view nor a Sync in
    /// flight reaches, while Syncs fail, and while there is more to come; else when `idle` has passed.
    pub fn next(&self, need: Option<Duration>, fresh_as_of: Option<Duration>, now: Duration, idle: Duration) -> Next {
        if self.in_flight.len() >= MOST_IN_FLIGHT {
            return Next::AfterOneEnds;
        }
        let Some(last_begun) = self.last_begun else {
            return Next::Begin;
        };
        let unmet = need.is_some_and(|need| fresh_as_of.is_none_or(|as_of| as_of < need) && !self.reaches(need));
        let unfinished = self.in_flight.is_empty() && (self.more_to_come || self.failing_since.is_some());
        let settled = unmet || unfinished;
        let turn = if settled {
            self.turn_after(last_begun)
        } else {
            last_begun + idle
        };
        let at = turn.max(self.retry_at.unwrap_or_default());
        if at <= now {
            Next::Begin
        } else if settled {
            Next::At(at)
        } else {
            Next::AtRest(at)
        }
    }

    /// The earliest time for the Sync after one that began at `last_begun`. Where Syncs are slow, because there is much
    /// to do, each is left a little longer to answer more. After a rest that time has passed: the next begins at once.
    fn turn_after(&self, last_begun: Duration) -> Duration {
        milliseconds_after(last_begun, if self.round_trip > QUICK { 2 } else { 1 })
    }

    /// Notes that a Sync begins.
    pub fn begin(&mut self, now: Duration) {
        self.in_flight.push(now);
        self.last_begun = Some(now);
    }

    /// Notes that the Sync that began at `started` has ended. An attempt is given up after `timeout`: one that seems to
    /// have taken longer was not running meanwhile, nor was this process, and that is nobody's failure.
    pub fn end(&mut self, started: Duration, ended: Ended, now: Duration, timeout: Duration) {
        if let Some(place) = self.in_flight.iter().position(|begun| *begun == started) {
            self.in_flight.swap_remove(place);
        }
        match ended {
            Ended::Complete | Ended::Partial => {
                self.round_trip = (3 * self.round_trip + now.saturating_sub(started)) / 4;
                self.more_to_come = ended == Ended::Partial;
                self.failures = 0;
                self.failing_since = None;
                self.retry_at = None;
            }
            Ended::Failed => {
                let pause = LEAST_BACKOFF
                    .saturating_mul(1 << self.failures.min(8))
                    .min(MOST_BACKOFF);
                self.failures = self.failures.saturating_add(1);
                let since = started.max(now.saturating_sub(timeout));
                self.failing_since = self.failing_since.or(Some(since));
                self.retry_at = Some(now + pause);
            }
        }
    }

    /// When the first of the Syncs began that have failed since the last success.
    pub fn failing_since(&self) -> Option<Duration> {
        self.failing_since
    }

    /// The beginnings of the Syncs in flight.
    pub fn in_flight(&self) -> &[Duration] {
        &self.in_flight
    }

    fn reaches(&self, need: Duration) -> bool {
        self.in_flight.iter().any(|begun| *begun >= need)
    }
}

/// So many milliseconds of the clock later. At most one Sync begins in each. Timers tick in milliseconds: a distance of
/// one from the last beginning would make it every other.
fn milliseconds_after(time: Duration, milliseconds: u64) -> Duration {
    let begun = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(begun.saturating_add(milliseconds))
}
