//! `cargo run --release -p bench -- house` and the like; `cargo build --release` comes first.
#![allow(clippy::print_stdout)]

mod on_house;

use std::time::Duration;

use bench::Outcome;
use clap::Parser;

/// Measures the release binary on this machine.
#[derive(Debug, Parser)]
struct Cli {
    /// What to measure
    #[arg(value_enum)]
    what: What,

    /// How long each load runs, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,

    /// How often each load runs; medians are printed
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Reads through the gateway and past it, logins, logouts, start and memory, on SQLite
    House,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let cli = Cli::parse();
    let time = Duration::from_secs(cli.seconds);
    match cli.what {
        What::House => on_house::run(time, cli.rounds).await,
    }
}
