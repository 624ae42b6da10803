//! A widget and its row.

use chrono::{DateTime, Utc};
use database::{Row, Value, args};
use uuid::Uuid;

use crate::domain::{Deadline, Description, InfoUrl, Revision, Widget, WidgetName};

/// Every column, in the order of [`values`].
pub(super) const COLUMNS: &str = "name, description, info_url, deadline, created_at, updated_at, owner_id, revision";

pub(super) fn values(widget: &Widget) -> Vec<Value> {
    args![
        widget.name.as_str(),
        widget.description.as_str(),
        widget.info_url.as_str(),
        widget.deadline.time().timestamp_micros(),
        widget.created_at.timestamp_micros(),
        widget.updated_at.timestamp_micros(),
        widget.owner_id,
        widget.revision.id(),
    ]
}

pub(super) fn widget(row: &Row) -> Result<Widget, database::Error> {
    Ok(Widget {
        name: WidgetName::stored(row.get("name")?),
        description: Description::stored(row.get("description")?),
        info_url: InfoUrl::stored(row.get("info_url")?),
        deadline: Deadline::from(time(row, "deadline")?),
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        owner_id: row.get("owner_id")?,
        revision: Revision::from(row.get::<Uuid>("revision")?),
    })
}

/// Every time that can be written fits; the type of the column would let others through.
fn time(row: &Row, column: &str) -> Result<DateTime<Utc>, database::Error> {
    let micros = row.get(column)?;
    Ok(DateTime::from_timestamp_micros(micros).unwrap_or_default())
}
