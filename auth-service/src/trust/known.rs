use proto::auth::v1::{SyncRequest, SyncResponse};

use crate::store::TrustMark;

/// A state of the database that this replica has taken over to its end. A plain value, like [`History`](super::History).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    mark: TrustMark,
    /// The number of the last revocation.
    cursor: i64,
}

impl Known {
    /// What is known once `reply` was made of rows that were read after `mark`: what came in between is read again, not
    /// missed. None before the history's end.
    pub fn after(mark: TrustMark, reply: &SyncResponse) -> Option<Self> {
        reply.complete.then_some(Self {
            mark,
            cursor: reply.next_cursor,
        })
    }

    /// The reply to whoever stands at `request`, now that the database is at `mark`, if there is nothing new.
    pub fn nothing_new(&self, request: SyncRequest, mark: &TrustMark) -> Option<SyncResponse> {
        let is_all =
            self.mark == *mark && request.epoch == mark.epoch && (self.cursor..=mark.counter).contains(&request.cursor);
        is_all.then(|| SyncResponse {
            epoch: request.epoch,
            next_cursor: request.cursor,
            complete: true,
            ..SyncResponse::default()
        })
    }
}
