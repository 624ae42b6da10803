//! How secrets lie in the database.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, Salt},
    rand,
};
use service_kit::config::Secret;
use zeroize::Zeroizing;

/// The first byte of what is stored as it is.
const PLAIN: u8 = 0;
/// The first byte of what is sealed: a nonce and the ciphertext with its tag follow.
const SEALED: u8 = 1;

const INFO: &[u8] = b"gatehouse: secrets in the auth database, v1";

/// Seals secrets by AES-256-GCM under a key that HKDF-SHA-256 makes of `AUTH_KEY_SECRET`, or stores them as they are
/// when there is none.
pub struct Sealer(Option<LessSafeKey>);

/// Why a stored secret cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is sealed, and no secret is given.
    #[error("it is sealed and AUTH_KEY_SECRET is not set")]
    NoSecret,
    /// It is sealed with another secret, or damaged.
    #[error("it was sealed with another AUTH_KEY_SECRET")]
    OtherSecret,
    /// It is nothing that was ever stored.
    #[error("its form is not known")]
    Unknown,
    /// The library failed.
    #[error("the cipher failed")]
    Cipher,
}

impl Sealer {
    /// Seals with a secret if there is one.
    ///
    /// # Errors
    /// When the library fails.
    pub fn new(secret: Option<&Secret>) -> Result<Self, SealError> {
        let Some(secret) = secret else {
            return Ok(Self(None));
        };
        let extracted = Salt::new(HKDF_SHA256, &[]).extract(secret.expose().as_bytes());
        let mut bytes = Zeroizing::new([0_u8; 32]);
        extracted
            .expand(&[INFO], &AES_256_GCM)
            .and_then(|okm| okm.fill(bytes.as_mut()))
            .and_then(|()| UnboundKey::new(&AES_256_GCM, bytes.as_ref()))
            .map(|key| Self(Some(LessSafeKey::new(key))))
            .map_err(cipher)
    }

    /// What to store of a secret. `name` says whose it is: sealed under one name, it does not open under another.
    ///
    /// # Errors
    /// When the library fails.
    pub fn seal(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let Some(key) = &self.0 else {
            return Ok([&[PLAIN], secret].concat());
        };
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(cipher)?;
        let mut body = secret.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(name.as_bytes()),
            &mut body,
        )
        .map_err(cipher)?;
        Ok([&[SEALED], &nonce[..], &body].concat())
    }

    /// Reads what was stored, sealed or not.
    ///
    /// # Errors
    /// When it is sealed and this is not the secret.
    pub fn open(&self, name: &str, stored: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (form, body) = stored.split_first().ok_or(SealError::Unknown)?;
        match (*form, &self.0) {
            (PLAIN, _) => Ok(Zeroizing::new(body.to_vec())),
            (SEALED, None) => Err(SealError::NoSecret),
            (SEALED, Some(key)) => unseal(key, name, body),
            _ => Err(SealError::Unknown),
        }
    }

    /// Whether something is stored in another form than it would be now.
    pub fn would_reseal(&self, stored: &[u8]) -> bool {
        self.0.is_some() && stored.first() == Some(&PLAIN)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "Sealer(redacted)"
        } else {
            "Sealer(none)"
        })
    }
}

fn unseal(key: &LessSafeKey, name: &str, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, sealed) = body.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Unknown)?;
    let mut opened = Zeroizing::new(sealed.to_vec());
    let length = key
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(name.as_bytes()),
            &mut opened,
        )
        .map_err(|_| SealError::OtherSecret)?
        .len();
    opened.truncate(length);
    Ok(opened)
}

fn cipher(_: Unspecified) -> SealError {
    SealError::Cipher
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(secret: &str) -> Sealer {
        Sealer::new(Some(&Secret::new(secret))).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_only_with_its_secret_and_name() {
        let sealed = sealer("one secret").seal("kid-1", b"private").unwrap();

        assert!(!sealed.windows(7).any(|window| window == b"private"));
        assert_eq!(
            sealer("one secret").open("kid-1", &sealed).unwrap().as_slice(),
            b"private"
        );
        assert_eq!(sealer("another").open("kid-1", &sealed), Err(SealError::OtherSecret));
        assert_eq!(sealer("one secret").open("kid-2", &sealed), Err(SealError::OtherSecret));
        assert_eq!(
            Sealer::new(None).unwrap().open("kid-1", &sealed),
            Err(SealError::NoSecret)
        );
    }

    #[test]
    fn any_damage_is_noticed() {
        let sealed = sealer("secret").seal("kid", b"private").unwrap();

        for at in 1..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(sealer("secret").open("kid", &damaged).is_err(), "{at}");
        }
        assert_eq!(sealer("secret").open("kid", &[]), Err(SealError::Unknown));
    }

    #[test]
    fn without_a_secret_it_is_stored_as_it_is_until_there_is_one() {
        let plain = Sealer::new(None).unwrap();
        let stored = plain.seal("kid", b"private").unwrap();

        assert_eq!(plain.open("kid", &stored).unwrap().as_slice(), b"private");
        assert!(!plain.would_reseal(&stored));
        assert!(sealer("secret").would_reseal(&stored));
        assert_eq!(sealer("secret").open("kid", &stored).unwrap().as_slice(), b"private");
    }
}
