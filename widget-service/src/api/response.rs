//! From domain types to messages.

use chrono::{DateTime, TimeDelta, Utc};
use proto::widget::v1 as pb;
use tonic::{Response, metadata::MetadataValue};

use crate::domain::{Page, Widget};

/// A widget as it is shown at `now`.
pub(super) fn widget(widget: &Widget, email: Option<String>, now: DateTime<Utc>) -> pb::Widget {
    let remaining = widget.time_remaining(now);
    pb::Widget {
        name: widget.name.to_string(),
        description: widget.description.as_str().to_owned(),
        info_url: widget.info_url.as_str().to_owned(),
        deadline: Some(timestamp(widget.deadline.time())),
        created_at: Some(timestamp(widget.created_at)),
        updated_at: Some(timestamp(widget.updated_at)),
        time_remaining: Some(duration(remaining)),
        deadline_passed: remaining.is_zero(),
        owner: Some(pb::Owner {
            id: widget.owner_id.to_string(),
            email,
        }),
        etag: widget.revision.to_string(),
    }
}

/// A page of rendered widgets.
pub(super) fn page(page: Page, widgets: Vec<pb::Widget>, total: Option<i64>) -> pb::ListWidgetsResponse {
    pb::ListWidgetsResponse {
        widgets,
        next_page_token: page.next,
        prev_page_token: page.prev,
        total_size: total.map(|total| i32::try_from(total).unwrap_or(i32::MAX)),
    }
}

/// Chooses the HTTP status that the gateway answers with.
pub(super) fn with_status<T>(mut reply: Response<T>, status: &'static str) -> Response<T> {
    reply
        .metadata_mut()
        .insert("http-status", MetadataValue::from_static(status));
    reply
}

fn timestamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}

fn duration(delta: TimeDelta) -> prost_types::Duration {
    prost_types::Duration {
        seconds: delta.num_seconds(),
        nanos: delta.subsec_nanos(),
    }
}
