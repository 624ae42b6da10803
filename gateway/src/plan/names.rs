//! A table of names that is filled once at start and only searched afterwards.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// From names to places. What is searched for may come from anybody, what is stored never does, so that a simple hash
/// (FNV-1a) is safe: a search costs one chain whatever the key.
pub(crate) type Names<T> = HashMap<Box<str>, T, BuildHasherDefault<Fnv>>;

/// FNV-1a, 64 bits.
#[derive(Debug)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
