//! The gateway's tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]
#![allow(dead_code, unused_imports)]

mod bodies;
mod docs;
mod faults;
mod kit;
mod matching;
mod openapi;
mod templates;
mod text;
mod walk;
