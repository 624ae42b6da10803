//! What operators do with signing keys, and what the first start does.

use access_token::mint::SigningKey;
use aws_lc_rs::rand;
use chrono::{DateTime, Utc};
use proto::auth::v1::audit_event::Kind;
use zeroize::Zeroizing;

use super::{SealError, Sealer, ring::open};
use crate::{
    audit::Origin,
    store::{Change, Store, StoredKey},
};

/// For how long a new key is published before it signs, in microseconds. The key set is cacheable for less.
pub const OVERLAP: i64 = 30 * 1_000_000;

/// What the throttle's key is sealed as.
const THROTTLE: &str = "throttle";

/// Why nothing was done with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No key has this id.
    #[error("there is no signing key {0}; `keys list` shows those that there are")]
    Unknown(String),
    /// Nothing would be left to sign with.
    #[error("{0} is the only key that can sign now: run `keys rotate --now` first, or wait until the next key signs")]
    OnlyKey(String),
    /// What is stored cannot be opened.
    #[error(
        "the signing key {kid} cannot be opened: {problem}. Start with the AUTH_KEY_SECRET that it was made with, \
             or run `auth-service recover` with the new one: it replaces all keys, and everybody has to log in again"
    )]
    Sealed {
        /// Which key.
        kid: String,
        /// Why not.
        problem: String,
    },
    /// No key could be made.
    #[error("no signing key could be made")]
    Make(#[from] access_token::mint::Error),
    /// The cipher failed.
    #[error("a signing key could not be sealed")]
    Seal(#[from] SealError),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Random,
    /// The store failed.
    #[error("the key store failed")]
    Store(#[from] database::Error),
}

/// A key as `keys list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReport {
    /// The key's id.
    pub kid: String,
    /// `signs`, `next`, `verifies` or `retired`.
    pub state: &'static str,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Sees to it that there is a key to sign with, and answers the secret that the throttle's keys are hashed with. Of
/// several replicas that start at once, one makes both. Keys stored as they are get sealed when there is a secret.
///
/// # Errors
/// [`KeyError::Sealed`] when `AUTH_KEY_SECRET` is not the one that the keys were sealed with.
pub async fn first_start(store: &Store, sealer: &Sealer, now: DateTime<Utc>) -> Result<Vec<u8>, KeyError> {
    let keys = store.keys().await?;
    let stored = store.throttle_key().await?;
    let usable: Vec<&StoredKey> = keys.iter().filter(|key| key.retired_at.is_none()).collect();
    if let (false, Some(stored)) = (usable.is_empty(), &stored)
        && !needs_sealing(sealer, &usable, stored)
    {
        check(sealer, &usable)?;
        return Ok(open_throttle_key(sealer, stored)?.to_vec());
    }
    settle(store, sealer, now).await
}

fn needs_sealing(sealer: &Sealer, keys: &[&StoredKey], throttle_key: &[u8]) -> bool {
    let stored = keys.iter().filter_map(|key| key.private_key());
    stored.chain([throttle_key]).any(|stored| sealer.would_reseal(stored))
}

fn check(sealer: &Sealer, keys: &[&StoredKey]) -> Result<(), KeyError> {
    for key in keys {
        open(sealer, key).map_err(|problem| KeyError::Sealed {
            kid: key.kid.clone(),
            problem,
        })?;
    }
    Ok(())
}

/// Inside a change, other replicas wait: what is missing here is missing for all.
async fn settle(store: &Store, sealer: &Sealer, now: DateTime<Utc>) -> Result<Vec<u8>, KeyError> {
    let mut change = store.begin_change(now).await?;
    let keys = change.keys().await?;
    let usable: Vec<&StoredKey> = keys.iter().filter(|key| key.retired_at.is_none()).collect();
    check(sealer, &usable)?;
    for key in &usable {
        let stored = key.private_key().unwrap_or_default();
        if sealer.would_reseal(stored) {
            let resealed = sealer.seal(&key.kid, &sealer.open(&key.kid, stored)?)?;
            change.reseal_key(&key.kid, resealed).await?;
        }
    }
    if usable.is_empty() {
        add(&mut change, sealer, now.timestamp_micros(), &Origin::default(), now).await?;
    }
    let throttle_key = match change.throttle_key().await? {
        Some(stored) => open_throttle_key(sealer, &stored)?.to_vec(),
        None => random()?,
    };
    change.set_throttle_key(sealer.seal(THROTTLE, &throttle_key)?).await?;
    change.commit().await?;
    Ok(throttle_key)
}

fn open_throttle_key(sealer: &Sealer, stored: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    sealer.open(THROTTLE, stored).map_err(|problem| KeyError::Sealed {
        kid: THROTTLE.to_owned(),
        problem: problem.to_string(),
    })
}

fn random() -> Result<Vec<u8>, KeyError> {
    let mut bytes = vec![0; 32];
    rand::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    Ok(bytes)
}

/// All keys, oldest first, with what they do now.
///
/// # Errors
/// When the store fails.
pub async fn list(store: &Store, now: DateTime<Utc>) -> Result<Vec<KeyReport>, KeyError> {
    let keys = store.keys().await?;
    let signer = signer(&keys, now.timestamp_micros()).map(|key| key.kid.clone());
    let state = |key: &StoredKey| match key {
        _ if key.retired_at.is_some() => "retired",
        _ if key.signs_from > now.timestamp_micros() => "next",
        _ if Some(&key.kid) == signer.as_ref() => "signs",
        _ => "verifies",
    };
    let report = |key: &StoredKey| KeyReport {
        kid: key.kid.clone(),
        state: state(key),
        created_at: DateTime::from_timestamp_micros(key.created_at).unwrap_or_default(),
    };
    Ok(keys.iter().map(report).collect())
}

fn signer(keys: &[StoredKey], now: i64) -> Option<&StoredKey> {
    let usable = |key: &&StoredKey| key.retired_at.is_none() && key.signs_from <= now;
    keys.iter().filter(usable).max_by_key(|key| (key.signs_from, &key.kid))
}

/// Publishes the next key. It signs after [`OVERLAP`], or at once if asked to.
///
/// # Errors
/// When it cannot be made or stored.
pub async fn rotate(store: &Store, sealer: &Sealer, at_once: bool, now: DateTime<Utc>) -> Result<String, KeyError> {
    let mut change = store.begin_change(now).await?;
    let signs_from = now.timestamp_micros() + if at_once { 0 } else { OVERLAP };
    let kid = add(&mut change, sealer, signs_from, &Origin::operator(), now).await?;
    change.commit().await?;
    Ok(kid)
}

/// Kills a key and all tokens that it signed.
///
/// # Errors
/// [`KeyError::Unknown`], and [`KeyError::OnlyKey`] when nothing would be left to sign with now.
pub async fn retire(store: &Store, kid: &str, now: DateTime<Utc>) -> Result<(), KeyError> {
    let mut change = store.begin_change(now).await?;
    let keys = change.keys().await?;
    let Some(key) = keys.iter().find(|key| key.kid == kid) else {
        return Err(KeyError::Unknown(kid.to_owned()));
    };
    if key.retired_at.is_some() {
        return Ok(());
    }
    let others: Vec<StoredKey> = keys.iter().filter(|key| key.kid != kid).cloned().collect();
    if signer(&others, now.timestamp_micros()).is_none() {
        return Err(KeyError::OnlyKey(kid.to_owned()));
    }
    change.retire_key(kid).await?;
    change.note(Origin::operator().success(Kind::KeyRetirement, kid, now));
    Ok(change.commit().await?)
}

/// Begins a new epoch: one new key, all others retired, so that no older token is accepted. For after a restore.
/// Answers the epoch and the key.
///
/// # Errors
/// When the key cannot be made or stored.
pub async fn recover(store: &Store, sealer: &Sealer, now: DateTime<Utc>) -> Result<(i64, String), KeyError> {
    let mut change = store.begin_change(now).await?;
    let epoch = change.raise_epoch().await?;
    for key in change.keys().await? {
        change.retire_key(&key.kid).await?;
    }
    let kid = add(&mut change, sealer, now.timestamp_micros(), &Origin::operator(), now).await?;
    let stored = change.throttle_key().await?;
    if stored.is_none_or(|stored| sealer.open(THROTTLE, &stored).is_err()) {
        change.set_throttle_key(sealer.seal(THROTTLE, &random()?)?).await?;
    }
    change.note(Origin::operator().success(Kind::Recovery, epoch, now));
    change.commit().await?;
    Ok((epoch, kid))
}

async fn add(
    change: &mut Change,
    sealer: &Sealer,
    signs_from: i64,
    origin: &Origin,
    now: DateTime<Utc>,
) -> Result<String, KeyError> {
    let key = SigningKey::generate()?;
    let stored = StoredKey {
        kid: key.kid().to_owned(),
        public_key: key.public_key().to_vec(),
        private_key: Some(Zeroizing::new(sealer.seal(key.kid(), &key.pkcs8())?)),
        created_at: now.timestamp_micros(),
        signs_from,
        retired_at: None,
    };
    change.add_key(&stored).await?;
    change.note(origin.success(Kind::KeyRotation, key.kid(), now));
    Ok(stored.kid)
}
