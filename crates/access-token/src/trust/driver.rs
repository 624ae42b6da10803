use std::{collections::HashMap, sync::Arc, time::Duration};

use proto::auth::v1::{SyncRequest, SyncResponse};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep_until, timeout},
};
use tonic::{Code, Status};

use super::{
    Published, SyncOutcome, SyncSource, TrustConfig, TrustStats,
    freshness::{Ended, Next, Schedule},
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
    publish: watch::Sender<Published>,
    needs: watch::Receiver<Option<Duration>>,
    stats: Arc<TrustStats>,
    schedule: Schedule,
    view: Arc<View>,
    attempts: JoinSet<Result<SyncResponse, Failure>>,
    flights: HashMap<Id, Flight>,
    prune_at: Instant,
    report: Report,
}

/// An attempt at a Sync, under way.
struct Flight {
    source: usize,
    started: Duration,
    request: SyncRequest,
}

/// Why an attempt brought no answer.
pub(super) enum Failure {
    Timeout,
    Refused(Status),
    Broken(JoinError),
}

impl Driver {
    pub(super) fn new(
        sources: Vec<Arc<dyn SyncSource>>,
        config: TrustConfig,
        now: Now,
        origin: Instant,
        publish: watch::Sender<Published>,
        needs: watch::Receiver<Option<Duration>>,
        stats: Arc<TrustStats>,
    ) -> Self {
        Self {
            sources,
            current: 0,
            config,
            now,
            origin,
            publish,
            needs,
            stats,
            schedule: Schedule::default(),
            view: Arc::default(),
            attempts: JoinSet::new(),
            flights: HashMap::new(),
            prune_at: origin + config.prune_every,
            report: Report::default(),
        }
    }

    /// Runs until nobody is left to need a view.
    pub(super) async fn run(mut self) {
        loop {
            let need = *self.needs.borrow_and_update();
            let wake = match self
                .schedule
                .next(need, self.view.fresh_as_of(), self.moment(), self.config.idle)
            {
                Next::Begin => {
                    self.begin();
                    continue;
                }
                Next::At(at) => (self.origin + at).min(self.prune_at),
                Next::AfterOneEnds => self.prune_at,
            };
            tokio::select! {
                changed = self.needs.changed() => if changed.is_err() {
                    return;
                },
                Some(ended) = self.attempts.join_next_with_id() => match ended {
                    Ok((id, answer)) => self.end(id, answer),
                    Err(broken) => self.end(broken.id(), Err(Failure::Broken(broken))),
                },
                () = sleep_until(wake) => self.prune_if_due(),
            }
        }
    }

    fn moment(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Begins a Sync. The stamp is taken before anything is sent: what was revoked before it is in the answer.
    fn begin(&mut self) {
        let flight = Flight {
            source: self.current,
            started: self.moment(),
            request: self.view.request(),
        };
        self.schedule.begin(flight.started);
        self.stats.begin();
        let source = self.sources.get(flight.source).cloned();
        let request = flight.request;
        let limit = self.config.attempt_timeout;
        let attempt = self.attempts.spawn(async move {
            let source = source.ok_or_else(|| Failure::Refused(Status::unavailable("no source is configured")))?;
            match timeout(limit, source.sync(request)).await {
                Ok(answer) => answer.map_err(Failure::Refused),
                Err(_) => Err(Failure::Timeout),
            }
        });
        self.flights.insert(attempt.id(), flight);
    }

    fn end(&mut self, id: Id, answer: Result<SyncResponse, Failure>) {
        let Some(flight) = self.flights.remove(&id) else {
            return;
        };
        let (outcome, failure) = match answer {
            Ok(response) => (self.merge(&flight, response), None),
            Err(failure) => (failure.outcome(), Some(failure)),
        };
        let ended = match outcome {
            SyncOutcome::Complete => Ended::Complete,
            SyncOutcome::Partial => Ended::Partial,
            _ => Ended::Failed,
        };
        self.schedule.end(flight.started, ended, self.moment());
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

    /// The view and its stamp are one value, so nobody sees the one without the other.
    fn publish(&self) {
        self.publish.send_replace(Published {
            view: self.view.clone(),
            failing_since: self.schedule.failing_since(),
        });
    }
}

impl Failure {
    fn outcome(&self) -> SyncOutcome {
        match self {
            Self::Timeout => SyncOutcome::Timeout,
            Self::Refused(status) if matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) => {
                SyncOutcome::Denied
            }
            Self::Refused(_) | Self::Broken(_) => SyncOutcome::Failed,
        }
    }
}
