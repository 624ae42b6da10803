use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio::sync::Semaphore;

use crate::error::Class;
use crate::pool::{Pool, Source, Target};
use crate::{ConnectOptions, Error};

#[derive(Clone)]
pub(crate) struct Postgres {
    pub(crate) pool: Pool<Server>,
    /// One fewer than there are connections: writers that wait for a lock leave one to the readers.
    pub(crate) writers: Arc<Semaphore>,
}

/// What opens connections to one server.
pub(crate) struct Server {
    options: PgConnectOptions,
    session: String,
}

impl Postgres {
    pub(crate) fn new(target: &PgConnectOptions, options: &ConnectOptions) -> Self {
        let size = options.connections.max(2);
        let server = Server {
            options: target.clone(),
            session: session(options),
        };
        Self {
            pool: Pool::new(server, size),
            writers: Arc::new(Semaphore::new(size - 1)),
        }
    }

    /// A connection for migrations: its statements may take long, its locks may not.
    pub(crate) async fn open_for_migrations(&self) -> Result<PgConnection, sqlx::Error> {
        self.pool.source().options.connect().await
    }
}

/// The server's own limits come before the caller's patience ends: a statement that it gives up leaves the connection
/// sound. The last one frees the locks of a replica that froze in the middle of a transaction.
fn session(options: &ConnectOptions) -> String {
    let wait = options.wait.as_millis();
    let statement = options
        .statement_limit
        .saturating_sub(Duration::from_millis(500))
        .max(options.wait)
        .as_millis();
    let idle = 2 * options.statement_limit.as_millis();
    format!(
        "SET lock_timeout = {wait}; SET statement_timeout = {statement}; SET idle_in_transaction_session_timeout = {idle}"
    )
}

impl Source for Server {
    type Connection = PgConnection;

    async fn open(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        connection.execute(AssertSqlSafe(self.session.as_str())).await?;
        Ok(connection)
    }

    fn target(&self) -> Result<Target, Error> {
        Ok((0, 0))
    }

    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    fn classify(error: &sqlx::Error) -> Class {
        Class::of(error, by_code)
    }
}

fn by_code(code: &str) -> Class {
    match code {
        // serialization_failure, deadlock_detected
        "40001" | "40P01" => Class::Serialization,
        // lock_not_available, query_canceled (statement_timeout)
        "55P03" | "57014" => Class::Busy,
        // read_only_sql_transaction: the server has become a standby. idle_in_transaction_session_timeout.
        "25006" | "25P03" => Class::Gone,
        // feature_not_supported: a cached plan whose tables a migration changed. invalid_sql_statement_name: a pooler
        // in between has given us another server.
        "0A000" | "26000" => Class::Gone,
        // connection exceptions; operator intervention (shutdown, crash, starting up); system errors
        _ if ["08", "57P", "58"].iter().any(|class| code.starts_with(class)) => Class::Gone,
        // insufficient resources: disk, memory, connections
        _ if code.starts_with("53") => Class::Busy,
        _ => Class::Other,
    }
}
