//! Syncing from the database.

use std::sync::Arc;

use access_token::{SyncFuture, SyncSource};
use proto::auth::v1::{SyncRequest, SyncResponse};
use service_kit::refusal::Chain;
use tokio::sync::Mutex;
use tonic::Status;

use super::{
    RevocationLog,
    log::{lost, revocation, verifying_key},
};
use crate::{
    keys::KeyRing,
    store::{Store, SyncRead},
};

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
    turn: Mutex<()>,
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
        let _turn = self.turn.lock().await;
        let read = self
            .store
            .sync(request.epoch, request.cursor, ROWS)
            .await
            .map_err(|error| {
                tracing::debug!(error = %Chain(&error), "reading revocations failed");
                Status::unavailable(error.to_string())
            })?;
        if !read.primary {
            return Err(Status::unavailable(
                "the database is a standby: AUTH_DATABASE_URL must lead to the primary",
            ));
        }
        if read.epoch == request.epoch && request.cursor > read.counter {
            self.log.lose_history(read.epoch);
            return Ok(lost(read.epoch, request.cursor));
        }
        self.log.append(&read);
        let reply = reply(request, &read);
        self.ring.update(read.keys);
        Ok(reply)
    }
}

impl SyncSource for DatabaseSource {
    fn sync(&self, request: SyncRequest) -> SyncFuture<'_> {
        Box::pin(self.read(request))
    }

    fn name(&self) -> &str {
        "the auth database"
    }
}

fn reply(request: SyncRequest, read: &SyncRead) -> SyncResponse {
    let cursor = if request.epoch == read.epoch { request.cursor } else { 0 };
    SyncResponse {
        epoch: read.epoch,
        next_cursor: read.revocations.last().map_or(cursor, |row| row.number),
        complete: read.revocations.len() < ROWS,
        history_lost: false,
        keys: read.keys.iter().map(verifying_key).collect(),
        revocations: read.revocations.iter().map(revocation).collect(),
    }
}
