#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod crash;
mod files;
mod locks;
mod migrations;
mod outage;
mod transactions;
mod urls;
mod values;
