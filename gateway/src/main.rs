//! JSON/HTTP to gRPC and back, from descriptors alone.

use std::process::ExitCode;

use gateway::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli: Cli = service_kit::config::parse();
    service_kit::process::run(cli.run())
}
