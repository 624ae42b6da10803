//! What the throttle shares between replicas.

use database::{Error, args};

use super::Store;

/// Failures in a row under one of the throttle's keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailureRow {
    /// How many.
    pub failures: i64,
    /// When the last attempt was admitted or failed, in microseconds since the epoch.
    pub last_attempt_at: i64,
}

impl Store {
    /// The failures under two keys, none where there is no row.
    pub async fn failures(&self, first: &[u8], second: &[u8]) -> Result<[FailureRow; 2], Error> {
        let sql = "SELECT key, failures, last_attempt_at FROM login_failures WHERE key IN ($1, $2)";
        let mut found = [FailureRow::default(); 2];
        for row in self.db.fetch_all(sql, args![first.to_vec(), second.to_vec()]).await? {
            let place = usize::from(row.get::<Vec<u8>>("key")? != first);
            found[place] = FailureRow {
                failures: row.get("failures")?,
                last_attempt_at: row.get("last_attempt_at")?,
            };
        }
        Ok(found)
    }

    /// Takes the one attempt that is allowed now, unless another call took it since `read`.
    pub async fn take_attempt(&self, key: &[u8], read: FailureRow, now: i64) -> Result<bool, Error> {
        let sql = "UPDATE login_failures SET last_attempt_at = $1 WHERE key = $2 AND last_attempt_at = $3";
        Ok(self
            .db
            .execute(sql, args![now, key.to_vec(), read.last_attempt_at])
            .await?
            == 1)
    }

    /// Whether a login succeeded under this key after a moment.
    pub async fn is_known_network(&self, key: &[u8], after: i64) -> Result<bool, Error> {
        let sql = "SELECT last_login_at FROM known_networks WHERE key = $1 AND last_login_at > $2";
        Ok(self.db.fetch_optional(sql, args![key.to_vec(), after]).await?.is_some())
    }
}
