use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::{Error, MigrateMode};

/// A checked database URL: `sqlite://relative/path`, `sqlite:///absolute/path` or `postgres://…`.
///
/// It may hold a password, so neither its `Debug` text nor a parse error repeats it.
#[derive(Clone)]
pub struct DatabaseUrl(pub(crate) Target);

#[derive(Clone)]
pub(crate) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl DatabaseUrl {
    /// Whether several replicas of a service can share the database. A database file has one process.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Target::Postgres(_))
    }

    /// What to do about an older schema unless told otherwise: a database file is migrated at the start, a shared
    /// database only by command, because older replicas may still be running on it.
    pub fn default_migrate_mode(&self) -> MigrateMode {
        if self.is_shared() {
            MigrateMode::Check
        } else {
            MigrateMode::Auto
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Sqlite(path) => write!(f, "DatabaseUrl({})", path.display()),
            Target::Postgres(_) => f.write_str("DatabaseUrl(postgres://…)"),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        if let Some(rest) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            return Ok(Self(Target::Sqlite(sqlite_path(rest)?)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self(Target::Postgres(Box::new(postgres_options(url)?))));
        }
        Err(bad("starts neither with sqlite:// nor with postgres://"))
    }
}

fn bad(problem: impl Into<String>) -> Error {
    Error::Url {
        problem: problem.into(),
    }
}

fn sqlite_path(rest: &str) -> Result<PathBuf, Error> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // What other tools need to create a file is accepted: it is what happens here anyway.
    if !matches!(query, "" | "mode=rwc") {
        return Err(bad("takes no parameters for SQLite"));
    }
    if path.is_empty() {
        return Err(bad("names no file"));
    }
    if path.starts_with(":memory:") {
        return Err(bad(
            "has to name a file: a database in memory would not outlive a connection",
        ));
    }
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{path}"))
        .map_err(|_| bad("has a path that is not percent-encoded UTF-8"))?;
    let path: &Path = options.get_filename();
    if path.file_name().is_none() {
        return Err(bad("names no file"));
    }
    Ok(path.to_owned())
}

const POSTGRES_PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// sqlx only logs a parameter that it does not know, together with its value, which may be a misspelled password.
fn postgres_options(url: &str) -> Result<PgConnectOptions, Error> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let key = pair.split_once('=').map_or(pair, |(key, _)| key);
        if !POSTGRES_PARAMETERS.contains(&key) && !key.starts_with("options[") {
            return Err(bad(
                "has a parameter that is not known; known are sslmode, host, port, user and others of libpq",
            ));
        }
    }
    PgConnectOptions::from_str(url)
        .map_err(|_| bad("is not a valid PostgreSQL URL (postgres://user:password@host/database)"))
}
