//! Every state that a world can reach, breadth first.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    fmt,
};

use super::{fingerprint::fingerprint, setup::Setup, steps::Step, world::World};

/// More states than any search has. One that reaches this would prove nothing.
const MOST_STATES: usize = 400_000;

/// What has to happen in some order of events or other, for a search to be worth its while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Landmark {
    Accepted,
    Revoked,
    /// Refused for a key that the view does not know.
    UnknownKey,
    Expired,
    Unavailable,
    TwoCallsInFlight,
    TwoReadingsInFlight,
    /// A reply came whose Sync began before that of the view.
    ReplyOvertaken,
    OldEpochDropped,
    PageCame,
    HistoryLost,
    NothingNew,
    ReplicaGaveUp,
    ReplicaPassedOver,
    RequestDied,
    RevocationDeleted,
    ViewForgot,
}

/// The landmarks that a search came by.
#[derive(Default)]
pub struct Seen(BTreeSet<Landmark>);

impl Seen {
    pub fn note(&mut self, landmark: Landmark) {
        self.0.insert(landmark);
    }

    pub fn note_if(&mut self, happened: bool, landmark: Landmark) {
        if happened {
            self.note(landmark);
        }
    }
}

/// What a search found.
pub struct Found {
    states: usize,
    exhausted: bool,
    seen: Seen,
    counterexample: Option<Counterexample>,
}

impl Found {
    /// No state is wrong, of all there are, and what is interesting did happen.
    pub fn holds(&self, landmarks: &[Landmark]) {
        if let Some(counterexample) = &self.counterexample {
            panic!("{counterexample}");
        }
        assert!(self.exhausted, "there are more than {} states", self.states);
        let missed: Vec<_> = landmarks
            .iter()
            .filter(|landmark| !self.seen.0.contains(landmark))
            .collect();
        assert!(missed.is_empty(), "{missed:?} never happened in {} states", self.states);
    }

    /// Some state is wrong, and this is what is wrong with it.
    pub fn breaks(&self, what: &str) {
        match &self.counterexample {
            Some(counterexample) => assert_eq!(counterexample.broken, what, "{counterexample}"),
            None => panic!("nothing is wrong with any of {} states", self.states),
        }
    }
}

/// The shortest way to a state that must not be.
struct Counterexample {
    broken: &'static str,
    /// Each step, and the world after it.
    story: Vec<(Step, World)>,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:", self.broken)?;
        for (number, (step, world)) in self.story.iter().enumerate() {
            writeln!(f, "{:>3}. {:<34} {world}", number + 1, format!("{step:?}"))?;
        }
        Ok(())
    }
}

/// Looks at every state of a world until one is wrong.
pub fn explore(setup: &Setup) -> Found {
    let start = World::new(setup);
    let mut seen = Seen::default();
    let mut known = HashSet::from([fingerprint(&start)]);
    let mut origins = vec![None];
    let mut ahead = VecDeque::from([(0, start.clone())]);
    let mut wrong = None;
    while let Some((number, world)) = ahead.pop_front() {
        if let Some(broken) = world.broken {
            wrong = Some((number, broken));
        }
        if wrong.is_some() || known.len() >= MOST_STATES {
            break;
        }
        for step in world.steps(setup) {
            let next = world.after(setup, step, &mut seen);
            if known.insert(fingerprint(&next)) {
                ahead.push_back((origins.len(), next));
                origins.push(Some((number, step)));
            }
        }
    }
    Found {
        states: origins.len(),
        exhausted: wrong.is_none() && known.len() < MOST_STATES,
        seen,
        counterexample: wrong.map(|(number, broken)| Counterexample {
            broken,
            story: told(start, &way_to(number, &origins), setup),
        }),
    }
}

/// The steps that lead to a state, by the state and the step that each came from.
fn way_to(mut number: usize, origins: &[Option<(usize, Step)>]) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some((before, step)) = origins[number] {
        steps.push(step);
        number = before;
    }
    steps.reverse();
    steps
}

fn told(mut world: World, steps: &[Step], setup: &Setup) -> Vec<(Step, World)> {
    let mut tell = |step: &Step| {
        world = world.after(setup, *step, &mut Seen::default());
        (*step, world.clone())
    };
    steps.iter().map(&mut tell).collect()
}
