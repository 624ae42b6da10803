//! How many passwords are hashed at once, and how many may wait.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    HashParams, PasswordHash,
    argon::{Hasher, Verdict},
};
use crate::domain::Password;

/// What is verified when there is nothing to verify against, so that this takes as long.
const DUMMY: &str = "the text that stands in for a password";

/// Hashes passwords on blocking threads: as many at once as there are cores less one, with a bounded queue.
#[derive(Clone, Debug)]
pub struct HashPool {
    hasher: Arc<Hasher>,
    dummy: PasswordHash,
    /// Who hashes.
    working: Arc<Semaphore>,
    /// Who hashes or waits.
    admitted: Arc<Semaphore>,
    waiting: Arc<AtomicI64>,
    hashed: Arc<AtomicU64>,
}

/// A place among those who hash or wait.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

/// Why nothing was hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// As many as allowed are waiting already.
    #[error("too many password hashes are waiting")]
    Busy,
    /// Argon2 or the thread that ran it failed.
    #[error("hashing a password failed: {0}")]
    Failed(String),
}

impl HashPool {
    /// `workers` hash at once (19 MiB each with the default parameters), `queue` more may wait.
    ///
    /// # Errors
    /// Parameters that Argon2 does not know.
    pub fn new(params: HashParams, workers: usize, queue: usize) -> Result<Self, HashError> {
        let hasher = Hasher::new(params).map_err(failed)?;
        let dummy = Password::parse(DUMMY).map_err(failed)?;
        Ok(Self {
            dummy: hasher.hash(&dummy).map_err(failed)?,
            hasher: Arc::new(hasher),
            working: Arc::new(Semaphore::new(workers)),
            admitted: Arc::new(Semaphore::new(workers + queue)),
            waiting: Arc::default(),
            hashed: Arc::default(),
        })
    }

    /// How many wait at this moment.
    pub fn waiting(&self) -> Arc<AtomicI64> {
        self.waiting.clone()
    }

    /// How many were hashed so far.
    pub fn hashed(&self) -> Arc<AtomicU64> {
        self.hashed.clone()
    }

    /// Blocks of 1 KiB that were filled so far: what hashing has cost, independent of the machine.
    pub fn filled(&self) -> u64 {
        self.hasher.filled()
    }

    /// Takes a place. Done before anything else that a password is needed for, it keeps a flood from costing more than
    /// its refusals.
    ///
    /// # Errors
    /// [`HashError::Busy`] when the queue is full.
    pub fn reserve(&self) -> Result<Place, HashError> {
        match self.admitted.clone().try_acquire_owned() {
            Ok(_permit) => Ok(Place { _permit }),
            Err(_) => Err(HashError::Busy),
        }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`HashError::Failed`].
    pub async fn hash(&self, place: Place, password: Password) -> Result<PasswordHash, HashError> {
        self.run(place, move |hasher| hasher.hash(&password)).await
    }

    /// Verifies `password` against `stored`. Where one of the two is missing, a fixed text is verified instead, which
    /// takes as long, and the answer is no.
    ///
    /// # Errors
    /// [`HashError::Failed`].
    pub async fn verify(
        &self,
        place: Place,
        password: Option<Password>,
        stored: Option<PasswordHash>,
    ) -> Result<Verified, HashError> {
        let (password, stored, real) = match (password, stored) {
            (Some(password), Some(stored)) => (password, stored, true),
            _ => (Password::parse(DUMMY).map_err(failed)?, self.dummy.clone(), false),
        };
        let verdict = self.run(place, move |hasher| hasher.verify(&password, &stored)).await?;
        Ok(match verdict {
            Verdict::Right if real => Verified::Right { rehashed: None },
            Verdict::Rehashed(hash) if real => Verified::Right { rehashed: Some(hash) },
            _ => Verified::Wrong,
        })
    }

    /// The permits go with the work, not with the one who waits for it: a client that hangs up frees no memory.
    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&Hasher) -> argon2::password_hash::Result<T> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = self.wait_for_turn().await?;
        let hasher = self.hasher.clone();
        self.hashed.fetch_add(1, Ordering::Relaxed);
        tokio::task::spawn_blocking(move || {
            let _permits = (place, turn);
            work(&hasher)
        })
        .await
        .map_err(failed)?
        .map_err(failed)
    }

    async fn wait_for_turn(&self) -> Result<OwnedSemaphorePermit, HashError> {
        let _counted = Counted::new(&self.waiting);
        self.working.clone().acquire_owned().await.map_err(failed)
    }
}

/// What became of a verification.
#[derive(Debug)]
pub enum Verified {
    /// Not this password.
    Wrong,
    /// This password.
    Right {
        /// Its hash under the parameters of today, when the stored one was made with lower ones.
        rehashed: Option<PasswordHash>,
    },
}

struct Counted<'a>(&'a AtomicI64);

impl<'a> Counted<'a> {
    fn new(counter: &'a AtomicI64) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn failed(cause: impl std::fmt::Display) -> HashError {
    HashError::Failed(cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const CHEAP: HashParams = HashParams {
        memory: 64,
        passes: 1,
        lanes: 1,
    };

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    async fn hash(pool: &HashPool, text: &str) -> Result<PasswordHash, HashError> {
        pool.hash(pool.reserve()?, password(text)).await
    }

    #[tokio::test]
    async fn past_the_queue_the_refusal_is_immediate_and_memory_bounded() {
        let pool = HashPool::new(CHEAP, 1, 2).unwrap();
        let (finish, finished) = mpsc::channel::<()>();
        let held = tokio::spawn({
            let pool = pool.clone();
            async move {
                pool.run(pool.reserve().unwrap(), move |hasher| {
                    finished.recv().ok();
                    hasher.hash(&password("held"))
                })
                .await
            }
        });
        while pool.working.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let queued: Vec<_> = (0..2)
            .map(|_| {
                tokio::spawn({
                    let pool = pool.clone();
                    async move { hash(&pool, "queued").await }
                })
            })
            .collect();
        while pool.waiting().load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }

        assert!(matches!(pool.reserve(), Err(HashError::Busy)));

        finish.send(()).unwrap();
        assert!(held.await.unwrap().is_ok());
        for task in queued {
            assert!(task.await.unwrap().is_ok());
        }
        assert!(hash(&pool, "there is room again").await.is_ok());
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_frees_no_memory_before_its_hash_is_done() {
        let pool = HashPool::new(CHEAP, 1, 0).unwrap();
        let (finish, finished) = mpsc::channel::<()>();
        let client = tokio::spawn({
            let pool = pool.clone();
            async move {
                pool.run(pool.reserve().unwrap(), move |hasher| {
                    finished.recv().ok();
                    hasher.hash(&password("held"))
                })
                .await
            }
        });
        while pool.working.available_permits() > 0 {
            tokio::task::yield_now().await;
        }

        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
        assert!(matches!(pool.reserve(), Err(HashError::Busy)));
        finish.send(()).unwrap();
    }

    #[tokio::test]
    async fn every_refusal_costs_what_a_hash_of_today_costs() {
        let old = hash(&HashPool::new(CHEAP, 1, 1).unwrap(), "real").await.unwrap();
        let dearer = HashParams {
            memory: 256,
            passes: 3,
            lanes: 1,
        };
        let pool = HashPool::new(dearer, 1, 1).unwrap();
        let today = hash(&pool, "real").await.unwrap();

        for (name, tried, stored) in [
            ("unknown", Some(password("real")), None),
            ("unknown and empty", None, None),
            ("empty or too long", None, Some(today.clone())),
            ("wrong", Some(password("wrong")), Some(today)),
            ("wrong, of an old account", Some(password("wrong")), Some(old)),
        ] {
            let before = pool.filled();
            assert!(matches!(
                pool.verify(pool.reserve().unwrap(), tried, stored).await.unwrap(),
                Verified::Wrong
            ));
            // Parameters are whole: one block in each pass may be missing.
            assert!((256 * 3 - 3..=256 * 3).contains(&(pool.filled() - before)), "{name}");
        }
    }

    #[tokio::test]
    async fn the_stand_in_is_never_right() {
        let pool = HashPool::new(CHEAP, 1, 1).unwrap();
        let stored = hash(&pool, "real").await.unwrap();

        for (tried, hash) in [
            (None, None),
            (Some(password(DUMMY)), None),
            (None, Some(stored.clone())),
        ] {
            assert!(matches!(
                pool.verify(pool.reserve().unwrap(), tried, hash).await.unwrap(),
                Verified::Wrong
            ));
        }
        assert!(matches!(
            pool.verify(pool.reserve().unwrap(), Some(password("real")), Some(stored))
                .await
                .unwrap(),
            Verified::Right { .. }
        ));
    }
}
