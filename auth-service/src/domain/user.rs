//! Users as they are stored.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A user's id: a version 4 UUID that never changes.
pub type UserId = Uuid;

/// A user without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// The user's id.
    pub id: UserId,
    /// The address, as it was written at registration.
    pub email: String,
    /// Whether the user is an administrator.
    pub admin: bool,
    /// Whether the user is kept from logging in.
    pub disabled: bool,
    /// When the user registered.
    pub registered_at: DateTime<Utc>,
}
