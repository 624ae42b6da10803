//! The keys as of the last Sync, opened.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use access_token::mint::SigningKey;

use super::Sealer;
use crate::store::StoredKey;

/// The keys that are not retired, and the private ones among them. Fed by every Sync before its view is published, so it
/// is never older than a fresh view.
#[derive(Debug)]
pub struct KeyRing {
    sealer: Sealer,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    published: Vec<StoredKey>,
    opened: HashMap<String, Option<Arc<SigningKey>>>,
}

impl KeyRing {
    /// A ring without keys.
    pub fn new(sealer: Sealer) -> Self {
        Self {
            sealer,
            state: Mutex::default(),
        }
    }

    /// Takes over the keys of a Sync. Those that cannot be opened verify and do not sign.
    pub fn update(&self, keys: Vec<StoredKey>) {
        let mut state = self.lock();
        state.opened.retain(|kid, _| keys.iter().any(|key| key.kid == *kid));
        for key in &keys {
            if !state.opened.contains_key(&key.kid) {
                state.opened.insert(key.kid.clone(), self.open(key));
            }
        }
        state.published = keys;
    }

    /// The key that signs at a moment, in microseconds since the epoch: the one whose turn came last.
    pub fn signer(&self, now: i64) -> Option<Arc<SigningKey>> {
        let state = self.lock();
        let usable =
            |key: &&StoredKey| key.signs_from <= now && state.opened.get(&key.kid).is_some_and(Option::is_some);
        let key = state
            .published
            .iter()
            .filter(usable)
            .max_by_key(|key| (key.signs_from, &key.kid))?;
        state.opened.get(&key.kid)?.clone()
    }

    /// The keys that verify, oldest first.
    pub fn published(&self) -> Vec<StoredKey> {
        let mut keys = self.lock().published.clone();
        keys.sort_by(|a, b| (a.created_at, &a.kid).cmp(&(b.created_at, &b.kid)));
        keys
    }

    fn open(&self, key: &StoredKey) -> Option<Arc<SigningKey>> {
        let opened = open(&self.sealer, key);
        if let Err(error) = &opened {
            tracing::error!(
                kid = key.kid,
                error,
                "a signing key cannot be opened: this replica does not sign with it"
            );
        }
        opened.ok().map(Arc::new)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a stored key's private half.
pub(super) fn open(sealer: &Sealer, key: &StoredKey) -> Result<SigningKey, String> {
    let stored = key.private_key.as_deref().ok_or("it has no private half")?;
    let der = sealer.open(&key.kid, stored).map_err(|error| error.to_string())?;
    SigningKey::from_pkcs8(&der).map_err(|error| error.to_string())
}
