//! Hashing passwords without letting anybody use that up.

mod argon;
mod pool;

pub use argon::{HashParams, PasswordHash};
pub use pool::{HashError, HashPool, Place, Verified};
