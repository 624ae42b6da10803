//! The gateway's tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod bodies;
mod command;
mod docs;
mod errors;
mod faults;
mod fuzz;
mod hostile;
mod kit;
mod matching;
mod names;
mod openapi;
mod properties;
mod proto2;
mod responses;
mod serving;
mod streams;
mod templates;
mod text;
mod tls;
mod upstreams;
mod walk;
