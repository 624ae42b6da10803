//! Keeping the view current.

mod driver;
mod flights;
pub mod freshness;
mod published;
mod remote;
mod report;
mod source;
mod stats;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle, time::Instant};

pub use remote::{BadServiceToken, RemoteSource};
pub use source::{SyncFuture, SyncSource};
pub use stats::{SyncOutcome, TrustStats};

use crate::{Now, View};
use published::{Answer, Reader, publishing};

/// How trust is kept.
#[derive(Clone, Copy, Debug)]
pub struct TrustConfig {
    /// `TRUST_MAX_STALENESS`: how old a view may be when a request arrives. With 0, the default, a revocation holds for
    /// every request that arrives after it.
    pub max_staleness: Duration,
    /// How long one attempt at a Sync may take.
    pub attempt_timeout: Duration,
    /// How long a request waits for a view, from its arrival.
    pub patience: Duration,
    /// After how long a Sync begins that nobody waits for.
    pub idle: Duration,
    /// How often expired revocations are forgotten.
    pub prune_every: Duration,
}

impl Default for TrustConfig {
    fn default() -> Self {
        Self {
            max_staleness: Duration::ZERO,
            attempt_timeout: Duration::from_millis(300),
            patience: Duration::from_secs(1),
            idle: Duration::from_secs(5),
            prune_every: Duration::from_secs(60),
        }
    }
}

/// No view was fresh enough in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no current view of revocations")]
pub struct TrustUnavailable;

/// A verifying service's trust: hands out views that are fresh enough for a request.
///
/// Clones share one view and one driver task, which ends when the last clone is gone.
#[derive(Clone)]
pub struct Trust {
    origin: Instant,
    config: TrustConfig,
    published: Reader,
    /// The newest moment as of which somebody needs a view.
    need: Arc<watch::Sender<Option<Duration>>>,
    /// When a view was last asked for on account of an unknown key.
    unknown_key: Arc<Mutex<Option<Duration>>>,
    stats: Arc<TrustStats>,
}

impl Trust {
    /// Starts the task that syncs from `sources`: the first one, and the next after each failure.
    pub fn start(sources: Vec<Arc<dyn SyncSource>>, config: TrustConfig, now: Now) -> (Self, JoinHandle<()>) {
        let origin = Instant::now();
        let (publisher, published) = publishing();
        let (need, needs) = watch::channel(None);
        let stats = Arc::new(TrustStats::default());
        let driver = driver::Driver::new(sources, config, now, origin, publisher, needs, stats.clone());
        let trust = Self {
            origin,
            config,
            published,
            need: Arc::new(need),
            unknown_key: Arc::default(),
            stats,
        };
        (trust, tokio::spawn(driver.run()))
    }

    /// A view that holds all that was revoked before `arrived` (less the configured staleness), waiting for the next
    /// Sync if need be. All who wait share it.
    ///
    /// # Errors
    /// [`TrustUnavailable`] when there is none a second after `arrived`, or at once while no Sync has succeeded for a
    /// second.
    pub async fn fresh(&self, arrived: Instant) -> Result<Arc<View>, TrustUnavailable> {
        let need = freshness::needed(self.moment(arrived), self.config.max_staleness);
        self.reaching(need, arrived).await
    }

    /// A view that can tell whether a key exists of which the newest view knows nothing. Such requests cost no more
    /// Syncs than there are when nobody asks.
    ///
    /// # Errors
    /// As [`fresh`](Self::fresh).
    pub async fn fresh_for_unknown_key(&self, arrived: Instant) -> Result<Arc<View>, TrustUnavailable> {
        let need = {
            let mut asked = self.unknown_key.lock().unwrap_or_else(PoisonError::into_inner);
            let need = freshness::needed_for_unknown_key(*asked, self.moment(arrived), self.config.idle);
            *asked = Some(need);
            need
        };
        self.reaching(need, arrived).await
    }

    /// Notes that an unknown key was found after all: the next one is looked for at once, too.
    pub(crate) fn unknown_key_found(&self) {
        *self.unknown_key.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits for a view that is fresh as of `need`.
    async fn reaching(&self, need: Duration, arrived: Instant) -> Answer {
        if let Some(answer) = self.answer(need) {
            return answer;
        }
        let told = self.published.join(need);
        // Who joined after a publication is not told of it.
        if let Some(answer) = self.answer(need) {
            return answer;
        }
        self.demand(need);
        match tokio::time::timeout_at(arrived + self.config.patience, told).await {
            Ok(Ok(answer)) => answer,
            _ => Err(TrustUnavailable),
        }
    }

    /// The newest view, however old: good for finding a key, not for deciding.
    pub fn latest(&self) -> Arc<View> {
        self.published.view()
    }

    /// Whether there has been a complete view. It stays so while the auth service is away.
    pub fn ready(&self) -> bool {
        self.stats.has_been_complete()
    }

    /// Waits for the first complete view. Also ends when the driver does.
    pub async fn until_ready(&self) {
        let mut published = self.published.clone();
        while !self.ready() && published.changed().await.is_ok() {}
    }

    /// How old the view is. None before the first complete view of its epoch.
    pub fn view_age(&self) -> Option<Duration> {
        let fresh_as_of = self.published.view().fresh_as_of()?;
        Some(self.moment(Instant::now()).saturating_sub(fresh_as_of))
    }

    /// Counts of Syncs.
    pub fn stats(&self) -> &TrustStats {
        &self.stats
    }

    fn moment(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.origin)
    }

    fn answer(&self, need: Duration) -> Option<Answer> {
        self.published
            .answer(need, self.moment(Instant::now()), self.config.patience)
    }

    fn demand(&self, need: Duration) {
        self.need.send_if_modified(|newest| {
            let newer = newest.is_none_or(|newest| newest < need);
            if newer {
                *newest = Some(need);
            }
            newer
        });
    }
}
