//! The command line.

use clap::{Parser, Subcommand};
use service_kit::{
    config::TrustArgs,
    process::{StartError, say, stop_signal},
};

use crate::{AuthArgs, Config, commands};

/// Registers users and issues the tokens that every service accepts.
#[derive(Debug, Clone, Parser)]
#[command(name = "auth-service", version, mut_args = |arg| arg.global(true))]
pub struct Cli {
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Serve (the default)
    Serve,
    /// Change the database's schema
    #[command(subcommand)]
    Migrate(commands::Migrate),
    /// Make an administrator. The password comes from a prompt, or from standard input
    CreateAdmin {
        /// The address to log in with
        #[arg(long, value_name = "ADDRESS")]
        email: String,
    },
    /// Set a user's password and kill the user's tokens. The password comes from a prompt, or from standard input
    SetPassword {
        /// The user's address
        #[arg(long, value_name = "ADDRESS")]
        email: String,
    },
    /// See to the keys that sign tokens
    #[command(subcommand)]
    Keys(commands::Keys),
    /// Make all older tokens worthless: after a restored backup, or after promoting a standby that may lag
    Recover,
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    /// Why it could not be done, with the process's exit code.
    pub async fn run(self) -> Result<(), StartError> {
        let auth = &self.auth;
        match self.command {
            None | Some(Command::Serve) => serve(Config::new(self.auth, self.trust)).await,
            Some(Command::Migrate(command)) => commands::migrate(auth, command).await,
            Some(Command::CreateAdmin { email }) => commands::create_admin(auth, &email).await,
            Some(Command::SetPassword { email }) => commands::set_password(auth, &email).await,
            Some(Command::Keys(command)) => commands::keys(auth, command).await,
            Some(Command::Recover) => commands::recover(auth).await,
        }
    }
}

async fn serve(config: Config) -> Result<(), StartError> {
    let stop = stop_signal()?;
    let server = crate::build(config).await?;
    say(format_args!("auth grpc://{}", server.addr()));
    server.run_until(stop).await
}
