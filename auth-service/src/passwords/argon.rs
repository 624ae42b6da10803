//! Argon2id and its PHC strings.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{self, phc},
};
use subtle::ConstantTimeEq;

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
#[derive(Debug)]
pub(super) struct Hasher {
    params: Params,
    arenas: Arenas,
    /// Blocks of 1 KiB that were filled so far, counted once for each pass over them.
    filled: AtomicU64,
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
        Ok(Self {
            params: Params::new(params.memory, params.passes, params.lanes, None)?,
            arenas: Arenas::default(),
            filled: AtomicU64::default(),
        })
    }

    /// With a random salt of 16 bytes.
    pub(super) fn hash(&self, password: &Password) -> password_hash::Result<PasswordHash> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let salt = phc::Salt::generate();
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        self.run(&argon2, password, &salt, &mut output)?;
        let hash = phc::PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: phc::ParamsString::try_from(&self.params)?,
            salt: Some(salt),
            hash: Some(phc::Output::new(&output)?),
        };
        Ok(PasswordHash(hash.to_string()))
    }

    /// A wrong password costs a hash under the parameters of today, whichever the stored one was made with: else the
    /// time would tell an old account from none.
    pub(super) fn verify(&self, password: &Password, hash: &PasswordHash) -> password_hash::Result<Verdict> {
        let stored = phc::PasswordHash::new(&hash.0)?;
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return Err(password_hash::Error::EncodingInvalid);
        };
        let version = stored.version.map_or(Ok(Version::default()), Version::try_from)?;
        let params = Params::try_from(&stored)?;
        let argon2 = Argon2::new(Algorithm::try_from(stored.algorithm.as_str())?, version, params);
        let mut output = vec![0; expected.len()];
        self.run(&argon2, password, salt, &mut output)?;

        if !bool::from(output.ct_eq(expected.as_bytes())) {
            self.make_up_for(argon2.params(), password, salt)?;
            return Ok(Verdict::Wrong);
        }
        match self.is_cheaper(&stored, argon2.params()) {
            true => Ok(Verdict::Rehashed(self.hash(password)?)),
            false => Ok(Verdict::Right),
        }
    }

    /// Works for as long as a hash under these parameters falls short of one of today.
    fn make_up_for(&self, params: &Params, password: &Password, salt: &[u8]) -> argon2::Result<()> {
        let passes = self.params.t_cost();
        let missing = work(&self.params).saturating_sub(work(params)) / u64::from(passes);
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        if missing < Params::MIN_M_COST {
            return Ok(());
        }
        let rest = Params::new(missing, passes, 1, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, rest);
        self.run(&argon2, password, salt, &mut [0; Params::DEFAULT_OUTPUT_LEN])
    }

    /// Blocks of 1 KiB that were filled so far: what hashing has cost, independent of the machine.
    pub(super) fn filled(&self) -> u64 {
        self.filled.load(Ordering::Relaxed)
    }

    fn run(&self, argon2: &Argon2<'_>, password: &Password, salt: &[u8], output: &mut [u8]) -> argon2::Result<()> {
        let mut arena = self.arenas.take(argon2.params().block_count());
        let outcome = argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut arena[..]);
        self.arenas.give_back(arena);
        self.filled.fetch_add(work(argon2.params()), Ordering::Relaxed);
        outcome
    }

    fn is_cheaper(&self, stored: &phc::PasswordHash, params: &Params) -> bool {
        stored.algorithm != Algorithm::Argon2id.ident()
            || stored.version != Some(Version::V0x13.into())
            || params.m_cost() < self.params.m_cost()
            || params.t_cost() < self.params.t_cost()
    }
}

/// Blocks that a hash fills, in all its passes.
fn work(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}

/// How much memory is kept for the next hash: as much as this many of them take.
const KEPT: usize = 2;

/// Memory that was used before. Getting 19 MiB from the system page by page takes a good part of a hash's time, and an
/// uneven one.
#[derive(Debug, Default)]
struct Arenas(Mutex<Vec<Vec<Block>>>);

impl Arenas {
    /// Memory of so many blocks. What is in it does not matter: the first pass writes every block.
    fn take(&self, blocks: usize) -> Vec<Block> {
        let mut arena = self.lock().pop().unwrap_or_default();
        arena.resize_with(blocks, Block::new);
        arena
    }

    fn give_back(&self, arena: Vec<Block>) {
        let mut kept = self.lock();
        if kept.len() < KEPT {
            kept.push(arena);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
