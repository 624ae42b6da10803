use std::borrow::Cow;

use tokio::runtime::Handle;

use crate::connection::Connection;
use crate::{Error, Row, Value};

/// A transaction. Dropping it without [`Transaction::commit`] rolls it back.
///
/// After an error nothing but a rollback is left, on both engines: [`Transaction::commit`] then fails.
pub struct Transaction {
    /// Taken when the transaction ends.
    connection: Option<Connection>,
    failed: bool,
}

impl Transaction {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection: Some(connection),
            failed: false,
        }
    }

    /// Runs one statement and returns how many rows it changed.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn execute(&mut self, sql: impl Into<Cow<'static, str>>, arguments: Vec<Value>) -> Result<u64, Error> {
        let outcome = self.usable()?.execute(&sql.into(), &arguments).await;
        self.note(outcome)
    }

    /// Runs one statement, reading or writing, and returns its rows.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn fetch_all(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        arguments: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        let outcome = self.usable()?.fetch_all(&sql.into(), &arguments).await;
        self.note(outcome)
    }

    /// Runs one statement, reading or writing, and returns its first row, if any.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn fetch_optional(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        arguments: Vec<Value>,
    ) -> Result<Option<Row>, Error> {
        let outcome = self.usable()?.fetch_optional(&sql.into(), &arguments).await;
        self.note(outcome)
    }

    /// Runs one statement, reading or writing, and returns its first row.
    ///
    /// # Errors
    ///
    /// Any [`Error`], [`Error::Other`] when there is no row.
    pub async fn fetch_one(&mut self, sql: impl Into<Cow<'static, str>>, arguments: Vec<Value>) -> Result<Row, Error> {
        let row = self.fetch_optional(sql, arguments).await?;
        row.ok_or_else(|| Error::other("a row was expected and there is none"))
    }

    /// Makes the changes lasting. When this returns `Ok` they survive a crash of the process or the machine.
    ///
    /// # Errors
    ///
    /// Any [`Error`]. After [`Error::Unavailable`] they may or may not have been made; after any other they were not.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.usable()?;
        self.end("COMMIT").await
    }

    /// Undoes the changes and waits until that is done.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]; the database then undoes them by itself.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(&mut self, statement: &'static str) -> Result<(), Error> {
        let Some(connection) = &mut self.connection else {
            return Err(ended());
        };
        let limit = connection.limit();
        let outcome = connection.control(statement, limit).await;
        // A COMMIT that a deferred constraint or a busy file refused leaves the transaction open: `drop` rolls it back.
        if outcome.is_ok() {
            self.connection = None;
        }
        outcome
    }

    fn usable(&mut self) -> Result<&mut Connection, Error> {
        match &mut self.connection {
            Some(connection) if !self.failed && connection.is_ready() => Ok(connection),
            _ => Err(ended()),
        }
    }

    fn note<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        self.failed |= outcome.is_err();
        outcome
    }
}

fn ended() -> Error {
    Error::other("the transaction has failed before, nothing but a rollback is left")
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        // A connection that is closed rolls back too, so it is closed whenever the statement below is not seen to end.
        if !connection.is_ready() {
            return;
        }
        connection.close_unless_settled();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let limit = connection.limit();
                let _ = connection.control("ROLLBACK", limit).await;
            });
        }
    }
}
