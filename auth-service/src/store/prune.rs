//! Forgetting what nobody needs.

use database::{Error, args};

use super::Store;

/// How many rows went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Revocations that have nothing left to kill.
    pub revocations: u64,
    /// Audit events past their retention.
    pub events: u64,
    /// Failures and networks of the throttle.
    pub throttle: u64,
}

/// How many rows one statement deletes: SQLite's other writers get their turns in between.
const STEP: u64 = 5_000;

impl Store {
    /// Deletes revocations that may go by `now`, audit events from before `events`, failures from before `failures` and
    /// networks from before `networks`, all in microseconds since the epoch.
    ///
    /// A revocation goes by the time written with it, never by a setting of today.
    pub async fn prune(&self, now: i64, events: i64, failures: i64, networks: i64) -> Result<Pruned, Error> {
        let failures = self
            .forget("login_failures", "key", "last_attempt_at", failures)
            .await?;
        let networks = self.forget("known_networks", "key", "last_login_at", networks).await?;
        Ok(Pruned {
            // What expires at `now` may go.
            revocations: self
                .forget("revocations", "number", "expires_at", now.saturating_add(1))
                .await?,
            events: self.forget("audit_events", "id", "at", events).await?,
            throttle: failures + networks,
        })
    }

    /// Deletes rows whose time is before a moment, a step at a time.
    async fn forget(&self, table: &str, id: &str, time: &str, before: i64) -> Result<u64, Error> {
        let sql = format!("DELETE FROM {table} WHERE {id} IN (SELECT {id} FROM {table} WHERE {time} < $1 LIMIT $2)");
        let mut gone = 0;
        loop {
            let step = self.db.execute(sql.clone(), args![before, STEP as i64]).await?;
            gone += step;
            // Fewer: that was all, or another replica is at it.
            if step < STEP {
                return Ok(gone);
            }
        }
    }
}
