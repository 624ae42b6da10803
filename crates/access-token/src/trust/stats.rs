use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What came of an attempt at a Sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncOutcome {
    /// It reached the end of the history.
    Complete,
    /// It brought a page, and there is more.
    Partial,
    /// It took too long.
    Timeout,
    /// The service token was refused.
    Denied,
    /// There was no answer for another reason.
    Failed,
    /// The auth service has lost its history.
    HistoryLost,
    /// The answer belonged to an epoch that is over.
    OldEpoch,
}

impl SyncOutcome {
    /// All outcomes.
    pub const ALL: [Self; 7] = [
        Self::Complete,
        Self::Partial,
        Self::Timeout,
        Self::Denied,
        Self::Failed,
        Self::HistoryLost,
        Self::OldEpoch,
    ];

    /// The outcome as a label of `trust_syncs_total`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Timeout => "timeout",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::HistoryLost => "history_lost",
            Self::OldEpoch => "old_epoch",
        }
    }
}

/// Counts of Syncs. They only rise.
#[derive(Debug, Default)]
pub struct TrustStats {
    syncs: [AtomicU64; SyncOutcome::ALL.len()],
    begun: AtomicU64,
    complete: AtomicBool,
}

impl TrustStats {
    /// How many Syncs ended like this: `trust_syncs_total{outcome}`.
    pub fn syncs(&self, outcome: SyncOutcome) -> u64 {
        self.syncs[outcome as usize].load(Ordering::Relaxed)
    }

    /// How many Syncs have begun.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self, outcome: SyncOutcome) {
        self.syncs[outcome as usize].fetch_add(1, Ordering::Relaxed);
        if outcome == SyncOutcome::Complete {
            self.complete.store(true, Ordering::Release);
        }
    }

    pub(super) fn has_been_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }
}
