//! Reading users.

use chrono::{DateTime, Utc};
use database::{Error, Row, args};
use uuid::Uuid;

use super::{
    Store,
    values::{list_of, time},
};
use crate::{
    domain::{Email, UserId, UserRecord},
    passwords::PasswordHash,
};

/// A user to be stored.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// A fresh id.
    pub id: UserId,
    /// The address.
    pub email: Email,
    /// The hashed password.
    pub password_hash: PasswordHash,
    /// Whether it is an administrator.
    pub admin: bool,
    /// When it registers.
    pub registered_at: DateTime<Utc>,
}

/// What a login is decided by and what its token will say, read from one row at one moment.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user's id.
    pub id: UserId,
    /// The canonical address, by which attempts are throttled.
    pub email_key: String,
    /// The hash of the password that is good.
    pub password_hash: PasswordHash,
    /// Whether the user is an administrator.
    pub admin: bool,
    /// Whether the user is kept from logging in.
    pub disabled: bool,
    /// The generation that a token from this reading carries.
    pub generation: i64,
}

/// Where a page of users begins: users are ordered by registration, then id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserPosition {
    /// At the oldest.
    Start,
    /// After this user.
    After(i64, UserId),
    /// Before this user, backwards.
    Before(i64, UserId),
}

const CREDENTIALS: &str = "SELECT id, email_key, password_hash, admin, disabled, token_generation FROM users";
const RECORD: &str = "SELECT id, email, admin, disabled, registered_at FROM users";

impl Store {
    /// What logging in as a canonical address takes.
    pub async fn credentials_by_address(&self, email_key: &str) -> Result<Option<Credentials>, Error> {
        let row = self
            .db
            .fetch_optional(format!("{CREDENTIALS} WHERE email_key = $1"), args![email_key])
            .await?;
        row.as_ref().map(credentials).transpose()
    }

    /// What a user's password is checked against.
    pub async fn credentials_by_id(&self, id: UserId) -> Result<Option<Credentials>, Error> {
        let row = self
            .db
            .fetch_optional(format!("{CREDENTIALS} WHERE id = $1"), args![id])
            .await?;
        row.as_ref().map(credentials).transpose()
    }

    /// A user.
    pub async fn user(&self, id: UserId) -> Result<Option<UserRecord>, Error> {
        let row = self
            .db
            .fetch_optional(format!("{RECORD} WHERE id = $1"), args![id])
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The id of the user with a canonical address.
    pub async fn user_id(&self, email_key: &str) -> Result<Option<UserId>, Error> {
        let row = self
            .db
            .fetch_optional("SELECT id FROM users WHERE email_key = $1", args![email_key])
            .await?;
        row.as_ref().map(|row| row.get("id")).transpose()
    }

    /// The addresses of those of the users that exist.
    pub async fn addresses(&self, ids: &[UserId]) -> Result<Vec<(UserId, String)>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT id, email FROM users WHERE id IN ({})", list_of(ids.len()));
        let rows = self
            .db
            .fetch_all(sql, ids.iter().map(|id| (*id).into()).collect())
            .await?;
        rows.iter().map(|row| Ok((row.get("id")?, row.get("email")?))).collect()
    }

    /// At most `limit` users from a position on, in the order of reading: backwards from [`UserPosition::Before`].
    pub async fn users(&self, position: UserPosition, limit: u32) -> Result<Vec<UserRecord>, Error> {
        let limit = i64::from(limit);
        let rows = match position {
            UserPosition::Start => {
                let sql = format!("{RECORD} ORDER BY registered_at, id LIMIT $1");
                self.db.fetch_all(sql, args![limit]).await?
            }
            UserPosition::After(at, id) => {
                let sql = format!("{RECORD} WHERE (registered_at, id) > ($1, $2) ORDER BY registered_at, id LIMIT $3");
                self.db.fetch_all(sql, args![at, id, limit]).await?
            }
            UserPosition::Before(at, id) => {
                let sql = format!(
                    "{RECORD} WHERE (registered_at, id) < ($1, $2) ORDER BY registered_at DESC, id DESC LIMIT $3"
                );
                self.db.fetch_all(sql, args![at, id, limit]).await?
            }
        };
        rows.iter().map(record).collect()
    }

    /// How many users there are.
    pub async fn count_users(&self) -> Result<i64, Error> {
        self.db
            .fetch_one("SELECT count(*) AS n FROM users", args![])
            .await?
            .get("n")
    }

    /// Whether there is any administrator, enabled or not.
    pub async fn has_administrator(&self) -> Result<bool, Error> {
        let sql = "SELECT id FROM users WHERE admin LIMIT 1";
        Ok(self.db.fetch_optional(sql, args![]).await?.is_some())
    }

    /// Replaces a password's hash by another of the same password, unless the password was changed since: neither the
    /// user nor its tokens notice.
    pub async fn rehash(&self, id: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, Error> {
        let sql = "UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3";
        Ok(self.db.execute(sql, args![new.as_str(), id, old.as_str()]).await? == 1)
    }
}

fn credentials(row: &Row) -> Result<Credentials, Error> {
    Ok(Credentials {
        id: row.get("id")?,
        email_key: row.get("email_key")?,
        password_hash: PasswordHash::from_stored(row.get("password_hash")?),
        admin: row.get("admin")?,
        disabled: row.get("disabled")?,
        generation: row.get("token_generation")?,
    })
}

pub(super) fn record(row: &Row) -> Result<UserRecord, Error> {
    Ok(UserRecord {
        id: row.get::<Uuid>("id")?,
        email: row.get("email")?,
        admin: row.get("admin")?,
        disabled: row.get("disabled")?,
        registered_at: time(row, "registered_at")?,
    })
}
