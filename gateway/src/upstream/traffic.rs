//! What is going on on a connection, to tell a service that takes its time from one that hangs.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of calls. They only rise.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    begun: AtomicU64,
    /// Answered or given up.
    ended: AtomicU64,
    answered: AtomicU64,
}

/// The counts of a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    begun: u64,
    answered: u64,
}

/// A call that waits for its answer.
pub(super) struct Waiting<'a>(&'a Traffic);

impl Traffic {
    /// Notes that a call waits from now on until the guard is dropped.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Waiting(self)
    }

    pub(super) fn seen(&self) -> Seen {
        Seen {
            begun: self.begun.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
        }
    }

    /// Whether calls have waited since then, or still do, and none was answered.
    pub(super) fn is_silent_since(&self, then: &Seen) -> bool {
        let ended = self.ended.load(Ordering::Relaxed);
        let begun = self.begun.load(Ordering::Relaxed);
        !self.has_answered_since(then) && (begun > ended || begun > then.begun)
    }

    /// Whether a call was answered since then.
    pub(super) fn has_answered_since(&self, then: &Seen) -> bool {
        self.answered.load(Ordering::Relaxed) > then.answered
    }
}

impl Waiting<'_> {
    /// Notes the answer, whatever it says.
    pub(super) fn answered(self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Traffic;

    #[test]
    fn silence_is_calls_and_no_answers() {
        let traffic = Traffic::default();
        let start = traffic.seen();
        assert!(!traffic.is_silent_since(&start), "nobody calls");

        let first = traffic.wait();
        assert!(traffic.is_silent_since(&start), "one waits");
        drop(first);
        assert!(traffic.is_silent_since(&start), "one waited in vain");
        assert!(!traffic.is_silent_since(&traffic.seen()), "and nobody since");

        let (slow, quick) = (traffic.wait(), traffic.wait());
        let before = traffic.seen();
        quick.answered();
        assert!(!traffic.is_silent_since(&before), "one was answered");
        assert!(traffic.is_silent_since(&traffic.seen()), "and one still waits");
        slow.answered();
        assert!(!traffic.is_silent_since(&traffic.seen()));
    }
}
