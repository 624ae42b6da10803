//! A cluster of real processes: two auth services, two widget services and two gateways over one PostgreSQL.
//!
//! `cargo test` runs it with small numbers. `CLUSTER_SCALE=full cargo test -p gatehouse --test cluster` takes those that
//! the claims are made for: some minutes on two cores. There is one cluster at a time, however many tests run: two would
//! starve each other. Each test prints what it counted (`-- --nocapture` shows it).
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

mod auth_faults;
mod cluster;
mod database_faults;
mod discovery;
mod door;
mod fire;
mod keys;
mod kills;
mod load;
mod people;
mod requests;
mod rest;
mod role;
mod rolling;
mod scale;
mod sessions;
mod starts;
mod widget_faults;
