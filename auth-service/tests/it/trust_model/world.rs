//! One state of everything: the database, replicas, a verifier, and requests.

use std::{fmt, time::Duration};

use access_token::{Refusal, View, freshness::Verdict};
use auth_service::{
    store::TrustMark,
    trust::{History, Known},
};

use super::{
    database::Database,
    explorer::{Landmark, Seen},
    node::{Answer, Node},
    setup::{Change, Fault, Place, Setup},
};

/// The promise, broken.
pub const DEAD_TOKEN_ACCEPTED: &str = "a request that began after the reply was accepted";
pub const LIVE_TOKEN_REFUSED: &str = "a live token was refused";
pub const NOBODY_ASKS: &str = "somebody waits for a Sync that nobody begins";

/// How far a transaction has come. Its reply leaves with the commit: one that leaves later is easier to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    Ahead,
    /// It holds this number.
    Open(i64),
    Committed,
    BrokenOff,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    Ahead,
    /// It waits for a view as of `need`. `dead`: the death of its token was told before it began.
    Waits {
        need: Duration,
        dead: bool,
    },
    Accepted,
    Refused(Refusal),
    Unavailable,
    /// Whoever was to decide it was killed.
    Died,
}

/// How far a call of the verifier has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Sent,
    /// It waits at the replica for a view as of a time.
    Waits(Duration),
    /// The replica has a fresh view, of this epoch.
    Due(i64),
    Answered(Answer),
}

/// How far a replica's reading of the database has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// One statement at a time: it waits for its turn.
    Queued,
    /// The short statement told of something new.
    Marked(TrustMark),
    Answered(Answer),
}

/// A verifier. Its calls name the replica that is asked.
pub type Verifier = Node<(usize, Call)>;

/// A replica: its own view, and what it answers others from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Replica {
    pub node: Node<Reading>,
    pub history: History,
    pub known: Option<Known>,
}

#[derive(Clone, Hash)]
pub struct World {
    pub database: Database,
    pub changes: Vec<Progress>,
    pub replicas: Vec<Replica>,
    pub verifier: Verifier,
    /// The replica that the verifier asks next.
    pub asks: usize,
    pub requests: Vec<Asked>,
    /// Which of the moments it is.
    pub moment: usize,
    pub lost: u8,
    pub crashed: u8,
    /// What is wrong.
    pub broken: Option<&'static str>,
}

impl World {
    /// The beginning: nobody has a view, or everybody has one.
    pub fn new(setup: &Setup) -> Self {
        let mut world = Self {
            database: Database::default(),
            changes: vec![Progress::Ahead; setup.changes.len()],
            replicas: vec![Replica::default(); setup.replicas],
            verifier: Verifier::default(),
            asks: 0,
            requests: vec![Asked::Ahead; setup.requests.len()],
            moment: 0,
            lost: 0,
            crashed: 0,
            broken: None,
        };
        for change in 0..setup.made_before {
            world.begin_transaction(change);
            world.commit(setup, change);
        }
        if setup.cold { world } else { world.warmed(setup) }
    }

    fn warmed(self, setup: &Setup) -> Self {
        let quiet = Setup {
            replicas: setup.replicas,
            syncs: (1, 2),
            pages: (10, 10),
            ..Setup::default()
        };
        let mut world = Self {
            changes: Vec::new(),
            requests: Vec::new(),
            ..self.clone()
        };
        while let Some(step) = world.steps(&quiet).first() {
            world = world.after(&quiet, *step, &mut Seen::default());
        }
        world.verifier.begun = 0;
        for replica in &mut world.replicas {
            replica.node.begun = 0;
        }
        Self {
            changes: self.changes,
            requests: self.requests,
            ..world
        }
    }

    /// Whether the death of a token has been told.
    fn is_dead(&self, setup: &Setup, number: usize) -> bool {
        let token = setup.tokens[number];
        let kills = |change: &Change| match *change {
            Change::Logout(dead) => dead == number,
            Change::LogoutEverywhere(_) => token.generation < 2,
            Change::Retire(dead) => dead == token.key,
            Change::Recover(new) | Change::RestoreAndRecover(new) => new != token.key,
            Change::Publish(_) | Change::Restore => false,
        };
        let mut changes = setup.changes.iter().zip(&self.changes);
        changes.any(|(change, progress)| *progress == Progress::Committed && kills(change))
    }

    /// A request arrives, and is decided at once or waits.
    pub fn arrive(&mut self, setup: &Setup, request: usize, seen: &mut Seen) {
        let (door, token) = setup.requests[request];
        let dead = self.is_dead(setup, token);
        let need = match door {
            Place::Verifier => self.verifier.demand(),
            Place::Replica(replica) => self.replicas[replica].node.demand(),
        };
        self.requests[request] = Asked::Waits { need, dead };
        self.settle(setup, door, seen);
    }

    /// Something was published: those who wait for it look whether it is for them.
    pub fn settle(&mut self, setup: &Setup, place: Place, seen: &mut Seen) {
        for request in 0..self.requests.len() {
            if setup.requests[request].0 == place {
                self.decide(setup, request, seen);
            }
        }
        if let Place::Replica(replica) = place {
            self.settle_calls(replica, seen);
        }
    }

    fn decide(&mut self, setup: &Setup, request: usize, seen: &mut Seen) {
        let Asked::Waits { need, dead } = self.requests[request] else {
            return;
        };
        let (door, token) = setup.requests[request];
        let (view, verdict) = self.judge(door, need);
        let check = || view.check(&setup.verified(token), setup.clock(door, self.moment));
        self.requests[request] = match verdict {
            Verdict::Wait if !setup.has(Fault::DecidedByAnyView) => return,
            Verdict::Unavailable => Asked::Unavailable,
            Verdict::Fresh | Verdict::Wait => check().map_or_else(Asked::Refused, |()| Asked::Accepted),
        };
        seen.note(match self.requests[request] {
            Asked::Accepted => Landmark::Accepted,
            Asked::Refused(Refusal::Revoked) => Landmark::Revoked,
            Asked::Refused(Refusal::Expired) => Landmark::Expired,
            Asked::Refused(_) => Landmark::UnknownKey,
            _ => Landmark::Unavailable,
        });
        self.broken = match self.requests[request] {
            Asked::Accepted if dead => Some(DEAD_TOKEN_ACCEPTED),
            Asked::Refused(Refusal::Expired) => self.broken,
            Asked::Refused(_) if !self.is_dead(setup, token) => Some(LIVE_TOKEN_REFUSED),
            _ => self.broken,
        };
    }

    fn judge(&self, place: Place, need: Duration) -> (&View, Verdict) {
        match place {
            Place::Verifier => (&self.verifier.view, self.verifier.judge(need)),
            Place::Replica(replica) => {
                let node = &self.replicas[replica].node;
                (&node.view, node.judge(need))
            }
        }
    }

    /// Calls that wait at a replica for its view.
    fn settle_calls(&mut self, replica: usize, seen: &mut Seen) {
        let Replica { node, history, .. } = &self.replicas[replica];
        let mut given_up = Vec::new();
        for (place, flight) in self.verifier.flights.iter_mut().enumerate() {
            let (asked, Call::Waits(need)) = flight.stage else {
                continue;
            };
            match node.judge(need) {
                _ if asked != replica => {}
                Verdict::Fresh => flight.stage.1 = Call::Due(node.view.epoch()),
                Verdict::Unavailable if history.is_lost() => flight.stage.1 = Call::Due(0),
                Verdict::Unavailable => given_up.push(place),
                Verdict::Wait => {}
            }
        }
        for place in given_up.into_iter().rev() {
            seen.note(Landmark::ReplicaGaveUp);
            self.call_fails(place, seen);
        }
    }

    /// A call brings nothing.
    pub fn call_fails(&mut self, place: usize, seen: &mut Seen) {
        let asked = self.verifier.flights[place].stage.0;
        self.verifier.fail(place);
        self.pass_over(asked, seen);
    }

    /// The next call goes to the next replica.
    pub fn pass_over(&mut self, failed: usize, seen: &mut Seen) {
        if failed == self.asks {
            self.asks = (self.asks + 1) % self.replicas.len();
            seen.note_if(self.asks != failed, Landmark::ReplicaPassedOver);
        }
    }

    /// Whoever waits has to be on the way to an answer.
    pub fn look_for_the_forgotten(&mut self, setup: &Setup) {
        let requests = self
            .requests
            .iter()
            .zip(&setup.requests)
            .filter_map(|(asked, (door, _))| match asked {
                Asked::Waits { need, .. } => Some((*door, *need)),
                _ => None,
            });
        let calls = self.verifier.flights.iter().filter_map(|flight| match flight.stage {
            (replica, Call::Waits(need)) => Some((Place::Replica(replica), need)),
            _ => None,
        });
        let forgotten = requests.chain(calls).any(|(place, need)| match place {
            Place::Verifier => self.verifier.has_forgotten(need),
            Place::Replica(replica) => self.replicas[replica].node.has_forgotten(need),
        });
        if forgotten {
            self.broken = Some(NOBODY_ASKS);
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "database {}", self.database)?;
        for replica in &self.replicas {
            write!(f, " | replica {}", replica.node)?;
        }
        write!(f, " | verifier {}", self.verifier)?;
        self.requests.iter().try_for_each(|asked| write!(f, " | {asked}"))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waits { need, dead: true } => write!(f, "dead, needs {need:?}"),
            Self::Waits { need, dead: false } => write!(f, "needs {need:?}"),
            decided => write!(f, "{decided:?}"),
        }
    }
}
