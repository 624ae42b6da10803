//! The one module that names SQLite and PostgreSQL.
//!
//! A [`Database`] is either engine behind one interface: a service writes each query once, with `$1` placeholders, and
//! neither knows nor asks which engine runs it. What a store has to keep in mind so that one text serves both:
//!
//! * Values are text, 64-bit integers, booleans, bytes and UUIDs ([`Value`]), each possibly NULL. Times are integer
//!   microseconds since the epoch. On PostgreSQL `sum()` of BIGINT is NUMERIC: write `CAST(sum(x) AS BIGINT)`.
//! * Columns that identify are declared `COLLATE "C"` on PostgreSQL, so both engines order and compare them byte by byte.
//!   Search prefixes by range (`name >= $1 AND name < $2`): `LIKE` ignores the case of ASCII letters on SQLite only.
//! * [`Database::fetch_all`] and its siblings read. A statement that writes and returns rows (`INSERT … RETURNING`)
//!   belongs in a [`Transaction`]: SQLite's readers cannot write.
//! * After an error inside a [`Transaction`] nothing but a rollback is left, on both engines.

mod connection;
mod database;
mod error;
mod migrations;
mod options;
mod pool;
mod postgres;
mod row;
mod sqlite;
mod transaction;
mod url;
mod value;

pub use database::{Database, PoolState};
pub use error::Error;
pub use migrations::{
    MigrateMode, Migration, MigrationState, MigrationStatus, Migrations, SchemaState, Scripts, version_of,
};
pub use options::ConnectOptions;
pub use row::{Column, Row};
pub use transaction::Transaction;
pub use url::DatabaseUrl;
pub use value::Value;

/// The arguments of a query: a `Vec<Value>` from anything that converts into a [`Value`].
///
/// ```
/// use database::{Value, args};
/// assert_eq!(args!["ada", 36_i64], vec![Value::from("ada"), Value::from(36)]);
/// ```
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        ::std::vec![$($crate::Value::from($value)),*]
    };
}
