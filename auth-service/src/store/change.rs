//! Transactions that change what users may do, or which keys are trusted.

use chrono::{DateTime, Utc};
use database::{Error, Transaction, args};
use proto::auth::v1::audit_event::Kind;

use super::{FLOOR_LIFETIME, NewUser, Store, audit::insert_events, users::record};
use crate::{
    audit::{AuditEvent, Origin},
    domain::{UserId, UserRecord},
    passwords::PasswordHash,
};

/// A revocation of one token.
pub(super) const TOKEN: i64 = 1;
/// A user's generation floor.
pub(super) const USER: i64 = 2;
/// A retired signing key.
pub(super) const KEY: i64 = 3;

/// A transaction that may revoke.
///
/// It begins by taking a number from the counter, so such transactions run one after the other: what one reads, no
/// other changes before it commits, and its revocations become visible in the order of their numbers. Dropped without
/// a commit, it did nothing.
pub struct Change {
    pub(super) tx: Transaction,
    pub(super) at: DateTime<Utc>,
    number: Option<i64>,
    events: Vec<AuditEvent>,
}

/// A user inside a change.
#[derive(Clone, Debug)]
pub struct StoredUser {
    /// What may be shown of it.
    pub record: UserRecord,
    /// The generation that its good tokens carry.
    pub generation: i64,
}

impl Store {
    /// Begins a change at a moment.
    pub async fn begin_change(&self, at: DateTime<Utc>) -> Result<Change, Error> {
        let mut tx = self.db.begin().await?;
        let number = Some(take_numbers(&mut tx, 1).await?);
        Ok(Change {
            tx,
            at,
            number,
            events: Vec::new(),
        })
    }

    /// Adds a user.
    ///
    /// [`Error::Unique`] when its address is registered: of several at the same moment, one succeeds.
    pub async fn register(&self, user: &NewUser, origin: &Origin) -> Result<(), Error> {
        let at = user.registered_at;
        let mut tx = self.db.begin().await?;
        tx.execute(
            "INSERT INTO users (id, email, email_key, password_hash, admin, disabled, token_generation, registered_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            args![
                user.id,
                user.email.as_str(),
                user.email.key(),
                user.password_hash.as_str(),
                user.admin,
                false,
                FIRST_GENERATION,
                at.timestamp_micros()
            ],
        )
        .await?;
        let event = origin.success(Kind::Registration, user.id, at);
        insert_events(&mut tx, std::slice::from_ref(&event)).await?;
        tx.commit().await?;
        event.log();
        Ok(())
    }
}

/// What a new user's tokens carry.
pub const FIRST_GENERATION: i64 = 1;

/// Takes numbers from the counter and answers the first. Nothing may come before it in a transaction that revokes.
pub(super) async fn take_numbers(tx: &mut Transaction, count: i64) -> Result<i64, Error> {
    let sql = "UPDATE trust_state SET counter = counter + $1 WHERE id = 1 RETURNING counter";
    let last: i64 = tx.fetch_one(sql, args![count]).await?.get("counter")?;
    Ok(last - count + 1)
}

impl Change {
    /// A user as it is now, and will be until this change ends.
    pub async fn user(&mut self, id: UserId) -> Result<Option<StoredUser>, Error> {
        let sql = "SELECT id, email, admin, disabled, registered_at, token_generation FROM users WHERE id = $1";
        let row = self.tx.fetch_optional(sql, args![id]).await?;
        row.map(|row| {
            Ok(StoredUser {
                record: record(&row)?,
                generation: row.get("token_generation")?,
            })
        })
        .transpose()
    }

    /// How many administrators can log in.
    pub async fn enabled_administrators(&mut self) -> Result<i64, Error> {
        let sql = "SELECT count(*) AS n FROM users WHERE admin AND NOT disabled";
        self.tx.fetch_one(sql, args![]).await?.get("n")
    }

    /// Writes a user's roles. Tokens are not touched: that is [`Change::kill_tokens`].
    pub async fn set_roles(&mut self, id: UserId, admin: bool, disabled: bool) -> Result<(), Error> {
        let sql = "UPDATE users SET admin = $1, disabled = $2 WHERE id = $3";
        self.tx.execute(sql, args![admin, disabled, id]).await?;
        Ok(())
    }

    /// Writes a user's password if its generation is still the one that was read with the old password. Tokens are not
    /// touched.
    pub async fn set_password(&mut self, id: UserId, read: i64, hash: &PasswordHash) -> Result<bool, Error> {
        let sql = "UPDATE users SET password_hash = $1 WHERE id = $2 AND token_generation = $3";
        Ok(self.tx.execute(sql, args![hash.as_str(), id, read]).await? == 1)
    }

    /// Kills all of a user's tokens and answers the generation that new ones carry. `None` without the user.
    pub async fn kill_tokens(&mut self, id: UserId) -> Result<Option<i64>, Error> {
        let sql = "UPDATE users SET token_generation = token_generation + 1 WHERE id = $1 RETURNING token_generation";
        let Some(row) = self.tx.fetch_optional(sql, args![id]).await? else {
            return Ok(None);
        };
        let generation = row.get("token_generation")?;
        self.raise_floor(id, generation).await?;
        Ok(Some(generation))
    }

    /// Deletes a user and kills all of its tokens for good.
    pub async fn delete(&mut self, id: UserId) -> Result<(), Error> {
        self.tx.execute("DELETE FROM users WHERE id = $1", args![id]).await?;
        self.raise_floor(id, i64::MAX).await
    }

    /// Notes what happened, to be stored with the rest.
    pub fn note(&mut self, event: AuditEvent) {
        self.events.push(event);
    }

    /// Makes everything so, at once.
    pub async fn commit(mut self) -> Result<(), Error> {
        insert_events(&mut self.tx, &self.events).await?;
        self.tx.commit().await?;
        self.events.iter().for_each(AuditEvent::log);
        Ok(())
    }

    async fn raise_floor(&mut self, id: UserId, floor: i64) -> Result<(), Error> {
        let expires_at = self.at.timestamp_micros() + FLOOR_LIFETIME;
        self.revoke(USER, id.as_bytes().to_vec(), Some(floor), Some(expires_at))
            .await
    }

    pub(super) async fn revoke(
        &mut self,
        kind: i64,
        subject: Vec<u8>,
        floor: Option<i64>,
        expires_at: Option<i64>,
    ) -> Result<(), Error> {
        let number = match self.number.take() {
            Some(number) => number,
            None => take_numbers(&mut self.tx, 1).await?,
        };
        let sql = "INSERT INTO revocations (number, kind, subject, floor, expires_at) VALUES ($1, $2, $3, $4, $5)";
        self.tx
            .execute(sql, args![number, kind, subject, floor, expires_at])
            .await?;
        Ok(())
    }
}
