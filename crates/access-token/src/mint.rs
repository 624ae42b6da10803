//! Making tokens and keys: what the auth service does, and tests.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use zeroize::Zeroizing;

use crate::Claims;

/// Why there is no key or token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no Ed25519 key in PKCS#8.
    #[error("not an Ed25519 key in PKCS#8")]
    Key,
    /// The key could not be made.
    #[error("no key could be generated")]
    Generate,
    /// The token could not be signed.
    #[error("the token could not be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// An Ed25519 key that signs tokens. The private half is wiped from memory on drop and never printed.
#[derive(Clone)]
pub struct SigningKey {
    kid: Arc<str>,
    public_key: [u8; 32],
    private: EncodingKey,
}

impl SigningKey {
    /// Makes a new random key.
    ///
    /// # Errors
    /// [`Error::Generate`] when the system gives no randomness.
    pub fn generate() -> Result<Self, Error> {
        let pair = Ed25519KeyPair::generate().map_err(|_| Error::Generate)?;
        Self::of(&pair)
    }

    /// Reads what [`pkcs8`](Self::pkcs8) gave.
    ///
    /// # Errors
    /// [`Error::Key`] when it is anything else.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| Error::Key)?;
        Self::of(&pair)
    }

    /// The key of a 32-byte seed (RFC 8032), the same one each time.
    ///
    /// # Errors
    /// [`Error::Key`] when the library refuses the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::Key)?;
        Self::of(&pair)
    }

    fn of(pair: &Ed25519KeyPair) -> Result<Self, Error> {
        let der = pair.to_pkcs8v1().map_err(|_| Error::Generate)?;
        let public_key = pair.public_key().as_ref().try_into().map_err(|_| Error::Key)?;
        Ok(Self {
            kid: thumbprint(&public_key).into(),
            public_key,
            private: EncodingKey::from_ed_der(der.as_ref()),
        })
    }

    /// The private key as PKCS#8 version 1: for sealing and storing, nothing else.
    pub fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.private.as_bytes().to_vec())
    }

    /// The key's id: its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// The signature of a message, base64url.
    ///
    /// # Errors
    /// [`Error::Sign`] when the library fails.
    pub fn signature(&self, message: &[u8]) -> Result<String, Error> {
        Ok(jsonwebtoken::crypto::sign(message, &self.private, Algorithm::EdDSA)?)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// Signs a token of type `at+jwt` (RFC 9068).
///
/// # Errors
/// [`Error::Sign`] when the library fails.
pub fn sign(key: &SigningKey, claims: &Claims) -> Result<String, Error> {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(key.kid.to_string());
    Ok(jsonwebtoken::encode(&header, claims, &key.private)?)
}

/// The RFC 7638 thumbprint of an Ed25519 key, by which tokens name it: 43 characters of base64url.
pub fn thumbprint(public_key: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public_key);
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, members.as_bytes()))
}
