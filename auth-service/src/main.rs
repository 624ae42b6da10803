//! The auth service as a process.

use std::process::ExitCode;

use service_kit::{config, process};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli: auth_service::Cli = config::parse();
    process::run(cli.run())
}
