//! The whole house, tried from outside.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs
)]

mod access;
mod attacks;
mod dependency_law;
mod edges;
mod errors;
mod headers;
mod health;
mod house;
mod journey;
mod leaks;
mod production;
mod refusals;
mod replicas;
mod throttle;
mod tls;
mod validate_only;
