use std::{fmt, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::{Algorithm, DecodingKey};

use super::{
    MAX_LIFETIME, MAX_TOKEN_BYTES,
    cache::{Cache, CacheStats, Digest},
    claims::Claims,
    compact::Compact,
    header::{Header, HeaderError},
    json::Members,
};
use crate::{Caller, Refusal, View};

/// The clock: seconds since the epoch.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How far ahead of our clock `iat` and `nbf` may be, in seconds.
const LEEWAY_AHEAD: i64 = 60;

/// Whose tokens are taken.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// `AUTH_ISSUER`: what `iss` has to be.
    pub issuer: String,
    /// `AUTH_AUDIENCE`: what `aud` has to be.
    pub audience: String,
    /// How many verified tokens are remembered. 0 remembers none.
    pub cache: usize,
}

impl VerifierConfig {
    /// Takes tokens of this issuer for this audience and remembers 16,384 of them (a few MB).
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            cache: 16_384,
        }
    }
}

/// A token whose signature and claims are good. Whether it was revoked is for a [`View`] to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key that signed it.
    pub kid: Arc<str>,
    /// Whom it speaks for.
    pub caller: Caller,
}

/// Why a token is not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It is no good.
    Refused(Refusal),
    /// It names a key that the view does not have and would otherwise pass. A later view may know the key.
    UnknownKey,
}

/// Checks tokens by themselves: form, header, signature, claims and times.
///
/// It opens no connection and reads no file whatever a token says. Verified tokens are remembered, so a repeated token
/// costs no signature check.
pub struct Verifier {
    config: VerifierConfig,
    now: Now,
    cache: Cache,
}

impl Verifier {
    /// Makes a verifier that knows no token yet.
    pub fn new(config: VerifierConfig, now: Now) -> Self {
        let cache = Cache::new(config.cache);
        Self { config, now, cache }
    }

    /// Checks a token with the keys of `view`: any view, since whether a key is still good is checked by the view that
    /// decides the request. `exp` has no leeway: a token is refused at `exp`.
    ///
    /// # Errors
    /// `TOKEN_EXPIRED` only after the signature proved good; else `TOKEN_MALFORMED` or `TOKEN_INVALID`.
    pub fn verify(&self, token: &[u8], view: &View) -> Result<Verified, Rejection> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Rejection::Refused(Refusal::Malformed));
        }
        let digest = sha256(token);
        if let Some(verified) = self.cache.get(&digest) {
            return self.unexpired(verified);
        }
        let verified = self.read(token, view)?;
        self.cache.insert(digest, verified.clone());
        Ok(verified)
    }

    /// How often a token was known already.
    pub fn cache_stats(&self) -> &CacheStats {
        self.cache.stats()
    }

    /// The clock's time, in seconds since the epoch.
    pub fn now(&self) -> i64 {
        (self.now)()
    }

    fn unexpired(&self, verified: Verified) -> Result<Verified, Rejection> {
        if verified.caller.expires_at > self.now() {
            Ok(verified)
        } else {
            Err(Rejection::Refused(Refusal::Expired))
        }
    }

    fn read(&self, token: &[u8], view: &View) -> Result<Verified, Rejection> {
        let parts = Compact::read(token).ok_or(Refusal::Malformed)?;
        let header = Header::read(&parts.header).map_err(|error| match error {
            HeaderError::Malformed => Refusal::Malformed,
            HeaderError::Refused => Refusal::Invalid,
        })?;
        let Some(key) = view.key(&header.kid) else {
            // Nothing proved the claims, so what is wrong with them is not told.
            return Err(self
                .claims(&parts.payload)
                .map_or(Refusal::Invalid.into(), |_| Rejection::UnknownKey));
        };
        if !signed_by(&parts, &key.public_key) {
            return Err(Refusal::Invalid.into());
        }
        let claims = self.claims(&parts.payload)?;
        Ok(Verified {
            kid: key.kid.clone(),
            caller: Caller::from(&claims),
        })
    }

    fn claims(&self, payload: &[u8]) -> Result<Claims, Refusal> {
        let members = Members::read(payload).ok_or(Refusal::Malformed)?;
        let claims = Claims::read(&members).ok_or(Refusal::Invalid)?;
        let ours = claims.issuer == self.config.issuer && claims.audience == self.config.audience;
        let lifetime = claims.expires_at - claims.issued_at;
        let now = self.now();
        let begun = claims.issued_at.max(claims.not_before.unwrap_or(0)) <= now.saturating_add(LEEWAY_AHEAD);
        if !ours || !begun || !(1..=MAX_LIFETIME).contains(&lifetime) {
            return Err(Refusal::Invalid);
        }
        if claims.expires_at <= now {
            return Err(Refusal::Expired);
        }
        Ok(claims)
    }
}

fn signed_by(parts: &Compact<'_>, public_key: &[u8; 32]) -> bool {
    let key = DecodingKey::from_ed_der(public_key);
    let verified = jsonwebtoken::crypto::verify(parts.signature_text, parts.signed, &key, Algorithm::EdDSA);
    parts.signature.len() == 64 && verified.unwrap_or(false)
}

fn sha256(token: &[u8]) -> Digest {
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest(&SHA256, token).as_ref());
    bytes
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Verifier")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
