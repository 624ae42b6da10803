use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

use crate::error::Class;
use crate::pool::{Pool, Source, Target};
use crate::{ConnectOptions, Error};

/// How long a migration waits for another process, which may be migrating too.
const MIGRATION_WAIT: Duration = Duration::from_secs(10 * 60);

/// One writer, so that writers queue here in their order instead of polling for the file's lock; readers beside it.
#[derive(Clone)]
pub(crate) struct Sqlite {
    pub(crate) writer: Pool<File>,
    pub(crate) readers: Pool<File>,
}

/// What opens connections on one database file.
pub(crate) struct File {
    path: PathBuf,
    options: SqliteConnectOptions,
}

impl Sqlite {
    pub(crate) fn new(path: &Path, options: &ConnectOptions) -> Result<Self, Error> {
        secure(path)?;
        let common = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(options.wait)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .pragma("temp_store", "memory")
            .pragma("journal_size_limit", (64 << 20).to_string());
        let writing = common.clone().journal_mode(SqliteJournalMode::Wal);
        let reading = common.pragma("query_only", "on");
        Ok(Self {
            writer: Pool::new(
                File {
                    path: path.to_owned(),
                    options: writing,
                },
                1,
            ),
            readers: Pool::new(
                File {
                    path: path.to_owned(),
                    options: reading,
                },
                options.connections,
            ),
        })
    }

    /// A connection for migrations, with foreign keys off: a table can only be rebuilt without them.
    pub(crate) async fn open_for_migrations(&self) -> Result<SqliteConnection, sqlx::Error> {
        let options = self.writer.source().options.clone();
        options.busy_timeout(MIGRATION_WAIT).foreign_keys(false).connect().await
    }
}

impl Source for File {
    type Connection = SqliteConnection;

    async fn open(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.options.connect().await
    }

    fn target(&self) -> Result<Target, Error> {
        let metadata = std::fs::metadata(&self.path).map_err(Error::unavailable)?;
        Ok((metadata.dev(), metadata.ino()))
    }

    /// <https://sqlite.org/rescode.html>
    fn classify(error: &sqlx::Error) -> Class {
        match error {
            // The driver says so of a query whose placeholders it cannot read.
            sqlx::Error::Protocol(_) => Class::Other,
            _ => Class::of(error, |code| by_code(code.parse().unwrap_or(0))),
        }
    }
}

fn by_code(extended: i32) -> Class {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const NO_MEMORY: i32 = 7;
    const IO_ERROR: i32 = 10;
    const DISK_FULL: i32 = 13;
    const CANNOT_OPEN: i32 = 14;
    const PROTOCOL: i32 = 15;
    const BUSY_SNAPSHOT: i32 = 517;
    const READONLY_DB_MOVED: i32 = 1032;
    match (extended, extended & 0xff) {
        (BUSY_SNAPSHOT, _) => Class::Serialization,
        (READONLY_DB_MOVED, _) | (_, IO_ERROR | CANNOT_OPEN) => Class::Gone,
        (_, BUSY | LOCKED | NO_MEMORY | DISK_FULL | PROTOCOL) => Class::Busy,
        _ => Class::Other,
    }
}

/// Sees to it that the file exists and that nobody but its owner can use it, or SQLite's own files beside it.
fn secure(path: &Path) -> Result<(), Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| cannot_use(folder, "cannot be created", &error))?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => refuse_if_exposed(path)?,
        Err(error) => return Err(cannot_use(path, "cannot be created", &error)),
    }
    // SQLite gives these the rights of the database file, but only when it creates them.
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        refuse_if_exposed(Path::new(&beside))?;
    }
    Ok(())
}

fn refuse_if_exposed(path: &Path) -> Result<(), Error> {
    let metadata: Metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_use(path, "cannot be looked at", &error)),
    };
    let path = path.display();
    if !metadata.is_file() {
        return Err(Error::File {
            problem: format!("the database {path} is not a file"),
        });
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let problem = format!(
            "the database file {path} can be used by others than its owner (mode {mode:04o}); run `chmod 600 {path}`"
        );
        return Err(Error::File { problem });
    }
    Ok(())
}

fn cannot_use(path: &Path, what: &str, error: &std::io::Error) -> Error {
    Error::File {
        problem: format!("the database {} {what}: {error}", path.display()),
    }
}
