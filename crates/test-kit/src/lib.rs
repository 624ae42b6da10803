//! For tests only: temporary databases, serving on port 0, a fixed clock, token minting, certificates.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod attacks;
mod authority;
mod clock;
mod databases;
mod logs;
mod mint;
mod postgres;

pub use attacks::{Attack, Oddity, Staged, attacks, oddities, staged_attacks};
pub use authority::{Authority, Certified};
pub use clock::FixedClock;
pub use databases::TestDatabase;
pub use logs::keep_logs;
pub use mint::{AUDIENCE, ISSUER, TokenMint, fixed_now};
pub use postgres::{Cluster, ClusterOptions};
