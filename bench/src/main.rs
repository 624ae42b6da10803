//! `cargo run --release -p bench -- house` and the like; `cargo build --release` comes first.
#![allow(clippy::print_stdout)]

mod flood;
mod gateway;
mod logouts;
mod on_house;
mod refusals;
mod role;
mod scale;
mod syncs;
mod trust;

use std::time::Duration;

use bench::Outcome;
use clap::{Parser, Subcommand};

/// As in the binaries that are measured: the services run here, too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the release binary on this machine.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,

    /// How long each load runs, in seconds
    #[arg(long, global = true, default_value_t = 5)]
    seconds: u64,

    /// How often each load runs; medians are printed
    #[arg(long, global = true, default_value_t = 3)]
    rounds: usize,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Reads through the gateway, logins, logouts, start and memory, on SQLite
    House,
    /// Reads of the widget service with the trust check and with a view that is always fresh, on SQLite
    Trust {
        /// How many connections ask at once; with one, each request waits for a Sync of its own
        #[arg(long, default_value_t = 64)]
        connections: usize,
    },
    /// How long each kind of refused login takes, in 50 interleaved rounds
    Refusals,
    /// Widget reads at a fixed rate while 500 logins come at once, and the memory that these take
    Flood,
    /// A million widgets on both engines, and a million live revocations: four minutes
    Scale {
        /// How many of each
        #[arg(long, default_value_t = 1_000_000)]
        rows: u32,
    },
    /// Concurrent logouts on PostgreSQL, beside the same rows with a commit each
    Logouts,
    /// What 1, 10 and 100 verifiers cost an auth service and PostgreSQL, idle and under load
    Syncs,
    /// The gateway beside Envoy (the binary that ENVOY names) and beside a handler written by hand
    Gateway,
    /// Auth service and widget service, for the trust check
    #[command(hide = true)]
    Services {
        /// What the widget service decides by
        view: trust::View,
    },
    /// A backend in memory, for the others
    #[command(hide = true)]
    Backend,
    /// The handler written by hand, for the others
    #[command(hide = true)]
    Handwritten {
        /// The backend's address
        backend: String,
    },
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let cli = Cli::parse();
    let time = Duration::from_secs(cli.seconds);
    match cli.what {
        What::House => on_house::run(time, cli.rounds).await,
        What::Refusals => refusals::run().await,
        What::Flood => flood::run(time, cli.rounds).await,
        What::Trust { connections } => trust::run(connections, time, cli.rounds).await,
        What::Services { view } => trust::serve(view).await,
        What::Gateway => gateway::run(time, cli.rounds).await,
        What::Scale { rows } => scale::run(rows, time, cli.rounds).await,
        What::Logouts => logouts::run(cli.rounds).await,
        What::Syncs => syncs::run(time).await,
        What::Backend => gateway::serve_backend().await,
        What::Handwritten { backend } => gateway::serve_handwritten(&backend).await,
    }
}
