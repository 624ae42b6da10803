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

    /// The key that signs at a moment, in microseconds since the epoch: the one whose turn came last. Where no turn has
    /// come yet by this clock, because another machine's is ahead, the one whose turn comes first.
    pub fn signer(&self, now: i64) -> Option<Arc<SigningKey>> {
        let state = self.lock();
        let opened = |key: &&StoredKey| state.opened.get(&key.kid).is_some_and(Option::is_some);
        let keys = || state.published.iter().filter(opened);
        let due = keys()
            .filter(|key| key.signs_from <= now)
            .max_by_key(|key| (key.signs_from, &key.kid));
        let key = due.or_else(|| keys().min_by_key(|key| (key.signs_from, &key.kid)))?;
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
    let stored = key.private_key().ok_or("it has no private half")?;
    let der = sealer.open(&key.kid, stored).map_err(|error| error.to_string())?;
    SigningKey::from_pkcs8(&der).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(sealer: &Sealer, signs_from: i64) -> StoredKey {
        let key = SigningKey::generate().unwrap();
        StoredKey {
            kid: key.kid().to_owned(),
            public_key: key.public_key().to_vec(),
            private_key: Some(sealer.seal(key.kid(), &key.pkcs8()).unwrap().into()),
            created_at: signs_from,
            signs_from,
            retired_at: None,
        }
    }

    #[test]
    fn the_key_whose_turn_came_last_signs_and_somebody_always_does() {
        let sealer = Sealer::new(None).unwrap();
        let (first, second) = (key(&sealer, 10), key(&sealer, 20));
        let ring = KeyRing::new(sealer);
        assert!(ring.signer(30).is_none());

        ring.update(vec![second.clone(), first.clone()]);

        let kids = [5, 10, 19, 20].map(|now| ring.signer(now).unwrap().kid().to_owned());
        assert_eq!(
            kids,
            [&first.kid, &first.kid, &first.kid, &second.kid].map(String::clone)
        );
        ring.update(vec![second.clone()]);
        assert_eq!(ring.signer(5).unwrap().kid(), second.kid);
    }

    #[test]
    fn debug_shows_no_private_key_even_one_that_lies_unsealed() {
        let sealer = Sealer::new(None).unwrap();
        let stored = key(&sealer, 10);
        let ring = KeyRing::new(sealer);
        ring.update(vec![stored.clone()]);
        let private = format!("{:?}", stored.private_key().unwrap());

        let shown = format!("{stored:?} {ring:?} {:?}", ring.signer(20));

        assert!(shown.contains(&stored.kid) && private.len() > 100);
        // Somewhere in its middle, without the brackets.
        assert!(
            !shown.contains(&private[private.len() - 40..private.len() - 1]),
            "{shown}"
        );
    }
}
