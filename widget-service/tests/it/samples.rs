//! Widgets to test with.

use std::time::Duration;

use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use proto::widget::v1 as pb;
use uuid::Uuid;
use widget_service::domain::{Deadline, Draft, Widget};

/// When the tests take place.
pub fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00.123456Z".parse().unwrap()
}

/// A widget like any other, created now.
pub fn widget(name: &str) -> Widget {
    let draft = Draft {
        name: name.parse().unwrap(),
        description: "a wheel with teeth".parse().unwrap(),
        info_url: "https://example.com/9".parse().unwrap(),
        deadline: Deadline::from("2099-12-31T12:00:00Z".parse::<DateTime<Utc>>().unwrap()),
    };
    draft.into_widget(Uuid::nil(), now())
}

/// A time as it is sent.
pub fn timestamp(time: &str) -> Timestamp {
    let time: DateTime<Utc> = time.parse().unwrap();
    Timestamp {
        seconds: time.timestamp(),
        nanos: time.timestamp_subsec_nanos() as i32,
    }
}

/// A widget as a client sends it: good in every field.
pub fn sent(name: &str) -> pb::Widget {
    pb::Widget {
        name: name.into(),
        description: "a wheel with teeth".into(),
        info_url: "https://example.com/9".into(),
        deadline: Some(timestamp("2099-12-31T12:00:00Z")),
        ..Default::default()
    }
}

/// The same with another description.
pub fn described(name: &str, description: &str) -> pb::Widget {
    pb::Widget {
        description: description.into(),
        ..sent(name)
    }
}

/// A step of the clock.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A widget with new values in every field.
pub fn changed(name: &str) -> pb::Widget {
    pb::Widget {
        description: "changed".into(),
        info_url: "https://example.com/changed".into(),
        deadline: Some(timestamp("2100-01-01T00:00:00Z")),
        ..sent(name)
    }
}
