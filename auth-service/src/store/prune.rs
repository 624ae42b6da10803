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

impl Store {
    /// Deletes revocations that may go by `now`, audit events from before `events`, failures from before `failures` and
    /// networks from before `networks`, all in microseconds since the epoch.
    ///
    /// A revocation goes by the time written with it, never by a setting of today.
    pub async fn prune(&self, now: i64, events: i64, failures: i64, networks: i64) -> Result<Pruned, Error> {
        let gone = |sql: &'static str, before: i64| self.db.execute(sql, args![before]);
        let failures = gone("DELETE FROM login_failures WHERE last_attempt_at < $1", failures).await?;
        let networks = gone("DELETE FROM known_networks WHERE last_login_at < $1", networks).await?;
        Ok(Pruned {
            revocations: gone("DELETE FROM revocations WHERE expires_at <= $1", now).await?,
            events: gone("DELETE FROM audit_events WHERE at < $1", events).await?,
            throttle: failures + networks,
        })
    }
}
