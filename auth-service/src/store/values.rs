//! Between rows and domain values.

use chrono::{DateTime, Utc};
use database::{Error, Row};

/// `($1, $2), ($3, $4)`: placeholders for `rows` rows of `columns` values.
pub(super) fn rows_of(columns: usize, rows: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns)
            .map(|column| format!("${}", row * columns + column))
            .collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// `$1, $2, $3`: so many placeholders from one on.
pub(super) fn list_of(count: usize) -> String {
    (1..=count)
        .map(|place| format!("${place}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A time column: microseconds since the epoch.
pub(super) fn time(row: &Row, column: &str) -> Result<DateTime<Utc>, Error> {
    Ok(DateTime::from_timestamp_micros(row.get(column)?).unwrap_or_default())
}
