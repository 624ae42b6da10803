#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod access;
mod actor;
mod app;
mod auth;
mod contract;
mod create;
mod delete;
mod list;
mod masks;
mod names;
mod ops;
mod owners;
mod pages;
mod parsers;
mod process;
mod replace;
mod samples;
mod store;
mod tls;
mod update;
