use std::any::TypeId;

use sqlx::error::UnexpectedNullError;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};
use uuid::Uuid;

use crate::Error;

/// One row of an answer.
pub struct Row(pub(crate) EngineRow);

pub(crate) enum EngineRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of a column by its name.
    ///
    /// # Errors
    ///
    /// [`Error::Other`] when there is no such column, its type is another one, or it is NULL and `T` no `Option`.
    pub fn get<T: Column>(&self, column: &str) -> Result<T, Error> {
        T::read(self, column).map_err(Error::other)
    }
}

/// A type that a column can be read as: `String`, `i64`, `bool`, `Vec<u8>`, `Uuid`, and `Option` of each.
pub trait Column: Sized + sealed::Sealed {
    #[doc(hidden)]
    fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error>;
}

mod sealed {
    pub trait Sealed {}
}

/// Everything is read as an `Option`: SQLite's driver would turn a NULL into `""` or 0.
macro_rules! columns {
    ($($rust:ty),* $(,)?) => {$(
        impl sealed::Sealed for $rust {}
        impl sealed::Sealed for Option<$rust> {}

        impl Column for $rust {
            fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error> {
                Option::<$rust>::read(row, column)?.ok_or_else(|| is_null(column))
            }
        }

        impl Column for Option<$rust> {
            fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error> {
                match &row.0 {
                    EngineRow::Sqlite(row) => row.try_get(column),
                    EngineRow::Postgres(row) if is_narrow_integer::<$rust>(row, column)? => row.try_get_unchecked(column),
                    EngineRow::Postgres(row) => row.try_get(column),
                }
            }
        }
    )*};
}

columns!(String, i64, bool, Vec<u8>, Uuid);

fn is_null(column: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(UnexpectedNullError),
    }
}

/// A literal such as `SELECT 1` is INT4 on PostgreSQL; SQLite knows one width of integers only.
fn is_narrow_integer<T: 'static>(row: &PgRow, column: &str) -> Result<bool, sqlx::Error> {
    if TypeId::of::<T>() != TypeId::of::<i64>() {
        return Ok(false);
    }
    let value = row.try_get_raw(column)?;
    Ok(matches!(value.type_info().name(), "INT2" | "INT4"))
}
