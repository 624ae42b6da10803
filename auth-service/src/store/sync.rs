//! The statements that a replica's trust view is fed by: a short one that says whether there is anything new, and the
//! one that reads it.

use std::num::NonZeroI64;

use database::{Error, Row, args};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Store, StoredKey,
    change::{KEY, TOKEN},
};

/// Tells one state of trust from another, wherever it is read: keys are only ever added or, with a number of the
/// counter, retired.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrustMark {
    /// Whether the database is the primary, not a standby that may lag.
    pub primary: bool,
    /// The history that the numbers belong to.
    pub epoch: i64,
    /// The highest revocation number ever given out.
    pub counter: i64,
    /// How many keys are not retired, and the first and the last of their ids: another database's would differ.
    pub keys: (i64, Option<String>, Option<String>),
}

/// Everything past a cursor as it was at one moment, no earlier than the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncRead {
    /// Whether the database is the primary, not a standby that may lag.
    pub primary: bool,
    /// The history that the numbers belong to.
    pub epoch: i64,
    /// The highest revocation number ever given out.
    pub counter: i64,
    /// The keys that are not retired.
    pub keys: Vec<StoredKey>,
    /// Revocations past the cursor in the order of their numbers, at most as many as asked for.
    pub revocations: Vec<RevocationRow>,
}

/// A revocation, in 48 bytes: a replica may hold a million of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RevocationRow {
    /// Its number.
    pub number: i64,
    /// What is revoked.
    pub subject: Subject,
    /// From when on it may be forgotten, in microseconds since the epoch. `None`: never.
    pub expires_at: Option<NonZeroI64>,
}

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A token.
    Token(Uuid),
    /// The tokens of a user below a generation.
    User(Uuid, i64),
    /// The tokens of a signing key.
    Key(Box<str>),
}

const STATE: i64 = 0;
const PUBLISHED: i64 = 1;

impl Store {
    /// Reads by one short statement whether there is anything new.
    pub async fn trust_mark(&self) -> Result<TrustMark, Error> {
        let primary = self.db.primary_check();
        let sql = format!(
            "SELECT {primary} AS is_primary, epoch, counter, keys, first_kid, last_kid
             FROM trust_state, (SELECT COUNT(*) AS keys, MIN(kid) AS first_kid, MAX(kid) AS last_kid
                                FROM signing_keys WHERE retired_at IS NULL) AS published
             WHERE id = 1"
        );
        let row = self.db.fetch_one(sql, args![]).await?;
        Ok(TrustMark {
            primary: row.get("is_primary")?,
            epoch: row.get("epoch")?,
            counter: row.get("counter")?,
            keys: (row.get("keys")?, row.get("first_kid")?, row.get("last_kid")?),
        })
    }

    /// Reads the state of trust by one statement.
    ///
    /// Revocations are those past `cursor` if `epoch` is the database's, else all.
    pub async fn sync(&self, epoch: i64, cursor: i64, limit: usize) -> Result<SyncRead, Error> {
        let rows = self
            .db
            .fetch_all(self.sync_statement(), args![epoch, cursor, limit as i64])
            .await?;
        let mut read = SyncRead::default();
        for row in &rows {
            match row.get::<i64>("part")? {
                STATE => {
                    read.primary = row.get("is_primary")?;
                    read.epoch = row.get("n1")?;
                    read.counter = row.get("n2")?;
                }
                PUBLISHED => read.keys.push(key(row)?),
                _ => read.revocations.push(revocation(row)?),
            }
        }
        // The parts of a union come in any order.
        read.revocations.sort_unstable_by_key(|revocation| revocation.number);
        Ok(read)
    }

    fn sync_statement(&self) -> String {
        let primary = self.db.primary_check();
        format!(
            "SELECT 0 AS part, {primary} AS is_primary, epoch AS n1, counter AS n2, CAST(NULL AS BIGINT) AS n3,
                    CAST(NULL AS BIGINT) AS n4, CAST(NULL AS TEXT) AS name, CAST(NULL AS BYTEA) AS bytes,
                    CAST(NULL AS BYTEA) AS more_bytes
             FROM trust_state WHERE id = 1
             UNION ALL
             SELECT 1, {primary}, created_at, signs_from, retired_at, NULL, kid, public_key, private_key
             FROM signing_keys WHERE retired_at IS NULL
             UNION ALL
             SELECT 2, {primary}, number, kind, floor, expires_at, NULL, subject, NULL
             FROM (SELECT number, kind, subject, floor, expires_at FROM revocations
                   WHERE number > (SELECT CASE WHEN epoch = $1 THEN $2 ELSE 0 END FROM trust_state WHERE id = 1)
                   ORDER BY number LIMIT $3) AS later"
        )
    }
}

fn key(row: &Row) -> Result<StoredKey, Error> {
    Ok(StoredKey {
        kid: row.get("name")?,
        public_key: row.get("bytes")?,
        private_key: row.get::<Option<_>>("more_bytes")?.map(Zeroizing::new),
        created_at: row.get("n1")?,
        signs_from: row.get("n2")?,
        retired_at: row.get("n3")?,
    })
}

fn revocation(row: &Row) -> Result<RevocationRow, Error> {
    let bytes: Vec<u8> = row.get("bytes")?;
    let id = Uuid::from_slice(&bytes).unwrap_or_default();
    let subject = match row.get::<i64>("n2")? {
        KEY => Subject::Key(String::from_utf8_lossy(&bytes).into()),
        TOKEN => Subject::Token(id),
        _ => Subject::User(id, row.get::<Option<i64>>("n3")?.unwrap_or(i64::MAX)),
    };
    Ok(RevocationRow {
        number: row.get("n1")?,
        subject,
        expires_at: row.get::<Option<i64>>("n4")?.and_then(NonZeroI64::new),
    })
}
