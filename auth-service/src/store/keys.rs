//! Signing keys, sealed as they are.

use std::fmt;

use database::{Error, Row, args};
use zeroize::Zeroizing;

use super::{Change, Store, change::KEY};

/// A signing key's row. Times are microseconds since the epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The RFC 7638 thumbprint.
    pub kid: String,
    /// 32 bytes.
    pub public_key: Vec<u8>,
    /// The seed, sealed or plain. `None` once the key is retired.
    pub private_key: Option<Zeroizing<Vec<u8>>>,
    /// When it was made.
    pub created_at: i64,
    /// From when on it signs.
    pub signs_from: i64,
    /// Since when it is trusted no longer.
    pub retired_at: Option<i64>,
}

impl StoredKey {
    /// The private half as it is stored.
    pub fn private_key(&self) -> Option<&[u8]> {
        self.private_key.as_deref().map(Vec::as_slice)
    }
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey")
            .field("kid", &self.kid)
            .field("created_at", &self.created_at)
            .field("signs_from", &self.signs_from)
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &str = "kid, public_key, private_key, created_at, signs_from, retired_at";

impl Store {
    /// All keys, oldest first, retired ones among them.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM signing_keys ORDER BY created_at, kid");
        let rows = self.db.fetch_all(sql, args![]).await?;
        rows.iter().map(key).collect()
    }

    /// What the throttle's keys are hashed with, sealed or plain, once there is one.
    pub async fn throttle_key(&self) -> Result<Option<Vec<u8>>, Error> {
        let sql = "SELECT throttle_key FROM trust_state WHERE id = 1";
        self.db.fetch_one(sql, args![]).await?.get("throttle_key")
    }
}

impl Change {
    /// All keys, oldest first, retired ones among them.
    pub async fn keys(&mut self) -> Result<Vec<StoredKey>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM signing_keys ORDER BY created_at, kid");
        let rows = self.tx.fetch_all(sql, args![]).await?;
        rows.iter().map(key).collect()
    }

    /// Publishes a key.
    pub async fn add_key(&mut self, key: &StoredKey) -> Result<(), Error> {
        let sql = format!("INSERT INTO signing_keys ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)");
        let values = args![
            key.kid.as_str(),
            key.public_key.clone(),
            key.private_key(),
            key.created_at,
            key.signs_from,
            key.retired_at
        ];
        self.tx.execute(sql, values).await?;
        Ok(())
    }

    /// Replaces the stored form of a private key by another of the same key.
    pub async fn reseal_key(&mut self, kid: &str, private_key: Vec<u8>) -> Result<(), Error> {
        let sql = "UPDATE signing_keys SET private_key = $1 WHERE kid = $2 AND retired_at IS NULL";
        self.tx.execute(sql, args![private_key, kid]).await?;
        Ok(())
    }

    /// Kills a key and all tokens that it signed, for good. Its private part is erased.
    pub async fn retire_key(&mut self, kid: &str) -> Result<(), Error> {
        let sql = "UPDATE signing_keys SET private_key = NULL, retired_at = $1 WHERE kid = $2 AND retired_at IS NULL";
        if self.tx.execute(sql, args![self.at.timestamp_micros(), kid]).await? == 0 {
            return Ok(());
        }
        self.revoke(KEY, kid.as_bytes().to_vec(), None, None).await
    }

    /// Begins a history that verifiers have not seen, and answers its number: the time in microseconds, so that one
    /// backup that is restored twice does not begin the same history twice.
    pub async fn raise_epoch(&mut self) -> Result<i64, Error> {
        let sql = "UPDATE trust_state SET epoch = CASE WHEN epoch < $1 THEN $1 ELSE epoch + 1 END
                   WHERE id = 1 RETURNING epoch";
        let args = args![self.at.timestamp_micros()];
        self.tx.fetch_one(sql, args).await?.get("epoch")
    }

    /// What the throttle's keys are hashed with.
    pub async fn throttle_key(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let sql = "SELECT throttle_key FROM trust_state WHERE id = 1";
        self.tx.fetch_one(sql, args![]).await?.get("throttle_key")
    }

    /// Sets what the throttle's keys are hashed with.
    pub async fn set_throttle_key(&mut self, sealed: Vec<u8>) -> Result<(), Error> {
        self.tx
            .execute("UPDATE trust_state SET throttle_key = $1 WHERE id = 1", args![sealed])
            .await?;
        Ok(())
    }
}

fn key(row: &Row) -> Result<StoredKey, Error> {
    Ok(StoredKey {
        kid: row.get("kid")?,
        public_key: row.get("public_key")?,
        private_key: row.get::<Option<_>>("private_key")?.map(Zeroizing::new),
        created_at: row.get("created_at")?,
        signs_from: row.get("signs_from")?,
        retired_at: row.get("retired_at")?,
    })
}
