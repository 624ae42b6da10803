//! Issuing tokens.

use std::{sync::Arc, time::Duration};

use access_token::{Claims, Trust, mint};
use proto::auth::v1::AccessToken;
use service_kit::clock::SharedClock;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{error::Error, keys::KeyRing};

/// Signs tokens with the key whose turn it is.
#[derive(Clone)]
pub(crate) struct TokenIssuer {
    /// `AUTH_ISSUER`.
    pub(crate) issuer: String,
    /// `AUTH_AUDIENCE`.
    pub(crate) audience: String,
    /// `AUTH_TOKEN_TTL`, whole seconds.
    pub(crate) ttl: Duration,
    /// What is revoked.
    pub(crate) trust: Trust,
    /// The keys.
    pub(crate) ring: Arc<KeyRing>,
    /// The time.
    pub(crate) clock: SharedClock,
}

/// What a token will say of a user: all from one reading of its row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    /// The user.
    pub(crate) user: Uuid,
    /// Whether it is an administrator.
    pub(crate) admin: bool,
    /// Its generation.
    pub(crate) generation: i64,
    /// The time from before the reading, in seconds since the epoch.
    pub(crate) issued_at: i64,
}

/// A key that may sign at this moment.
pub(crate) struct Signer<'a> {
    issuer: &'a TokenIssuer,
    key: Arc<mint::SigningKey>,
}

impl TokenIssuer {
    /// Takes the key from a view of now: a key that was retired before is not used.
    ///
    /// # Errors
    /// [`Error::TrustUnavailable`] when there is no such view.
    pub(crate) async fn signer(&self) -> Result<Signer<'_>, Error> {
        let view = self.trust.fresh(Instant::now()).await?;
        let key = self
            .ring
            .signer(self.clock.now().timestamp_micros())
            .filter(|key| !view.is_retired(key.kid()))
            .ok_or_else(|| Error::internal("there is no key to sign with"))?;
        Ok(Signer { issuer: self, key })
    }

    /// The time to give as [`Subject::issued_at`], to be taken before the user is read.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }
}

impl Signer<'_> {
    /// Issues a token.
    ///
    /// # Errors
    /// When the library fails.
    pub(crate) fn issue(&self, subject: Subject) -> Result<AccessToken, Error> {
        let lifetime = i64::try_from(self.issuer.ttl.as_secs()).unwrap_or(i64::MAX);
        let claims = Claims {
            issuer: self.issuer.issuer.clone(),
            user_id: subject.user,
            audience: self.issuer.audience.clone(),
            issued_at: subject.issued_at,
            expires_at: subject.issued_at.saturating_add(lifetime),
            not_before: None,
            token_id: Uuid::new_v4(),
            admin: subject.admin,
            generation: subject.generation,
        };
        Ok(AccessToken {
            access_token: mint::sign(&self.key, &claims).map_err(Error::internal)?,
            token_type: "Bearer".to_owned(),
            expires_in: i32::try_from(lifetime).unwrap_or(i32::MAX),
        })
    }
}
