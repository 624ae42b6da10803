//! Tokens for tests, good and bad.

use std::sync::Arc;

use access_token::{
    Claims, Now,
    mint::{self, SigningKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proto::auth::v1 as pb;
use uuid::Uuid;

/// The issuer and the audience that services have by default.
pub const ISSUER: &str = "https://gatehouse.local";
/// See [`ISSUER`].
pub const AUDIENCE: &str = "gatehouse";

/// Signs tokens with a known key.
#[derive(Clone, Debug)]
pub struct TokenMint {
    /// The key that signs.
    pub key: SigningKey,
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its tokens.
    pub audience: String,
}

impl Default for TokenMint {
    fn default() -> Self {
        Self::of_seed(7)
    }
}

impl TokenMint {
    /// A mint for the default issuer and audience whose key follows from a number.
    pub fn of_seed(seed: u8) -> Self {
        Self::with_key(SigningKey::from_seed(&[seed; 32]).expect("any 32 bytes are a seed"))
    }

    /// A mint for the default issuer and audience with a key of one's own.
    pub fn with_key(key: SigningKey) -> Self {
        Self {
            key,
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
        }
    }

    /// Claims of a new user, good for an hour from `now` (seconds since the epoch), with random ids and generation 1.
    pub fn claims(&self, now: i64) -> Claims {
        Claims {
            issuer: self.issuer.clone(),
            user_id: Uuid::new_v4(),
            audience: self.audience.clone(),
            issued_at: now,
            expires_at: now + 3600,
            not_before: None,
            token_id: Uuid::new_v4(),
            admin: false,
            generation: 1,
        }
    }

    /// Signs claims as the auth service does.
    pub fn sign(&self, claims: &Claims) -> String {
        mint::sign(&self.key, claims).expect("a good key signs")
    }

    /// A good token of a new user.
    pub fn user(&self, now: i64) -> String {
        self.sign(&self.claims(now))
    }

    /// A good token of a new administrator.
    pub fn admin(&self, now: i64) -> String {
        self.sign(&Claims {
            admin: true,
            ..self.claims(now)
        })
    }

    /// Signs any header and payload, JSON or not.
    pub fn raw(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.key.signature(signed.as_bytes()).expect("a good key signs");
        format!("{signed}.{signature}")
    }

    /// The mint's key as a Sync reply has it.
    pub fn verifying_key(&self) -> pb::VerifyingKey {
        pb::VerifyingKey {
            kid: self.key.kid().to_owned(),
            public_key: self.key.public_key().to_vec(),
        }
    }

    /// A complete reply of epoch 1 with the mint's key and nothing revoked.
    pub fn sync_response(&self) -> pb::SyncResponse {
        pb::SyncResponse {
            epoch: 1,
            complete: true,
            keys: vec![self.verifying_key()],
            ..Default::default()
        }
    }
}

/// A clock for verifiers that stands still.
pub fn fixed_now(seconds: i64) -> Now {
    Arc::new(move || seconds)
}
