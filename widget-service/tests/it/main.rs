#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    missing_docs,
    unreachable_pub
)]

mod actor;
mod app;
mod auth;
mod create;
mod parsers;
mod samples;
mod store;
