//! The gateway's tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod docs;
mod faults;
mod kit;
mod openapi;
mod templates;
