//! Access tokens, tested from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod access;
mod attacks;
mod cache;
mod fuzz;
mod kit;
mod logs;
mod remote;
mod schedule;
mod sync;
mod sync_failures;
mod sync_history;
mod unknown_keys;
mod view;
