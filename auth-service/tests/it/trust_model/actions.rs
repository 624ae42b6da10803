//! What is around the rules: the source of a replica, the answering of Sync, transactions, crashes, the janitor.

use access_token::freshness::Ended;
use auth_service::trust::Known;

use super::{
    explorer::{Landmark, Seen},
    node::{Answer, Node},
    setup::{Fault, Place, Setup},
    world::{Asked, Call, Progress, Reading, Replica, World},
};

impl World {
    pub fn begin_sync(&mut self, setup: &Setup, place: Place, seen: &mut Seen) {
        match place {
            Place::Verifier => {
                let late = setup.has(Fault::VerifierStampsAfterSending);
                begin(&mut self.verifier, setup.idle, late, (self.asks, Call::Sent));
                seen.note_if(self.verifier.flights.len() > 1, Landmark::TwoCallsInFlight);
            }
            Place::Replica(replica) => {
                let late = setup.has(Fault::ReplicaStampsAfterSending);
                let node = &mut self.replicas[replica].node;
                begin(node, false, late, Reading::Queued);
                seen.note_if(node.flights.len() > 1, Landmark::TwoReadingsInFlight);
            }
        }
    }

    pub fn call_arrives(&mut self, setup: &Setup, place: usize, seen: &mut Seen) {
        let flight = &mut self.verifier.flights[place];
        let replica = flight.stage.0;
        let node = &mut self.replicas[replica].node;
        if setup.has(Fault::AnsweredWithoutAsking) {
            flight.stage.1 = Call::Due(node.view.epoch());
            return;
        }
        flight.stage.1 = Call::Waits(node.demand());
        self.settle(setup, Place::Replica(replica), seen);
    }

    pub fn replica_answers(&mut self, setup: &Setup, place: usize) {
        let flight = &mut self.verifier.flights[place];
        if let (replica, Call::Due(fresh)) = flight.stage {
            let reply = self.replicas[replica]
                .history
                .reply(flight.request, fresh, setup.pages.1);
            flight.stage.1 = Call::Answered(Answer(reply));
        }
    }

    pub fn verifier_publishes(&mut self, setup: &Setup, place: usize, seen: &mut Seen) {
        if let (asked, Call::Answered(Answer(response))) = self.verifier.flights[place].stage.clone() {
            let ended = self.verifier.end(place, response, setup.fault, seen);
            if ended == Ended::Failed {
                self.pass_over(asked, seen);
            }
        }
        self.settle(setup, Place::Verifier, seen);
    }

    /// A replica asks whether there is anything new.
    pub fn short_statement(&mut self, replica: usize, seen: &mut Seen) {
        let mark = self.database.mark();
        let Replica { node, known, .. } = &mut self.replicas[replica];
        let mut flights = node.flights.iter_mut();
        if let Some(flight) = flights.find(|flight| flight.stage == Reading::Queued) {
            let nothing_new = known
                .as_ref()
                .and_then(|known| known.nothing_new(flight.request, &mark));
            seen.note_if(nothing_new.is_some(), Landmark::NothingNew);
            flight.stage = nothing_new.map_or(Reading::Marked(mark), |reply| Reading::Answered(Answer(reply)));
        }
    }

    /// A replica reads what is new and takes it over. Nothing that comes between makes a difference: statements run one
    /// at a time, and what is read is seen by nobody before it is taken over.
    pub fn long_statement(&mut self, setup: &Setup, replica: usize) {
        let Replica { node, history, known } = &mut self.replicas[replica];
        for flight in &mut node.flights {
            if let Reading::Marked(mark) = &flight.stage {
                let limit = setup.pages.0;
                let reply = history.take(flight.request, &self.database.read(flight.request, limit), limit);
                *known = Known::after(mark.clone(), &reply);
                flight.stage = Reading::Answered(Answer(reply));
            }
        }
    }

    pub fn replica_publishes(&mut self, setup: &Setup, replica: usize, place: usize, seen: &mut Seen) {
        let node = &mut self.replicas[replica].node;
        if let Reading::Answered(Answer(response)) = node.flights[place].stage.clone() {
            node.end(place, response, None, seen);
        }
        self.settle(setup, Place::Replica(replica), seen);
    }

    /// Draws the next number. Where others may be open, with a fault, it may commit before theirs.
    pub fn begin_transaction(&mut self, change: usize) {
        let open = self.changes.iter().filter_map(|progress| match progress {
            Progress::Open(number) => Some(*number),
            _ => None,
        });
        let last = open.fold(self.database.counter, i64::max);
        self.changes[change] = Progress::Open(last + 1);
    }

    pub fn commit(&mut self, setup: &Setup, change: usize) {
        if let Progress::Open(number) = self.changes[change] {
            self.database.commit(setup.changes[change], number, setup, self.moment);
            self.changes[change] = Progress::Committed;
        }
    }

    /// A process is killed and started again. Calls and requests that it held fail.
    pub fn crash(&mut self, setup: &Setup, place: Place, seen: &mut Seen) {
        match place {
            Place::Verifier => self.verifier.restart(),
            Place::Replica(replica) => {
                let process = &mut self.replicas[replica];
                process.node.restart();
                process.history = Default::default();
                process.known = None;
                self.hang_up(replica, seen);
                self.settle(setup, Place::Verifier, seen);
            }
        }
        for (asked, (door, _)) in self.requests.iter_mut().zip(&setup.requests) {
            if *door == place && matches!(asked, Asked::Waits { .. }) {
                *asked = Asked::Died;
                seen.note(Landmark::RequestDied);
            }
        }
    }

    fn hang_up(&mut self, replica: usize, seen: &mut Seen) {
        let held = |(asked, call): &(usize, Call)| *asked == replica && matches!(call, Call::Waits(_) | Call::Due(_));
        while let Some(place) = self.verifier.flights.iter().position(|flight| held(&flight.stage)) {
            self.call_fails(place, seen);
        }
    }

    /// What a replica's janitor does.
    pub fn sweep(&mut self, setup: &Setup, replica: usize, seen: &mut Seen) {
        let now = setup.clock(Place::Replica(replica), self.moment) * 1_000_000;
        self.replicas[replica].history.prune(now);
        let gone = self.database.prune(now);
        seen.note_if(gone, Landmark::RevocationDeleted);
    }

    pub fn forget(&mut self, setup: &Setup, place: Place, seen: &mut Seen) {
        let now = setup.clock(place, self.moment);
        let view = match place {
            Place::Verifier => &mut self.verifier.view,
            Place::Replica(replica) => &mut self.replicas[replica].node.view,
        };
        if let Some(pruned) = view.pruned(now) {
            *view = pruned;
            seen.note(Landmark::ViewForgot);
        }
    }
}

fn begin<S>(node: &mut Node<S>, idle: bool, late: bool, stage: S) {
    let at = node.next_begin(idle);
    node.begin(at.filter(|_| !late), stage);
}
