use std::borrow::Cow;
use std::time::Duration;

use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Executor as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::pool::Lease;
use crate::postgres::Server;
use crate::row::EngineRow;
use crate::sqlite::File;
use crate::{Error, Row, Value};

pub(crate) type Sql = Cow<'static, str>;

/// A leased connection of either engine, and how long a statement on it may take.
pub(crate) struct Connection {
    lease: EngineLease,
    limit: Duration,
}

pub(crate) enum EngineLease {
    Sqlite(Lease<File>),
    /// With a writer's turn, given back at the end.
    Postgres(
        Lease<Server>,
        #[expect(dead_code, reason = "it is held, not read")] Option<OwnedSemaphorePermit>,
    ),
}

/// Runs a query on whichever engine it is: `$rows` names the wrapper of its rows, `$call` the method of sqlx.
macro_rules! run {
    ($self:ident, $sql:ident, $arguments:ident, $call:ident) => {
        match &mut $self.lease {
            EngineLease::Sqlite(lease) => {
                let query = sqlx::query_with(AssertSqlSafe($sql.clone()), sqlite_arguments($arguments)?);
                let outcome = timeout($self.limit, query.$call(lease.start()?)).await;
                lease.settle(outcome).map(Answer::Sqlite)
            }
            EngineLease::Postgres(lease, _) => {
                let query = sqlx::query_with(AssertSqlSafe($sql.clone()), postgres_arguments($arguments)?);
                let outcome = timeout($self.limit, query.$call(lease.start()?)).await;
                lease.settle(outcome).map(Answer::Postgres)
            }
        }
    };
}

enum Answer<S, P> {
    Sqlite(S),
    Postgres(P),
}

impl Connection {
    pub(crate) fn new(lease: EngineLease, limit: Duration) -> Self {
        Self { lease, limit }
    }

    pub(crate) async fn execute(&mut self, sql: &Sql, arguments: &[Value]) -> Result<u64, Error> {
        run!(self, sql, arguments, execute).map(|answer| match answer {
            Answer::Sqlite(done) => done.rows_affected(),
            Answer::Postgres(done) => done.rows_affected(),
        })
    }

    pub(crate) async fn fetch_all(&mut self, sql: &Sql, arguments: &[Value]) -> Result<Vec<Row>, Error> {
        run!(self, sql, arguments, fetch_all).map(|answer| match answer {
            Answer::Sqlite(rows) => rows.into_iter().map(|row| Row(EngineRow::Sqlite(row))).collect(),
            Answer::Postgres(rows) => rows.into_iter().map(|row| Row(EngineRow::Postgres(row))).collect(),
        })
    }

    pub(crate) async fn fetch_optional(&mut self, sql: &Sql, arguments: &[Value]) -> Result<Option<Row>, Error> {
        run!(self, sql, arguments, fetch_optional).map(|answer| match answer {
            Answer::Sqlite(row) => row.map(|row| Row(EngineRow::Sqlite(row))),
            Answer::Postgres(row) => row.map(|row| Row(EngineRow::Postgres(row))),
        })
    }

    /// Runs a statement that begins or ends a transaction, unprepared.
    pub(crate) async fn control(&mut self, statement: &'static str, limit: Duration) -> Result<(), Error> {
        match &mut self.lease {
            EngineLease::Sqlite(lease) => {
                let outcome = timeout(limit, lease.start()?.execute(statement)).await;
                lease.settle(outcome).map(drop)
            }
            EngineLease::Postgres(lease, _) => {
                let outcome = timeout(limit, lease.start()?.execute(statement)).await;
                lease.settle(outcome).map(drop)
            }
        }
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    pub(crate) fn was_stale(&self) -> bool {
        match &self.lease {
            EngineLease::Sqlite(lease) => lease.was_stale(),
            EngineLease::Postgres(lease, _) => lease.was_stale(),
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        match &self.lease {
            EngineLease::Sqlite(lease) => lease.is_ready(),
            EngineLease::Postgres(lease, _) => lease.is_ready(),
        }
    }

    /// From now on the connection is closed instead of going back to its pool, until another statement succeeds.
    pub(crate) fn close_unless_settled(&mut self) {
        match &mut self.lease {
            EngineLease::Sqlite(lease) => lease.close_unless_settled(),
            EngineLease::Postgres(lease, _) => lease.close_unless_settled(),
        }
    }
}

macro_rules! bind_all {
    ($arguments:ident, $values:ident) => {
        for value in $values {
            match value {
                Value::Text(value) => $arguments.add(value.as_deref()),
                Value::Int(value) => $arguments.add(*value),
                Value::Bool(value) => $arguments.add(*value),
                Value::Bytes(value) => $arguments.add(value.as_deref()),
                Value::Uuid(value) => $arguments.add(*value),
            }
            .map_err(Error::other)?;
        }
    };
}

fn sqlite_arguments(values: &[Value]) -> Result<SqliteArguments, Error> {
    let mut arguments = SqliteArguments::default();
    bind_all!(arguments, values);
    Ok(arguments)
}

fn postgres_arguments(values: &[Value]) -> Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    bind_all!(arguments, values);
    Ok(arguments)
}
