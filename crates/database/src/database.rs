use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use crate::connection::{Connection, EngineLease, Sql};
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::url::Target;
use crate::{ConnectOptions, DatabaseUrl, Error, Row, Transaction, Value};

/// A database of either engine. Cloning gives another handle on the same connections.
#[derive(Clone)]
pub struct Database {
    pub(crate) engine: Engine,
    options: Arc<ConnectOptions>,
}

#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Who asks for a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Intent {
    Read,
    Write,
}

/// How many connections wait for work and how many are at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Open connections that nobody uses.
    pub idle: usize,
    /// Connections in use.
    pub used: usize,
}

impl Database {
    /// Opens a database by its URL (see [`DatabaseUrl`]) and makes sure that it answers.
    ///
    /// A SQLite file that does not exist is created with mode 0600, its folder too. A PostgreSQL server that is still
    /// starting up is waited for, for [`ConnectOptions::wait`].
    ///
    /// # Errors
    ///
    /// [`Error::Url`]; [`Error::File`] when others than its owner can use the file; [`Error::Unavailable`]; [`Error::Other`]
    /// when waiting would not help, such as after a wrong password.
    pub async fn connect(url: &str, options: &ConnectOptions) -> Result<Self, Error> {
        Self::open(&url.parse()?, options).await
    }

    /// [`Database::connect`] for a URL that was checked before.
    ///
    /// # Errors
    ///
    /// Those of [`Database::connect`], except [`Error::Url`].
    pub async fn open(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Self, Error> {
        let deadline = Instant::now() + options.wait;
        let engine = match &url.0 {
            Target::Sqlite(path) => {
                let sqlite = Sqlite::new(path, options)?;
                sqlite.writer.open_first(deadline).await?;
                Engine::Sqlite(sqlite)
            }
            Target::Postgres(target) => {
                let postgres = Postgres::new(target, options);
                postgres.pool.open_first(deadline).await?;
                Engine::Postgres(postgres)
            }
        };
        Ok(Self {
            engine,
            options: Arc::new(options.clone()),
        })
    }

    /// Runs one writing statement by itself and returns how many rows it changed.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; after [`Error::Unavailable`] the write may or may not have happened.
    pub async fn execute(&self, sql: impl Into<Cow<'static, str>>, arguments: Vec<Value>) -> Result<u64, Error> {
        self.lease(Intent::Write).await?.execute(&sql.into(), &arguments).await
    }

    /// Runs one reading statement and returns its rows.
    ///
    /// # Errors
    ///
    /// Any [`Error`]. A connection that died while idle is replaced and not an error.
    pub async fn fetch_all(&self, sql: impl Into<Cow<'static, str>>, arguments: Vec<Value>) -> Result<Vec<Row>, Error> {
        let sql: Sql = sql.into();
        let mut connection = self.lease(Intent::Read).await?;
        match connection.fetch_all(&sql, &arguments).await {
            Err(_) if connection.was_stale() => {
                drop(connection);
                self.lease(Intent::Read).await?.fetch_all(&sql, &arguments).await
            }
            outcome => outcome,
        }
    }

    /// Runs one reading statement and returns its first row, if any.
    ///
    /// # Errors
    ///
    /// Those of [`Database::fetch_all`].
    pub async fn fetch_optional(
        &self,
        sql: impl Into<Cow<'static, str>>,
        arguments: Vec<Value>,
    ) -> Result<Option<Row>, Error> {
        let sql: Sql = sql.into();
        let mut connection = self.lease(Intent::Read).await?;
        match connection.fetch_optional(&sql, &arguments).await {
            Err(_) if connection.was_stale() => {
                drop(connection);
                self.lease(Intent::Read).await?.fetch_optional(&sql, &arguments).await
            }
            outcome => outcome,
        }
    }

    /// Runs one reading statement and returns its first row.
    ///
    /// # Errors
    ///
    /// Those of [`Database::fetch_all`], and [`Error::Other`] when there is no row.
    pub async fn fetch_one(&self, sql: impl Into<Cow<'static, str>>, arguments: Vec<Value>) -> Result<Row, Error> {
        self.fetch_optional(sql, arguments)
            .await?
            .ok_or_else(|| Error::other("a row was expected and there is none"))
    }

    /// Begins a transaction that may write.
    ///
    /// On SQLite there is one at a time; the next one waits here. On PostgreSQL it is READ COMMITTED and waits where it
    /// meets a lock. Either wait ends after [`ConnectOptions::wait`].
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let statement = match self.engine {
            Engine::Sqlite(_) => "BEGIN IMMEDIATE",
            Engine::Postgres(_) => "BEGIN",
        };
        self.begin_as(Intent::Write, statement).await
    }

    /// Begins a transaction that reads one unchanging state of the database with all of its statements.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn begin_read(&self) -> Result<Transaction, Error> {
        let statement = match self.engine {
            Engine::Sqlite(_) => "BEGIN",
            Engine::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.begin_as(Intent::Read, statement).await
    }

    async fn begin_as(&self, intent: Intent, statement: &'static str) -> Result<Transaction, Error> {
        let deadline = Instant::now() + self.options.wait;
        let mut connection = self.lease_by(intent, deadline).await?;
        let mut begun = connection
            .control(statement, deadline.duration_since(Instant::now()))
            .await;
        if begun.is_err() && connection.was_stale() {
            drop(connection);
            connection = self.lease_by(intent, deadline).await?;
            begun = connection
                .control(statement, deadline.duration_since(Instant::now()))
                .await;
        }
        begun.map(|()| Transaction::new(connection))
    }

    /// An SQL expression that holds on the one database that takes writes, and not on a standby that may lag behind.
    pub fn primary_check(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite(_) => "TRUE",
            Engine::Postgres(_) => "NOT pg_is_in_recovery()",
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`], at the latest after [`ConnectOptions::wait`].
    pub async fn ping(&self) -> Result<(), Error> {
        let question = self.fetch_one("SELECT 1 AS alive", Vec::new());
        let deadline = Instant::now() + self.options.wait;
        timeout_at(deadline, question)
            .await
            .map_err(|_| Error::unavailable("the database does not answer"))?
            .map(drop)
    }

    /// How the connections are being used.
    pub fn pool_state(&self) -> PoolState {
        match &self.engine {
            Engine::Sqlite(sqlite) => PoolState {
                idle: sqlite.writer.idle() + sqlite.readers.idle(),
                used: sqlite.writer.used() + sqlite.readers.used(),
            },
            Engine::Postgres(postgres) => PoolState {
                idle: postgres.pool.idle(),
                used: postgres.pool.used(),
            },
        }
    }

    /// Whether several replicas of a service can share this database. A database file has one process.
    pub fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    async fn lease(&self, intent: Intent) -> Result<Connection, Error> {
        self.lease_by(intent, Instant::now() + self.options.wait).await
    }

    async fn lease_by(&self, intent: Intent, deadline: Instant) -> Result<Connection, Error> {
        let lease = match (&self.engine, intent) {
            (Engine::Sqlite(sqlite), Intent::Read) => EngineLease::Sqlite(sqlite.readers.acquire(deadline).await?),
            (Engine::Sqlite(sqlite), Intent::Write) => EngineLease::Sqlite(sqlite.writer.acquire(deadline).await?),
            (Engine::Postgres(postgres), Intent::Read) => {
                EngineLease::Postgres(postgres.pool.acquire(deadline).await?, None)
            }
            (Engine::Postgres(postgres), Intent::Write) => {
                let turn = timeout_at(deadline, Arc::clone(&postgres.writers).acquire_owned())
                    .await
                    .map_err(|_| Error::unavailable("too many writers wait"))?
                    .map_err(Error::unavailable)?;
                EngineLease::Postgres(postgres.pool.acquire(deadline).await?, Some(turn))
            }
        };
        Ok(Connection::new(lease, self.options.statement_limit))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match self.engine {
            Engine::Sqlite(_) => "SQLite",
            Engine::Postgres(_) => "PostgreSQL",
        };
        f.debug_struct("Database")
            .field("engine", &engine)
            .field("pool", &self.pool_state())
            .finish_non_exhaustive()
    }
}
