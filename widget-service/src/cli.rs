//! The command line: `widget-service [serve] | migrate up|down|status`.

use clap::{Parser, Subcommand};
use database::{ConnectOptions, Database, MigrationState, MigrationStatus};
use service_kit::{
    config::TrustArgs,
    process::{StartError, say, stop_signal},
    tls::UpstreamTlsArgs,
};

use crate::{Config, WidgetArgs, migrations};

/// Keeps widgets, a generic resource, over gRPC.
#[derive(Debug, Clone, Parser)]
#[command(name = "widget-service", version, mut_args = |arg| arg.global(true))]
pub struct Cli {
    #[command(flatten)]
    widget: WidgetArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    upstream_tls: UpstreamTlsArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Serve widgets (the default)
    Serve,
    /// Change the database's schema
    #[command(subcommand)]
    Migrate(Migrate),
}

#[derive(Debug, Clone, Subcommand)]
enum Migrate {
    /// Bring the schema up to date
    Up,
    /// Take back the latest migration
    Down {
        /// Take back every migration above this version; 0 takes back all
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
    },
    /// List the migrations
    Status,
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    /// Why it could not be done, with the process's exit code.
    pub async fn run(self) -> Result<(), StartError> {
        match self.command {
            None | Some(Command::Serve) => serve(Config::new(self.widget, self.trust, self.upstream_tls)).await,
            Some(Command::Migrate(command)) => migrate(&self.widget, command).await,
        }
    }
}

async fn serve(config: Config) -> Result<(), StartError> {
    let stop = stop_signal()?;
    let server = crate::build(config).await?;
    say(format_args!("widget grpc://{}", server.addr()));
    server.run_until(stop).await
}

async fn migrate(args: &WidgetArgs, command: Migrate) -> Result<(), StartError> {
    let url = args.database()?;
    let db = Database::open(&url, &ConnectOptions::default())
        .await
        .map_err(crate::server::store_refused)?;
    let done = match command {
        Migrate::Up => migrations().up(&db).await.map(|versions| report("applied", &versions)),
        Migrate::Down { to } => migrations()
            .down(&db, to)
            .await
            .map(|versions| report("taken back", &versions)),
        Migrate::Status => migrations().status(&db).await.map(|list| list.iter().for_each(show)),
    };
    done.map_err(crate::server::store_refused)
}

fn report(done: &str, versions: &[i64]) {
    match versions {
        [] => say("nothing to do"),
        versions => versions
            .iter()
            .for_each(|version| say(format_args!("{done}: {version}"))),
    }
}

fn show(migration: &MigrationStatus) {
    let MigrationStatus { version, name, state } = migration;
    let state = match state {
        MigrationState::Applied => "applied",
        MigrationState::Changed => "applied, and changed since",
        MigrationState::Pending => "pending",
        MigrationState::Unknown => "applied by a newer program",
    };
    match name.as_str() {
        "" => say(format_args!("{version:04} {state}")),
        name => say(format_args!("{name} {state}")),
    }
}
