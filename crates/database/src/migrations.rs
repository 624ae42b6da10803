mod engine;
mod status;

use std::fmt;
use std::str::FromStr;

pub use status::{MigrationState, MigrationStatus, SchemaState};

use crate::{Database, Error};

/// The migrations of one service, from the files under `migrations/` that [`migrations!`](crate::migrations!) compiled in.
///
/// What was applied is recorded in the table `<set>_migrations` together with a checksum of each script.
#[derive(Clone, Debug)]
pub struct Migrations {
    set: &'static str,
    list: Vec<Migration>,
}

/// One step of the schema, on either engine, and the way back.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The number that its file name begins with; 1 or more, rising.
    pub version: i64,
    /// Its file name without engine and ending, such as `0001_accounts`.
    pub name: &'static str,
    /// The scripts for SQLite.
    pub sqlite: Scripts,
    /// The scripts for PostgreSQL.
    pub postgres: Scripts,
}

/// The way up and the way back.
#[derive(Clone, Debug)]
pub struct Scripts {
    /// SQL that makes the step; several statements, in one transaction unless its first line is `-- no-transaction`.
    pub up: &'static str,
    /// SQL that takes it back.
    pub down: &'static str,
}

/// What to do at the start about a schema that is older than the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrateMode {
    /// Bring it up to date.
    Auto,
    /// Refuse to serve, and name the command that brings it up to date.
    Check,
}

impl Migrations {
    /// A set of migrations; [`migrations!`](crate::migrations!) makes it from files.
    pub fn new(set: &'static str, mut list: Vec<Migration>) -> Self {
        list.sort_by_key(|migration| migration.version);
        Self { set, list }
    }

    /// Applies what is missing and returns the versions that this call applied. Of several processes that do this at once one applies,
    /// the others wait for it.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when an applied migration has been changed since, or a script fails.
    pub async fn up(&self, database: &Database) -> Result<Vec<i64>, Error> {
        engine::up(self, database).await
    }

    /// Takes back the latest migration, or all those above version `to` (0 takes back all of them), and returns the
    /// versions taken back, the highest first.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when there is nothing to take back, when the schema has migrations that this program does not
    /// know, or when a script fails.
    pub async fn down(&self, database: &Database, to: Option<i64>) -> Result<Vec<i64>, Error> {
        let status = self.status(database).await?;
        let mut applied: Vec<i64> = status
            .iter()
            .filter(|one| one.state.is_applied())
            .map(|one| one.version)
            .collect();
        applied.reverse();
        if let Some(unknown) = status.iter().find(|one| one.state == MigrationState::Unknown) {
            return Err(status::made_by_newer(unknown.version));
        }
        let to = to.unwrap_or_else(|| applied.get(1).copied().unwrap_or(0));
        if applied.iter().all(|version| *version <= to) {
            return Err(status::nothing_above(to));
        }
        engine::down(self, database, to).await
    }

    /// Each migration, the program's own and any other that the schema has, by version.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn status(&self, database: &Database) -> Result<Vec<MigrationStatus>, Error> {
        let applied = engine::applied(self, database).await?;
        Ok(status::compare(&engine::resolved(self, database), &applied))
    }

    /// Gets the schema ready at the start of a service. A schema that is newer than the program (a rolling upgrade) is a
    /// warning.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`]: in mode [`MigrateMode::Check`] when the schema is older than the program, with a text that asks
    /// to run `command`; in either mode when an applied migration has been changed.
    pub async fn prepare(&self, database: &Database, mode: MigrateMode, command: &str) -> Result<SchemaState, Error> {
        let mut state = status::judge(self.set, &self.status(database).await?)?;
        if let SchemaState::Older { version, wanted } = state {
            if mode == MigrateMode::Check {
                return Err(status::too_old(self.set, version, wanted, command));
            }
            self.up(database).await?;
            tracing::info!(set = self.set, from = version, to = wanted, "the schema was migrated");
            state = SchemaState::Migrated {
                from: version,
                to: wanted,
            };
        }
        if let SchemaState::Newer { version, known } = state {
            tracing::warn!(set = self.set, version, known, "the schema is newer than this program");
        }
        Ok(state)
    }
}

impl FromStr for MigrateMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "check" => Ok(Self::Check),
            _ => Err("it is `auto` or `check`".to_owned()),
        }
    }
}

impl fmt::Display for MigrateMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Check => "check",
        })
    }
}

/// The number that a migration's name begins with. Evaluated while compiling, where a name without one is an error.
pub const fn version_of(name: &str) -> i64 {
    let bytes = name.as_bytes();
    let mut version = 0;
    let mut at = 0;
    while at < bytes.len() && bytes[at].is_ascii_digit() {
        version = version * 10 + (bytes[at] - b'0') as i64;
        at += 1;
    }
    assert!(
        version > 0 && at < bytes.len() && bytes[at] == b'_',
        "a migration is named like 0001_what_it_does"
    );
    version
}

/// Compiles in the migrations of a service whose folder lies beside `migrations/`:
/// `database::migrations!("auth", ["0001_accounts", "0002_tokens"])` reads
/// `../migrations/auth/{sqlite,postgres}/0001_accounts.{up,down}.sql` and so on, from the folder of its `Cargo.toml`.
#[macro_export]
macro_rules! migrations {
    ($set:literal, [$($name:literal),* $(,)?]) => {
        $crate::migrations!(in "/../migrations/", $set, [$($name),*])
    };
    (in $folder:literal, $set:literal, [$($name:literal),* $(,)?]) => {
        $crate::Migrations::new($set, ::std::vec![$(
            $crate::Migration {
                version: const { $crate::version_of($name) },
                name: $name,
                sqlite: $crate::migrations!(@scripts $folder, $set, "/sqlite/", $name),
                postgres: $crate::migrations!(@scripts $folder, $set, "/postgres/", $name),
            }
        ),*])
    };
    (@scripts $folder:literal, $set:literal, $engine:literal, $name:literal) => {
        $crate::Scripts {
            up: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), $folder, $set, $engine, $name, ".up.sql")),
            down: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), $folder, $set, $engine, $name, ".down.sql")),
        }
    };
}
