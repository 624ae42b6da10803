use tracing::{error, info, warn};

use super::{SyncOutcome, flights::Failure};

/// Tells the log how Syncs go: each kind of failure once between two successes, and the success that ends them.
#[derive(Debug, Default)]
pub(super) struct Report {
    told: Vec<SyncOutcome>,
}

impl Report {
    pub(super) fn tell(&mut self, outcome: SyncOutcome, source: &str, failure: Option<&Failure>) {
        if outcome == SyncOutcome::Partial {
            return;
        }
        if outcome == SyncOutcome::Complete {
            if !std::mem::take(&mut self.told).is_empty() {
                info!(source, "revocations are current again");
            }
            return;
        }
        if !self.told.contains(&outcome) {
            self.told.push(outcome);
            log(outcome, source, failure);
        }
    }
}

fn log(outcome: SyncOutcome, source: &str, failure: Option<&Failure>) {
    let cause = match failure {
        Some(Failure::Refused(status)) => format!("{:?}: {}", status.code(), status.message()),
        Some(Failure::Panicked) => "it panicked".to_owned(),
        Some(Failure::Timeout) | None => String::new(),
    };
    match outcome {
        SyncOutcome::Denied => error!(
            source,
            cause, "SERVICE_TOKEN was refused: is it the same on both sides?"
        ),
        SyncOutcome::HistoryLost => error!(
            source,
            "the auth service knows less than it once said: nothing is accepted until `auth-service recover` was run"
        ),
        SyncOutcome::OldEpoch => error!(source, "an answer of an epoch that is over was dropped"),
        SyncOutcome::Timeout => warn!(source, "a Sync took too long"),
        _ => warn!(source, cause, "a Sync failed"),
    }
}
