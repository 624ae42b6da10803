use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::verifier::Verified;

/// A token's SHA-256: the token itself is not kept.
pub(super) type Digest = [u8; 32];

/// How often a token was known already. Counters only rise.
#[derive(Debug, Default)]
pub struct CacheStats {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl CacheStats {
    /// How many tokens were found verified.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// How many tokens had to be read.
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }
}

/// Verified tokens, a bounded number of them.
pub(super) struct Cache {
    shards: Vec<Mutex<Generations>>,
    stats: CacheStats,
}

const SHARDS: usize = 16;

impl Cache {
    /// Holds about `capacity` tokens at most.
    pub(super) fn new(capacity: usize) -> Self {
        let limit = capacity.div_ceil(2 * SHARDS);
        let shards = (0..SHARDS).map(|_| Mutex::new(Generations::new(limit))).collect();
        Self {
            shards,
            stats: CacheStats::default(),
        }
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Verified> {
        let found = self.lock(digest).get(digest);
        let counter = if found.is_some() {
            &self.stats.hits
        } else {
            &self.stats.misses
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    pub(super) fn insert(&self, digest: Digest, verified: Verified) {
        self.lock(&digest).insert(digest, verified);
    }

    pub(super) fn stats(&self) -> &CacheStats {
        &self.stats
    }

    fn lock(&self, digest: &Digest) -> std::sync::MutexGuard<'_, Generations> {
        let shard = usize::from(digest[0]) % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two maps: what was used since the last turn, and what was used before. When the young one is full, the old one goes.
struct Generations {
    limit: usize,
    young: HashMap<Digest, Verified>,
    old: HashMap<Digest, Verified>,
}

impl Generations {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    fn get(&mut self, digest: &Digest) -> Option<Verified> {
        if let Some(found) = self.young.get(digest) {
            return Some(found.clone());
        }
        let found = self.old.remove(digest)?;
        self.insert(*digest, found.clone());
        Some(found)
    }

    fn insert(&mut self, digest: Digest, verified: Verified) {
        if self.limit == 0 {
            return;
        }
        if self.young.len() >= self.limit {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, verified);
    }
}
