//! `gatehouse`: everything in one process, or one role.

use std::process::ExitCode;

use service_kit::{config, process};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli: gatehouse::Cli = config::parse();
    process::run(cli.run())
}
