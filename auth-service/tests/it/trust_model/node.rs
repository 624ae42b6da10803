//! A machine that keeps a view current: a verifier by asking replicas, a replica by asking the database.
//!
//! When a Sync begins, what a reply does to a view and what a view may decide is for the production code to say. What
//! is written here is what its driver task does around that.

use std::{
    fmt,
    hash::{Hash, Hasher},
    time::Duration,
};

use access_token::{
    Merge, Reply, TrustConfig, View,
    freshness::{Ended, Next, Schedule, Verdict, judge, needed},
};
use proto::auth::v1::{SyncRequest, SyncResponse};

use super::{
    explorer::{Landmark, Seen},
    setup::Fault,
};

const TICK: Duration = Duration::from_millis(1);

/// A Sync that nobody waits for begins so long after the last.
const IDLE: Duration = Duration::from_millis(5);

/// Less than the pause after a failure: with the second in a row, those who wait give up.
const PATIENCE: Duration = Duration::from_millis(8);

/// A Sync under way. `stage` is how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flight<S> {
    /// None only while a fault holds the stamp back.
    pub started: Option<Duration>,
    pub request: SyncRequest,
    pub stage: S,
}

/// A driver of a view. Its clock is its own and only counts: each reading is later than the last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node<S> {
    clock: Duration,
    pub view: View,
    schedule: Schedule,
    need: Option<Duration>,
    /// The oldest first.
    pub flights: Vec<Flight<S>>,
    /// How many Syncs have begun since the world did.
    pub begun: u8,
}

impl<S> Default for Node<S> {
    fn default() -> Self {
        Self {
            clock: Duration::ZERO,
            view: View::default(),
            schedule: Schedule::default(),
            need: None,
            flights: Vec::new(),
            begun: 0,
        }
    }
}

impl<S> Node<S> {
    /// Forgets everything, as a process does that starts again.
    pub fn restart(&mut self) {
        *self = Self {
            clock: self.clock,
            begun: self.begun,
            ..Self::default()
        };
    }

    /// Somebody arrives and needs a view as of now, or of the time that is answered.
    pub fn demand(&mut self) -> Duration {
        let need = needed(self.tick(), Duration::ZERO);
        self.need = self.need.max(Some(need));
        need
    }

    pub fn judge(&self, need: Duration) -> Verdict {
        let (fresh, failing) = (self.view.fresh_as_of(), self.schedule.failing_since());
        judge(need, fresh, failing, self.clock, PATIENCE)
    }

    /// When the next Sync begins, if one may. `idle`: even if nobody waits.
    pub fn next_begin(&self, idle: bool) -> Option<Duration> {
        if self.is_unstamped() {
            return None;
        }
        let soonest = self.clock + TICK;
        match self.next(soonest) {
            Next::Begin => Some(soonest),
            Next::At(at) => Some(at.max(soonest)),
            Next::AtRest(at) if idle => Some(at.max(soonest)),
            Next::AtRest(_) | Next::AfterOneEnds => None,
        }
    }

    /// Whether neither a Sync in flight nor one that is about to begin helps somebody who waits.
    pub fn has_forgotten(&self, need: Duration) -> bool {
        let helped = self.schedule.in_flight().iter().any(|begun| *begun >= need);
        !helped && !self.is_unstamped() && matches!(self.next(self.clock), Next::AtRest(_))
    }

    fn is_unstamped(&self) -> bool {
        self.flights.iter().any(|flight| flight.started.is_none())
    }

    fn next(&self, now: Duration) -> Next {
        self.schedule.next(self.need, self.view.fresh_as_of(), now, IDLE)
    }

    /// Begins a Sync at a time, or, with a fault, at one that is read later.
    pub fn begin(&mut self, at: Option<Duration>, stage: S) {
        self.begun += 1;
        self.flights.push(Flight {
            started: None,
            request: self.view.request(),
            stage,
        });
        if let Some(at) = at {
            self.clock = at;
            self.stamp(at);
        }
    }

    /// Reads the clock for a Sync that has begun before.
    pub fn stamp_late(&mut self) {
        let now = self.tick();
        self.stamp(now);
    }

    fn stamp(&mut self, now: Duration) {
        let unstamped = self.flights.iter_mut().find(|flight| flight.started.is_none());
        if let Some(flight) = unstamped {
            flight.started = Some(now);
            self.schedule.begin(now);
        }
    }

    /// A Sync ends with an answer.
    pub fn end(&mut self, place: usize, response: SyncResponse, fault: Option<Fault>, seen: &mut Seen) -> Ended {
        let flight = self.flights.remove(place);
        let started = flight.started.unwrap_or_default();
        let reply = Reply {
            started,
            request: flight.request,
            response,
        };
        seen.note_if(self.view.fresh_as_of() > Some(started), Landmark::ReplyOvertaken);
        let (view, ended, landmark) = match merge(&self.view, reply, fault) {
            Merge::Complete(view) => (Some(view), Ended::Complete, None),
            Merge::Partial(view) => (Some(view), Ended::Partial, Some(Landmark::PageCame)),
            Merge::HistoryLost(view) => (Some(view), Ended::Failed, Some(Landmark::HistoryLost)),
            Merge::Old => (None, Ended::Failed, Some(Landmark::OldEpochDropped)),
        };
        if let Some(landmark) = landmark {
            seen.note(landmark);
        }
        if let Some(view) = view {
            self.view = view;
        }
        self.note_end(started, ended);
        ended
    }

    /// A Sync ends without an answer.
    pub fn fail(&mut self, place: usize) {
        if let Some(started) = self.flights.remove(place).started {
            self.note_end(started, Ended::Failed);
        }
    }

    /// How long a success took is left out: it only spaces the Syncs to come.
    fn note_end(&mut self, started: Duration, ended: Ended) {
        let now = if ended == Ended::Failed { self.clock } else { started };
        self.schedule
            .end(started, ended, now, TrustConfig::default().attempt_timeout);
    }

    fn tick(&mut self) -> Duration {
        self.clock += TICK;
        self.clock
    }
}

impl<S> fmt::Display for Node<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (epoch, cursor) = (self.view.epoch(), self.view.cursor());
        write!(f, "{epoch}/{cursor}")?;
        match self.view.fresh_as_of() {
            Some(fresh) => write!(f, " of {fresh:?}"),
            None => write!(f, " {:?}", self.view.standing()),
        }
    }
}

/// Merges a reply: unless there is a fault, the production code does.
fn merge(view: &View, mut reply: Reply, fault: Option<Fault>) -> Merge {
    match fault {
        Some(Fault::ReplacedInsteadOfUnited) => return View::default().merge(reply),
        Some(Fault::PageTakenForTheEnd) => reply.response.complete = true,
        Some(Fault::OldEpochTaken) if reply.response.epoch < view.epoch() => {
            reply.request.epoch = view.epoch();
            reply.response.epoch = view.epoch();
        }
        _ => {}
    }
    view.merge(reply)
}

/// A reply under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(pub SyncResponse);

impl Eq for Answer {}

impl Hash for Answer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self(reply) = self;
        (reply.epoch, reply.next_cursor, reply.complete, reply.history_lost).hash(state);
        (&reply.keys, &reply.revocations).hash(state);
    }
}
