//! A million widgets, and a million live revocations: what each request and each process still costs.

mod pages;
mod pair;
mod revocations;
mod rows;

use std::time::Duration;

use bench::Outcome;

pub(crate) async fn run(rows: u32, time: Duration, rounds: usize) -> Outcome<()> {
    pages::run(rows).await?;
    revocations::run(rows, time, rounds).await
}
