//! Tokens: what they say and how they are checked.

mod cache;
mod claims;
mod compact;
mod header;
mod json;
mod verifier;

pub use cache::CacheStats;
pub use claims::Claims;
pub use verifier::{Now, Rejection, Verified, Verifier, VerifierConfig};

/// The longest that a token may live, in seconds: the longest `AUTH_TOKEN_TTL` ever allowed.
pub const MAX_LIFETIME: i64 = 24 * 60 * 60;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;
