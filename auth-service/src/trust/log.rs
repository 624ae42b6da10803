use std::sync::{Mutex, MutexGuard, PoisonError};

use proto::auth::v1::{SyncRequest, SyncResponse};

use super::History;
use crate::store::SyncRead;

/// The most revocations in one reply.
const PAGE: usize = 10_000;

/// The [`History`] that this replica answers Sync from, shared between those who answer and those who feed it.
#[derive(Debug, Default)]
pub(crate) struct RevocationLog(Mutex<History>);

impl RevocationLog {
    /// [`History::take`].
    pub(super) fn take(&self, request: SyncRequest, read: &SyncRead, limit: usize) -> SyncResponse {
        self.lock().take(request, read, limit)
    }

    /// [`History::reply`] of at most 10,000 revocations.
    pub(crate) fn reply(&self, request: SyncRequest, fresh: i64) -> SyncResponse {
        self.lock().reply(request, fresh, PAGE)
    }

    /// [`History::prune`].
    pub(crate) fn prune(&self, now: i64) {
        self.lock().prune(now);
    }

    /// [`History::is_lost`].
    pub(crate) fn history_lost(&self) -> bool {
        self.lock().is_lost()
    }

    /// [`History::held`].
    pub(crate) fn held(&self) -> usize {
        self.lock().held()
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
