//! The command line: `gatehouse [auth|widget|gateway|health …]`.

use clap::{Parser, Subcommand};
use service_kit::process::{StartError, say, stop_signal};

use crate::{House, HouseArgs, health::HealthArgs};

/// Accounts, tokens, widgets and their REST face. Without a role: all of them in one process, with their data under
/// ./data.
#[derive(Debug, Clone, Parser)]
#[command(name = "gatehouse", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    house: HouseArgs,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Clone, Subcommand)]
enum Role {
    /// Accounts and tokens, as auth-service
    Auth(Box<auth_service::Cli>),
    /// Widgets, as widget-service
    Widget(Box<widget_service::Cli>),
    /// JSON over HTTP, as gateway
    Gateway(Box<gateway::Cli>),
    /// Ask roles that run on this machine whether they are ready: exit code 0 or 1
    Health(Box<HealthArgs>),
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    /// Why it could not be done, with the process's exit code.
    pub async fn run(self) -> Result<(), StartError> {
        match self.role {
            None => everything(self.house).await,
            Some(Role::Auth(cli)) => cli.run().await,
            Some(Role::Widget(cli)) => cli.run().await,
            Some(Role::Gateway(cli)) => cli.run().await,
            Some(Role::Health(args)) => args.run().await,
        }
    }
}

async fn everything(args: HouseArgs) -> Result<(), StartError> {
    let stop = stop_signal()?;
    let house = House::build(args).await?;
    for line in house.greeting() {
        say(line);
    }
    house.run_until(stop).await
}
