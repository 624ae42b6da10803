//! What may happen next, and what comes of it.

use std::mem;

use super::{
    explorer::Seen,
    setup::{Fault, Place, Setup},
    world::{Asked, Call, Progress, Reading, World},
};

/// Numbers count from 0: requests, changes, replicas, and Syncs in flight from the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    RequestArrives(usize),
    SyncBegins(Place),
    /// Only with a fault: the clock is read after the call has left.
    LateStamp(Place),
    CallReachesReplica(usize),
    ReplicaAnswers(usize),
    AnswerReachesVerifier(usize),
    CallIsLost(usize),
    ShortStatement(usize),
    LongStatement(usize),
    ReplicaPublishes(usize, usize),
    StatementFails(usize, usize),
    TransactionBegins(usize),
    CommitAndReply(usize),
    TransactionBreaksOff(usize),
    Crash(Place),
    TimePasses,
    ReplicaSweeps(usize),
    ViewForgets(Place),
}

impl World {
    /// Everything that may happen next.
    pub fn steps(&self, setup: &Setup) -> Vec<Step> {
        let mut steps = Vec::new();
        self.of_requests(setup, &mut steps);
        self.of_transactions(setup, &mut steps);
        self.of_verifier(setup, &mut steps);
        for replica in 0..self.replicas.len() {
            self.of_replica(setup, replica, &mut steps);
        }
        self.of_time(setup, &mut steps);
        steps
    }

    fn of_requests(&self, setup: &Setup, steps: &mut Vec<Step>) {
        for (number, asked) in self.requests.iter().enumerate() {
            let asks = setup.requests[number];
            // Of requests that are alike, the first comes first.
            let alike = |other| setup.requests[other] == asks && self.requests[other] == Asked::Ahead;
            let made = setup.tokens[asks.1].after;
            let exists = made.is_none_or(|change| self.changes[change] == Progress::Committed);
            if *asked == Asked::Ahead && exists && !(0..number).any(alike) {
                steps.push(Step::RequestArrives(number));
            }
        }
    }

    fn of_transactions(&self, setup: &Setup, steps: &mut Vec<Step>) {
        let is_open = |progress: &Progress| matches!(progress, Progress::Open(_));
        let is_locked = self.changes.iter().any(is_open) && !setup.has(Fault::NumbersFromASequence);
        let is_under_way = |progress: &Progress| *progress == Progress::Ahead || is_open(progress);
        for (number, progress) in self.changes.iter().enumerate() {
            let has_turn = !setup.in_order || !self.changes[..number].iter().any(is_under_way);
            match progress {
                Progress::Ahead if has_turn && !is_locked => steps.push(Step::TransactionBegins(number)),
                Progress::Open(_) => {
                    steps.push(Step::CommitAndReply(number));
                    if self.crashed < setup.crashes {
                        steps.push(Step::TransactionBreaksOff(number));
                    }
                }
                _ => {}
            }
        }
    }

    fn of_verifier(&self, setup: &Setup, steps: &mut Vec<Step>) {
        let verifier = &self.verifier;
        if verifier.begun < setup.syncs.0 && verifier.next_begin(setup.idle).is_some() {
            steps.push(Step::SyncBegins(Place::Verifier));
        }
        for (place, flight) in verifier.flights.iter().enumerate() {
            if flight.started.is_none() {
                steps.push(Step::LateStamp(Place::Verifier));
            }
            match &flight.stage.1 {
                Call::Sent => steps.push(Step::CallReachesReplica(place)),
                Call::Waits(_) => {}
                Call::Due(_) => steps.push(Step::ReplicaAnswers(place)),
                Call::Answered(_) if flight.started.is_none() => {}
                Call::Answered(_) => steps.push(Step::AnswerReachesVerifier(place)),
            }
            if self.lost < setup.losses {
                steps.push(Step::CallIsLost(place));
            }
        }
        if self.crashed < setup.crashes {
            steps.push(Step::Crash(Place::Verifier));
        }
    }

    fn of_replica(&self, setup: &Setup, replica: usize, steps: &mut Vec<Step>) {
        let node = &self.replicas[replica].node;
        if node.begun < setup.syncs.1 && node.next_begin(false).is_some() {
            steps.push(Step::SyncBegins(Place::Replica(replica)));
        }
        let mut turn_taken = node
            .flights
            .iter()
            .any(|flight| matches!(flight.stage, Reading::Marked(_)));
        for (place, flight) in node.flights.iter().enumerate() {
            if flight.started.is_none() {
                steps.push(Step::LateStamp(Place::Replica(replica)));
            }
            match flight.stage {
                Reading::Queued if !mem::replace(&mut turn_taken, true) => steps.push(Step::ShortStatement(replica)),
                Reading::Queued => {}
                Reading::Marked(_) => steps.push(Step::LongStatement(replica)),
                Reading::Answered(_) if flight.started.is_none() => {}
                Reading::Answered(_) => steps.push(Step::ReplicaPublishes(replica, place)),
            }
            if self.lost < setup.losses {
                steps.push(Step::StatementFails(replica, place));
            }
        }
        if self.crashed < setup.crashes {
            steps.push(Step::Crash(Place::Replica(replica)));
        }
    }

    fn of_time(&self, setup: &Setup, steps: &mut Vec<Step>) {
        if self.moment + 1 < setup.moments.len() {
            steps.push(Step::TimePasses);
        }
        let clock = |place| setup.clock(place, self.moment);
        if self.verifier.view.pruned(clock(Place::Verifier)).is_some() {
            steps.push(Step::ViewForgets(Place::Verifier));
        }
        for (number, replica) in self.replicas.iter().enumerate() {
            let place = Place::Replica(number);
            if replica.node.view.pruned(clock(place)).is_some() {
                steps.push(Step::ViewForgets(place));
            }
            if !setup.moments.is_empty() {
                steps.push(Step::ReplicaSweeps(number));
            }
        }
    }

    /// What a step makes of the world.
    pub fn after(&self, setup: &Setup, step: Step, seen: &mut Seen) -> Self {
        let mut world = self.clone();
        world.take(setup, step, seen);
        world.look_for_the_forgotten(setup);
        world
    }

    fn take(&mut self, setup: &Setup, step: Step, seen: &mut Seen) {
        match step {
            Step::RequestArrives(request) => self.arrive(setup, request, seen),
            Step::SyncBegins(place) => self.begin_sync(setup, place, seen),
            Step::LateStamp(Place::Verifier) => self.verifier.stamp_late(),
            Step::LateStamp(Place::Replica(replica)) => self.replicas[replica].node.stamp_late(),
            Step::CallReachesReplica(place) => self.call_arrives(setup, place, seen),
            Step::ReplicaAnswers(place) => self.replica_answers(setup, place),
            Step::AnswerReachesVerifier(place) => self.verifier_publishes(setup, place, seen),
            Step::CallIsLost(place) => {
                self.lost += 1;
                self.call_fails(place, seen);
                self.settle(setup, Place::Verifier, seen);
            }
            Step::ShortStatement(replica) => self.short_statement(replica, seen),
            Step::LongStatement(replica) => self.long_statement(setup, replica),
            Step::ReplicaPublishes(replica, place) => self.replica_publishes(setup, replica, place, seen),
            Step::StatementFails(replica, place) => {
                self.lost += 1;
                self.replicas[replica].node.fail(place);
                self.settle(setup, Place::Replica(replica), seen);
            }
            Step::TransactionBegins(change) => self.begin_transaction(change),
            Step::CommitAndReply(change) => self.commit(setup, change),
            Step::TransactionBreaksOff(change) => {
                self.crashed += 1;
                self.changes[change] = Progress::BrokenOff;
            }
            Step::Crash(place) => {
                self.crashed += 1;
                self.crash(setup, place, seen);
            }
            Step::TimePasses => self.moment += 1,
            Step::ReplicaSweeps(replica) => self.sweep(setup, replica, seen),
            Step::ViewForgets(place) => self.forget(setup, place, seen),
        }
    }
}
