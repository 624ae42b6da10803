//! Syncing from the database.

use std::sync::Arc;

use access_token::{SyncFuture, SyncSource};
use proto::auth::v1::{SyncRequest, SyncResponse};
use service_kit::refusal::Chain;
use tokio::sync::Mutex;
use tonic::Status;

use super::{Known, RevocationLog};
use crate::{keys::KeyRing, store::Store};

/// The most revocations that one statement reads: few enough to come within an attempt's time on a slow machine.
const ROWS: usize = 2_000;

/// Feeds this replica's view, its key ring and its log, in this order of visibility: ring and log are never older than
/// the view.
#[derive(Debug)]
pub(crate) struct DatabaseSource {
    store: Store,
    ring: Arc<KeyRing>,
    log: Arc<RevocationLog>,
    /// One statement at a time, however many wait.
    turn: Mutex<Option<Known>>,
}

impl DatabaseSource {
    /// A source over a store.
    pub(crate) fn new(store: Store, ring: Arc<KeyRing>, log: Arc<RevocationLog>) -> Self {
        Self {
            store,
            ring,
            log,
            turn: Mutex::default(),
        }
    }

    async fn read(&self, request: SyncRequest) -> Result<SyncResponse, Status> {
        let mut known = self.turn.lock().await;
        let mark = self.store.trust_mark().await.map_err(failed)?;
        refuse_standby(mark.primary)?;
        if let Some(reply) = known.as_ref().and_then(|known| known.nothing_new(request, &mark)) {
            return Ok(reply);
        }
        let read = self
            .store
            .sync(request.epoch, request.cursor, ROWS)
            .await
            .map_err(failed)?;
        refuse_standby(read.primary)?;
        let reply = self.log.take(request, &read, ROWS);
        *known = Known::after(mark, &reply);
        if !reply.history_lost {
            self.ring.update(read.keys);
        }
        Ok(reply)
    }
}

fn failed(error: database::Error) -> Status {
    tracing::debug!(error = %Chain(&error), "reading revocations failed");
    Status::unavailable(error.to_string())
}

fn refuse_standby(primary: bool) -> Result<(), Status> {
    if primary {
        return Ok(());
    }
    Err(Status::unavailable(
        "the database is a standby: AUTH_DATABASE_URL must lead to the primary",
    ))
}

impl SyncSource for DatabaseSource {
    fn sync(&self, request: SyncRequest) -> SyncFuture<'_> {
        Box::pin(self.read(request))
    }

    fn name(&self) -> &str {
        "the auth database"
    }
}
