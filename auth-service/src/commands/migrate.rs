//! `auth-service migrate up|down|status`.

use clap::Subcommand;
use database::{MigrationState, MigrationStatus};
use service_kit::process::{StartError, say};

use crate::{
    AuthArgs,
    settings::{connect, refused},
    store::migrations,
};

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Migrate {
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

pub(crate) async fn migrate(args: &AuthArgs, command: Migrate) -> Result<(), StartError> {
    let db = connect(&args.database()?).await?;
    let done = match command {
        Migrate::Up => migrations().up(&db).await.map(|versions| report("applied", &versions)),
        Migrate::Down { to } => migrations()
            .down(&db, to)
            .await
            .map(|versions| report("taken back", &versions)),
        Migrate::Status => migrations().status(&db).await.map(|list| list.iter().for_each(show)),
    };
    done.map_err(refused)
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
    say(format_args!("{version:04} {name} {state}"));
}
