use std::{sync::Arc, time::Duration};

use proto::auth::v1::{self as pb, revocation::Subject};

use super::{Due, Key, Standing, View};
use crate::mint::thumbprint;

/// A reply to a Sync.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// When the call was begun, stamped before it was sent.
    pub started: Duration,
    /// What was asked.
    pub request: pb::SyncRequest,
    /// What was answered.
    pub response: pb::SyncResponse,
}

/// What became of a reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Merge {
    /// The view reaches the end of the history as of the start of the call.
    Complete(View),
    /// A page of more.
    Partial(View),
    /// The auth service has lost its history: nothing is accepted until a higher epoch.
    HistoryLost(View),
    /// The reply belongs to an epoch that is over: it changes nothing.
    Old,
}

impl View {
    /// The question to ask next.
    pub fn request(&self) -> pb::SyncRequest {
        pb::SyncRequest {
            epoch: self.epoch,
            cursor: self.cursor,
        }
    }

    /// Merges a reply. Replies may come late and in any order: revocations and keys are united, cursor, floors and the
    /// freshness stamp only rise. A higher epoch replaces everything, a lower one is dropped.
    #[must_use]
    pub fn merge(&self, reply: Reply) -> Merge {
        let Reply {
            started,
            request,
            response,
        } = reply;
        if response.epoch < self.epoch {
            return Merge::Old;
        }
        let mut view = if response.epoch > self.epoch {
            Self::of_epoch(response.epoch)
        } else {
            self.clone()
        };
        if response.history_lost {
            view.standing = Standing::HistoryLost;
            return Merge::HistoryLost(view);
        }
        view.add_keys(response.keys);
        view.add_revocations(response.revocations);
        if view.standing == Standing::HistoryLost {
            return Merge::HistoryLost(view);
        }
        // A cursor means something in its own epoch only: what lies before it in another is not known to be here.
        if request.epoch != response.epoch && request.cursor != 0 {
            return Merge::Partial(view);
        }
        view.cursor = view.cursor.max(response.next_cursor);
        if !response.complete {
            return Merge::Partial(view);
        }
        view.standing = Standing::Current;
        view.fresh_as_of = view.fresh_as_of.max(Some(started));
        Merge::Complete(view)
    }

    fn of_epoch(epoch: i64) -> Self {
        Self {
            epoch,
            ..Self::default()
        }
    }

    /// Adds keys. One whose id is not its thumbprint is left out, so that an id never means two keys.
    fn add_keys(&mut self, keys: Vec<pb::VerifyingKey>) {
        for key in keys {
            let Ok(public_key) = <[u8; 32]>::try_from(key.public_key) else {
                continue;
            };
            if self.keys.contains_key(key.kid.as_str()) || thumbprint(&public_key) != key.kid {
                continue;
            }
            let kid: Arc<str> = key.kid.into();
            let key = Key {
                kid: kid.clone(),
                public_key,
            };
            Arc::make_mut(&mut self.keys).insert(kid, key);
        }
    }

    fn add_revocations(&mut self, revocations: Vec<pb::Revocation>) {
        let mut tokens = Vec::new();
        let mut floors = Vec::new();
        for revocation in revocations {
            let due = Due::of(revocation.expires_at.as_ref());
            match revocation.subject {
                Some(Subject::Token(id)) => tokens.extend(<[u8; 16]>::try_from(id).ok().map(|id| (id, due, ()))),
                Some(Subject::User(floor)) => {
                    let id = <[u8; 16]>::try_from(floor.user_id).ok();
                    floors.extend(id.map(|id| (id, due, floor.generation)));
                }
                Some(Subject::Key(kid)) => self.retire(kid, due),
                None => {}
            }
        }
        self.tokens.add(tokens);
        self.floors.add(floors);
    }

    fn retire(&mut self, kid: String, due: Due) {
        let held = Arc::make_mut(&mut self.retired).entry(kid.into()).or_insert(due);
        *held = due.max(*held);
    }
}
