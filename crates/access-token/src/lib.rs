//! What a service needs to accept tokens: claims, verifier, trust view, interceptor, caller.
//!
//! A request is accepted in three steps. [`Verifier`] checks the token itself, without asking anybody. [`Trust`] hands
//! out a [`View`] of what has been revoked, from a Sync that began no earlier than the request arrived. The view decides.
//! [`Authenticator`] is these three steps in order; [`AccessLayer`] puts them in front of a tonic server.
//!
//! [`freshness`] and [`View`] hold the rules as plain values without clocks or sockets; [`Trust`] runs them.

mod access;
pub mod mint;
mod token;
mod trust;
mod view;

pub use access::{AccessError, AccessLayer, AccessService, Authenticator, Caller, Refusal, ServiceTokens};
pub use token::{
    CacheStats, Claims, MAX_LIFETIME, MAX_TOKEN_BYTES, Now, Rejection, Verified, Verifier, VerifierConfig,
};
pub use trust::{
    BadServiceToken, RemoteSource, SyncFuture, SyncOutcome, SyncSource, Trust, TrustConfig, TrustStats,
    TrustUnavailable, freshness,
};
pub use view::{Key, Merge, Reply, Standing, View};
