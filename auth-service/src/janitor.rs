//! Deleting what has expired.

use std::time::Duration;

use service_kit::refusal::Chain;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    service::Context,
    throttle::{FAILURES_KEPT, NETWORK_KEPT},
};

/// Sweeps now and then, forever.
pub(crate) async fn sweep(context: &Context, every: Duration, audit_retention: Duration) {
    let retention = i64::try_from(audit_retention.as_micros()).unwrap_or(i64::MAX);
    let mut turns = interval(every);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let now = context.clock.now().timestamp_micros();
        context.log.prune(now);
        let events = now.saturating_sub(retention);
        match context
            .store
            .prune(now, events, now - FAILURES_KEPT, now - NETWORK_KEPT)
            .await
        {
            Ok(gone) if gone == Default::default() => {}
            Ok(gone) => tracing::debug!(
                revocations = gone.revocations,
                events = gone.events,
                throttle = gone.throttle,
                "expired rows were deleted"
            ),
            Err(error) => tracing::warn!(error = %Chain(&error), "expired rows could not be deleted"),
        }
    }
}
