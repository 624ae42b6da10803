//! What a verifying service knows of keys and revocations.

mod merge;
mod revoked;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use uuid::Uuid;

pub use merge::{Merge, Reply};
use revoked::{Due, Revoked};

use crate::{Refusal, Verified};

/// A key that verifies tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Its id: the RFC 7638 thumbprint.
    pub kid: Arc<str>,
    /// The public Ed25519 key.
    pub public_key: [u8; 32],
}

/// Whether a view may decide requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It is still being loaded.
    #[default]
    Loading,
    /// It reached the end of the history at least once.
    Current,
    /// The auth service has forgotten what this view knows. Nothing is accepted until a higher epoch.
    HistoryLost,
}

/// Keys and revocations as of some moment: an immutable value.
///
/// Cloning costs a few reference counts, whatever it holds: revocations are shared between a view and the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct View {
    epoch: i64,
    cursor: i64,
    standing: Standing,
    fresh_as_of: Option<Duration>,
    keys: Arc<BTreeMap<Arc<str>, Key>>,
    retired: Arc<BTreeMap<Arc<str>, Due>>,
    tokens: Revoked<()>,
    floors: Revoked<i64>,
}

impl View {
    /// The history that the view belongs to. 0 before the first reply.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// The highest revocation number that the view holds.
    pub fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Whether the view may decide requests.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// The view holds all that was revoked before this moment. None unless its standing is current.
    pub fn fresh_as_of(&self) -> Option<Duration> {
        self.fresh_as_of.filter(|_| self.standing == Standing::Current)
    }

    /// The published keys that are not retired, in order of their ids.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values().filter(|key| !self.retired.contains_key(&key.kid))
    }

    /// A published key, retired or not.
    pub fn key(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }

    /// Whether all tokens of a key are refused.
    pub fn is_retired(&self, kid: &str) -> bool {
        self.retired.contains_key(kid)
    }

    /// Whether a token was logged out.
    pub fn is_revoked(&self, token_id: &Uuid) -> bool {
        self.tokens.get(token_id.as_bytes()).is_some()
    }

    /// The lowest generation of a user's tokens that is still good, if one was set of late.
    pub fn floor(&self, user_id: &Uuid) -> Option<i64> {
        self.floors.get(user_id.as_bytes())
    }

    /// Whether a user was deleted, within the time that its tokens might have lived.
    pub fn is_deleted(&self, user_id: &Uuid) -> bool {
        self.floor(user_id) == Some(i64::MAX)
    }

    /// How many revocations are held.
    pub fn revocations(&self) -> usize {
        self.tokens.len() + self.floors.len() + self.retired.len()
    }

    /// Decides about a verified token at a time, in seconds since the epoch. Whether the view is fresh enough to
    /// decide is for [`Trust`](crate::Trust) to say.
    ///
    /// # Errors
    /// `TOKEN_EXPIRED`, `TOKEN_REVOKED`; `TOKEN_INVALID` for a key that is not published.
    pub fn check(&self, verified: &Verified, now: i64) -> Result<(), Refusal> {
        let caller = &verified.caller;
        if caller.expires_at <= now {
            return Err(Refusal::Expired);
        }
        if self.key(&verified.kid).is_none() {
            return Err(Refusal::Invalid);
        }
        let old = self
            .floor(&caller.user_id)
            .is_some_and(|floor| caller.generation < floor);
        if old || self.is_retired(&verified.kid) || self.is_revoked(&caller.token_id) {
            return Err(Refusal::Revoked);
        }
        Ok(())
    }

    /// Forgets what has expired by a time, in seconds since the epoch, if anything has.
    pub fn pruned(&self, now: i64) -> Option<Self> {
        let retired_due = self.retired.values().any(|due| due.is_over(now));
        if !retired_due && !self.tokens.is_due(now) && !self.floors.is_due(now) {
            return None;
        }
        let mut view = self.clone();
        view.tokens.prune(now);
        view.floors.prune(now);
        if retired_due {
            Arc::make_mut(&mut view.retired).retain(|_, due| !due.is_over(now));
        }
        Some(view)
    }
}
