//! Whether a process wants traffic.

use std::sync::Arc;

use tokio::sync::watch;

/// A set of named conditions; ready when all of them hold and no drain has begun. Clones share the conditions.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<watch::Sender<State>>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    conditions: Vec<(&'static str, bool)>,
    draining: bool,
}

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Readiness {
    /// No condition, hence ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a condition or changes it. A condition is named by what is there when it holds: `database`.
    pub fn set(&self, condition: &'static str, holds: bool) {
        self.0.send_if_modified(|state| {
            match state.conditions.iter_mut().find(|(name, _)| *name == condition) {
                Some((_, current)) if *current == holds => return false,
                Some((_, current)) => *current = holds,
                None => state.conditions.push((condition, holds)),
            }
            tracing::info!(condition, holds, "readiness changed");
            true
        });
    }

    /// Stops being ready for good.
    pub fn drain(&self) {
        self.0
            .send_if_modified(|state| !std::mem::replace(&mut state.draining, true));
    }

    /// Whether everything holds.
    pub fn is_ready(&self) -> bool {
        self.0.borrow().is_ready()
    }

    /// What is missing, for people. Empty when ready.
    pub fn missing(&self) -> Vec<&'static str> {
        let state = self.0.borrow();
        let unmet = state
            .conditions
            .iter()
            .filter(|(_, holds)| !holds)
            .map(|(name, _)| *name);
        unmet.chain(state.draining.then_some("draining")).collect()
    }

    /// Waits until ready.
    pub async fn ready(&self) {
        // The sender lives in self: the wait cannot fail.
        let _ = self.0.subscribe().wait_for(State::is_ready).await;
    }

    /// Waits until the answer of [`Self::is_ready`] has become another one than `known`, and returns it.
    pub async fn changed_from(&self, known: bool) -> bool {
        // The sender lives in self: the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|state| state.is_ready() != known).await;
        !known
    }
}

impl State {
    fn is_ready(&self) -> bool {
        !self.draining && self.conditions.iter().all(|(_, holds)| *holds)
    }
}

#[cfg(test)]
mod tests {
    use super::Readiness;

    #[test]
    fn ready_means_that_every_condition_holds() {
        let readiness = Readiness::new();
        assert!(readiness.is_ready());

        readiness.set("database", false);
        readiness.set("trust", true);
        assert_eq!(readiness.missing(), ["database"]);

        readiness.set("database", true);
        assert!(readiness.is_ready());

        readiness.drain();
        readiness.set("database", true);
        assert_eq!(readiness.missing(), ["draining"]);
    }
}
