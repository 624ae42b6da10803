//! Syncs under way.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use proto::auth::v1::{SyncRequest, SyncResponse};
use tokio::time::timeout;
use tonic::Status;

use super::SyncSource;

/// Why an attempt brought no answer.
pub(super) enum Failure {
    Timeout,
    Refused(Status),
    Panicked,
}

type Attempt = Pin<Box<dyn Future<Output = Result<SyncResponse, Failure>> + Send>>;

/// An attempt at a Sync, under way.
pub(super) struct Flight {
    /// The place of the source that is asked.
    pub(super) source: usize,
    /// When it began.
    pub(super) started: Duration,
    /// What is asked.
    pub(super) request: SyncRequest,
    attempt: Attempt,
}

impl Flight {
    /// Prepares an attempt that takes no longer than `limit`.
    pub(super) fn new(
        source: usize,
        asked: Option<Arc<dyn SyncSource>>,
        started: Duration,
        request: SyncRequest,
        limit: Duration,
    ) -> Self {
        let attempt = async move {
            let asked = asked.ok_or_else(|| Failure::Refused(Status::unavailable("no source is configured")))?;
            match timeout(limit, asked.sync(request)).await {
                Ok(answer) => answer.map_err(Failure::Refused),
                Err(_) => Err(Failure::Timeout),
            }
        };
        Self {
            source,
            started,
            request,
            attempt: Box::pin(attempt),
        }
    }

    /// A source that panics has failed, and takes nobody along.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<SyncResponse, Failure>> {
        let attempt = self.attempt.as_mut();
        catch_unwind(AssertUnwindSafe(|| attempt.poll(context))).unwrap_or(Poll::Ready(Err(Failure::Panicked)))
    }
}

/// The Syncs under way. Their owner drives them by waiting for the next to end: a task for each would cost every Sync
/// two more turns of the scheduler.
#[derive(Default)]
pub(super) struct Flights(Vec<Flight>);

impl Flights {
    pub(super) fn add(&mut self, flight: Flight) {
        self.0.push(flight);
    }

    /// Waits for the next one to end: for ever if there is none. May be given up at any time.
    pub(super) async fn next_end(&mut self) -> (Flight, Result<SyncResponse, Failure>) {
        poll_fn(|context| {
            for (place, flight) in self.0.iter_mut().enumerate() {
                if let Poll::Ready(answer) = flight.poll(context) {
                    return Poll::Ready((self.0.swap_remove(place), answer));
                }
            }
            Poll::Pending
        })
        .await
    }
}
