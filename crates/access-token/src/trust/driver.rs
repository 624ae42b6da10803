use std::{pin::pin, sync::Arc, time::Duration};

use proto::auth::v1::SyncResponse;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tonic::Code;

use super::{
    SyncOutcome, SyncSource, TrustConfig, TrustStats,
    flights::{Failure, Flight, Flights},
    freshness::{Ended, Next, Schedule},
    published::{Published, Publisher},
    report::Report,
};
use crate::{Merge, Now, Reply, View};

/// The one task that syncs and publishes.
pub(super) struct Driver {
    sources: Vec<Arc<dyn SyncSource>>,
    /// The source that is asked: it changes when it fails.
    current: usize,
    config: TrustConfig,
    now: Now,
    origin: Instant,
    publisher: Publisher,
    needs: watch::Receiver<Option<Duration>>,
    stats: Arc<TrustStats>,
    schedule: Schedule,
    view: Arc<View>,
    flights: Flights,
    prune_at: Instant,
    report: Report,
}

impl Driver {
    pub(super) fn new(
        sources: Vec<Arc<dyn SyncSource>>,
        config: TrustConfig,
        now: Now,
        origin: Instant,
        publisher: Publisher,
        needs: watch::Receiver<Option<Duration>>,
        stats: Arc<TrustStats>,
    ) -> Self {
        Self {
            sources,
            current: 0,
            config,
            now,
            origin,
            publisher,
            needs,
            stats,
            schedule: Schedule::default(),
            view: Arc::default(),
            flights: Flights::default(),
            prune_at: origin + config.prune_every,
            report: Report::default(),
        }
    }

    /// Runs until nobody is left to need a view.
    pub(super) async fn run(mut self) {
        let mut alarm = pin!(sleep_until(self.prune_at));
        loop {
            let need = *self.needs.borrow_and_update();
            let next = self
                .schedule
                .next(need, self.view.fresh_as_of(), self.moment(), self.config.idle);
            let wake = match next {
                Next::Begin => {
                    self.begin();
                    continue;
                }
                Next::At(at) | Next::AtRest(at) => (self.origin + at).min(self.prune_at),
                Next::AfterOneEnds => self.prune_at,
            };
            // An alarm that rings too early costs less than setting it anew each time.
            if wake < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(wake);
            }
            tokio::select! {
                // Where the next beginning is settled, nobody's need changes it.
                changed = self.needs.changed(), if matches!(next, Next::AtRest(_)) => if changed.is_err() {
                    return;
                },
                (flight, answer) = self.flights.next_end() => self.end(flight, answer),
                () = &mut alarm => self.prune_if_due(),
            }
        }
    }

    fn moment(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Begins a Sync. The stamp is taken before anything is sent: what was revoked before it is in the answer.
    fn begin(&mut self) {
        let started = self.moment();
        let flight = Flight::new(
            self.current,
            self.sources.get(self.current).cloned(),
            started,
            self.view.request(),
            self.config.attempt_timeout,
        );
        self.schedule.begin(started);
        self.stats.begin();
        self.flights.add(flight);
    }

    fn end(&mut self, flight: Flight, answer: Result<SyncResponse, Failure>) {
        let (outcome, failure) = match answer {
            Ok(response) => (self.merge(&flight, response), None),
            Err(failure) => (failure.outcome(), Some(failure)),
        };
        let ended = match outcome {
            SyncOutcome::Complete => Ended::Complete,
            SyncOutcome::Partial => Ended::Partial,
            _ => Ended::Failed,
        };
        self.schedule
            .end(flight.started, ended, self.moment(), self.config.attempt_timeout);
        self.stats.end(outcome);
        let name = self.sources.get(flight.source).map_or("none", |source| source.name());
        self.report.tell(outcome, name, failure.as_ref());
        if ended == Ended::Failed && flight.source == self.current {
            self.current = (self.current + 1) % self.sources.len().max(1);
        }
        self.publish();
    }

    fn merge(&mut self, flight: &Flight, response: SyncResponse) -> SyncOutcome {
        let reply = Reply {
            started: flight.started,
            request: flight.request,
            response,
        };
        let (view, outcome) = match self.view.merge(reply) {
            Merge::Complete(view) => (view, SyncOutcome::Complete),
            Merge::Partial(view) => (view, SyncOutcome::Partial),
            Merge::HistoryLost(view) => (view, SyncOutcome::HistoryLost),
            Merge::Old => return SyncOutcome::OldEpoch,
        };
        self.view = Arc::new(view);
        outcome
    }

    fn prune_if_due(&mut self) {
        if Instant::now() < self.prune_at {
            return;
        }
        self.prune_at = Instant::now() + self.config.prune_every;
        if let Some(view) = self.view.pruned((self.now)()) {
            self.view = Arc::new(view);
            self.publish();
        }
    }

    fn publish(&self) {
        let published = Published {
            view: self.view.clone(),
            failing_since: self.schedule.failing_since(),
        };
        self.publisher.publish(&published, self.moment(), self.config.patience);
    }
}

impl Failure {
    fn outcome(&self) -> SyncOutcome {
        match self {
            Self::Timeout => SyncOutcome::Timeout,
            Self::Refused(status) if matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) => {
                SyncOutcome::Denied
            }
            Self::Refused(_) | Self::Panicked => SyncOutcome::Failed,
        }
    }
}
