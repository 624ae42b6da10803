//! Small writes that many calls make at once, in one transaction for all of them.

use std::collections::BTreeMap;

use database::{Error, Transaction, Value, args};
use uuid::Uuid;

use super::{
    Store,
    audit::insert_events,
    change::{TOKEN, take_numbers},
    values::rows_of,
};
use crate::audit::AuditEvent;

/// Revocations that go into one statement.
const ROWS_AT_ONCE: usize = 1_000;

/// How much newer a login must be for its network's row to be written again, in microseconds: an hour.
const NETWORK_REFRESH: i64 = 3_600 * 1_000_000;

/// One thing to write.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A token is dead until it has expired everywhere.
    RevokeToken {
        /// The token's id.
        token: Uuid,
        /// From when on the row may go, in microseconds since the epoch.
        expires_at: i64,
    },
    /// Something happened.
    Audit(AuditEvent),
    /// An attempt to log in failed.
    Failure {
        /// The throttle's key of the account or of the account and network.
        key: Vec<u8>,
        /// When, in microseconds since the epoch.
        at: i64,
    },
    /// The failures under a key are over.
    Forget {
        /// The throttle's key.
        key: Vec<u8>,
    },
    /// An account was logged in to from a network.
    Network {
        /// The throttle's key of the account and network.
        key: Vec<u8>,
        /// When, in microseconds since the epoch.
        at: i64,
    },
}

impl Store {
    /// Writes all entries or none. Failures under a key add up; a `Forget` wins over them.
    pub async fn write(&self, entries: &[Entry]) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        revoke_tokens(&mut tx, entries).await?;
        count_failures(&mut tx, entries).await?;
        know_networks(&mut tx, entries).await?;
        let events: Vec<AuditEvent> = entries.iter().filter_map(as_event).cloned().collect();
        insert_events(&mut tx, &events).await?;
        tx.commit().await?;
        events.iter().for_each(AuditEvent::log);
        Ok(())
    }
}

fn as_event(entry: &Entry) -> Option<&AuditEvent> {
    match entry {
        Entry::Audit(event) => Some(event),
        _ => None,
    }
}

async fn revoke_tokens(tx: &mut Transaction, entries: &[Entry]) -> Result<(), Error> {
    let tokens: Vec<(Uuid, i64)> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::RevokeToken { token, expires_at } => Some((*token, *expires_at)),
            _ => None,
        })
        .collect();
    if tokens.is_empty() {
        return Ok(());
    }
    let mut number = take_numbers(tx, tokens.len() as i64).await?;
    for some in tokens.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "INSERT INTO revocations (number, kind, subject, expires_at) VALUES {}",
            rows_of(4, some.len())
        );
        let mut values: Vec<Value> = Vec::with_capacity(4 * some.len());
        for (token, expires_at) in some {
            values.extend(args![number, TOKEN, token.as_bytes().to_vec(), *expires_at]);
            number += 1;
        }
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// What becomes of the failures under a key.
#[derive(Default)]
struct Tally {
    failures: i64,
    latest: i64,
    forget: bool,
}

/// In the order of keys: two replicas that write the same keys wait for each other instead of deadlocking.
async fn count_failures(tx: &mut Transaction, entries: &[Entry]) -> Result<(), Error> {
    let mut tallies: BTreeMap<&[u8], Tally> = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Failure { key, at } => {
                let tally = tallies.entry(key).or_default();
                tally.failures += 1;
                tally.latest = tally.latest.max(*at);
            }
            Entry::Forget { key } => tallies.entry(key).or_default().forget = true,
            _ => {}
        }
    }
    for (key, tally) in tallies {
        if tally.forget {
            tx.execute("DELETE FROM login_failures WHERE key = $1", args![key.to_vec()])
                .await?;
        } else {
            add_failures(tx, key, &tally).await?;
        }
    }
    Ok(())
}

async fn add_failures(tx: &mut Transaction, key: &[u8], tally: &Tally) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO login_failures (key, failures, last_attempt_at) VALUES ($1, $2, $3)
         ON CONFLICT (key) DO UPDATE SET failures = login_failures.failures + excluded.failures,
             last_attempt_at = CASE WHEN excluded.last_attempt_at > login_failures.last_attempt_at
                 THEN excluded.last_attempt_at ELSE login_failures.last_attempt_at END",
        args![key.to_vec(), tally.failures, tally.latest],
    )
    .await?;
    Ok(())
}

/// In the order of keys, too.
async fn know_networks(tx: &mut Transaction, entries: &[Entry]) -> Result<(), Error> {
    let networks: BTreeMap<&[u8], i64> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Network { key, at } => Some((key.as_slice(), *at)),
            _ => None,
        })
        .collect();
    for (key, at) in networks {
        tx.execute(
            "INSERT INTO known_networks (key, last_login_at) VALUES ($1, $2)
             ON CONFLICT (key) DO UPDATE SET last_login_at = excluded.last_login_at
             WHERE known_networks.last_login_at < excluded.last_login_at - $3",
            args![key.to_vec(), at, NETWORK_REFRESH],
        )
        .await?;
    }
    Ok(())
}
