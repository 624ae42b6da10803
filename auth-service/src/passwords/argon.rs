//! Argon2id and its PHC strings.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc},
};

use crate::domain::Password;

/// What an Argon2id hash costs. The default is the least that OWASP recommends: 19 MiB, 2 passes, 1 lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashParams {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashParams {
    fn default() -> Self {
        Self {
            memory: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

/// A password's hash as a PHC string with its salt and parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a stored PHC string.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The PHC string, to be stored and never to be shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(redacted)")
    }
}

/// Hashes and verifies on the calling thread, for as long as that takes.
#[derive(Clone, Debug)]
pub(super) struct Hasher {
    argon2: Argon2<'static>,
    params: HashParams,
}

/// Whether a password is the one that was hashed.
pub(super) enum Verdict {
    Wrong,
    Right,
    /// Right, and here is its hash under the parameters of today.
    Rehashed(PasswordHash),
}

impl Hasher {
    pub(super) fn new(params: HashParams) -> argon2::Result<Self> {
        let argon = Params::new(params.memory, params.passes, params.lanes, None)?;
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, argon),
            params,
        })
    }

    /// With a random salt of 16 bytes.
    pub(super) fn hash(&self, password: &Password) -> password_hash::Result<PasswordHash> {
        let hash = self.argon2.hash_password(password.as_bytes())?;
        Ok(PasswordHash(hash.to_string()))
    }

    pub(super) fn verify(&self, password: &Password, hash: &PasswordHash) -> password_hash::Result<Verdict> {
        let parsed = phc::PasswordHash::new(&hash.0)?;
        match self.argon2.verify_password(password.as_bytes(), &parsed) {
            Err(password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
            Err(error) => Err(error),
            Ok(()) if self.is_cheaper(&parsed) => Ok(Verdict::Rehashed(self.hash(password)?)),
            Ok(()) => Ok(Verdict::Right),
        }
    }

    fn is_cheaper(&self, hash: &phc::PasswordHash) -> bool {
        let Ok(of_hash) = Params::try_from(hash) else {
            return true;
        };
        hash.algorithm != Algorithm::Argon2id.ident()
            || hash.version != Some(Version::V0x13.into())
            || of_hash.m_cost() < self.params.memory
            || of_hash.t_cost() < self.params.passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashParams = HashParams {
        memory: 64,
        passes: 2,
        lanes: 1,
    };

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[test]
    fn the_stored_text_names_argon2id_its_costs_and_a_salt_of_16_bytes() {
        let hash = Hasher::new(HashParams::default())
            .unwrap()
            .hash(&password("some password"))
            .unwrap();

        let parsed = phc::PasswordHash::new(hash.as_str()).unwrap();
        assert!(
            hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.as_str()
        );
        assert_eq!(parsed.salt.unwrap().len(), 16);
        assert_eq!(format!("{hash:?}"), "PasswordHash(redacted)");
    }

    #[test]
    fn only_the_right_password_verifies() {
        let hasher = Hasher::new(CHEAP).unwrap();
        let hash = hasher
            .hash(&password("a long password, to the last letter: x"))
            .unwrap();

        let verdict = |text: &str| hasher.verify(&password(text), &hash).unwrap();
        assert!(matches!(
            verdict("a long password, to the last letter: x"),
            Verdict::Right
        ));
        assert!(matches!(
            verdict("a long password, to the last letter: y"),
            Verdict::Wrong
        ));
    }

    #[test]
    fn a_cheaper_hash_is_replaced_and_a_dearer_one_kept() {
        let word = password("some password");
        let old = Hasher::new(CHEAP).unwrap().hash(&word).unwrap();
        let dearer = Hasher::new(HashParams { passes: 3, ..CHEAP }).unwrap();

        let Verdict::Rehashed(new) = dearer.verify(&word, &old).unwrap() else {
            panic!("not rehashed");
        };
        assert!(matches!(dearer.verify(&word, &new).unwrap(), Verdict::Right));
        assert!(matches!(
            Hasher::new(CHEAP).unwrap().verify(&word, &new).unwrap(),
            Verdict::Right
        ));
    }
}
