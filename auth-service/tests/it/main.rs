//! The auth service over real sockets and real databases.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod actors;
mod house;
mod process;
mod replies;
mod service;
mod start;
mod store;
mod trust_model;
