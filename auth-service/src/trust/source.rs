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
    store::{Store, SyncRead, TrustMark},
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
    turn: Mutex<Option<Known>>,
}

/// A state of the database that ring and log have taken over to its end.
#[derive(Debug)]
struct Known {
    mark: TrustMark,
    /// The number of the last revocation.
    cursor: i64,
}

impl Known {
    /// Whether this is all there is for whoever asks this, now that the database is at `mark`.
    fn holds_nothing_for(&self, request: SyncRequest, mark: &TrustMark) -> bool {
        self.mark == *mark && request.epoch == mark.epoch && (self.cursor..=mark.counter).contains(&request.cursor)
    }
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
        if known
            .as_ref()
            .is_some_and(|known| known.holds_nothing_for(request, &mark))
        {
            return Ok(nothing_new(request));
        }
        let read = self
            .store
            .sync(request.epoch, request.cursor, ROWS)
            .await
            .map_err(failed)?;
        refuse_standby(read.primary)?;
        if read.epoch == request.epoch && request.cursor > read.counter {
            *known = None;
            self.log.lose_history(read.epoch);
            return Ok(lost(read.epoch, request.cursor));
        }
        self.log.append(&read);
        let reply = reply(request, &read);
        self.ring.update(read.keys);
        // The mark is from before the reading: what came in between is read again, not missed.
        *known = reply.complete.then_some(Known {
            mark,
            cursor: reply.next_cursor,
        });
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

fn nothing_new(request: SyncRequest) -> SyncResponse {
    SyncResponse {
        epoch: request.epoch,
        next_cursor: request.cursor,
        complete: true,
        ..SyncResponse::default()
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
