use tonic::{Request, Status};
use uuid::Uuid;

use crate::Claims;

/// The user that a request speaks for, as its token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's id.
    pub user_id: Uuid,
    /// Whether the user is an administrator.
    pub admin: bool,
    /// The token's own id.
    pub token_id: Uuid,
    /// The user's token generation at login.
    pub generation: i64,
    /// When the token was issued, in seconds since the epoch.
    pub issued_at: i64,
    /// When the token stops being good, in seconds since the epoch.
    pub expires_at: i64,
}

impl Caller {
    /// The caller of a request that came through an [`AccessLayer`](crate::AccessLayer), for methods with access `USER`
    /// or `ADMIN`.
    ///
    /// # Errors
    /// INTERNAL for any other request: that is a mistake in the service, and it is logged as one.
    pub fn of<T>(request: &Request<T>) -> Result<&Self, Status> {
        request.extensions().get().ok_or_else(|| {
            tracing::error!("a handler asks for the caller of a method that needs none, or has no access layer");
            super::refusal::internal()
        })
    }
}

impl From<&Claims> for Caller {
    fn from(claims: &Claims) -> Self {
        Self {
            user_id: claims.user_id,
            admin: claims.admin,
            token_id: claims.token_id,
            generation: claims.generation,
            issued_at: claims.issued_at,
            expires_at: claims.expires_at,
        }
    }
}
