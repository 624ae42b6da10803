//! Audit events.

use chrono::{DateTime, Utc};
use database::{Error, Row, Transaction, Value};
use proto::auth::v1::audit_event::{Kind, Outcome};
use uuid::Uuid;

use super::{
    Store,
    values::{rows_of, time},
};
use crate::audit::AuditEvent;

const COLUMNS: &str = "id, at, kind, outcome, actor, target, request_id, client";

/// Events that go into one statement: far below what the engines take in parameters.
const ROWS_AT_ONCE: usize = 256;

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only by this actor.
    pub actor: Option<String>,
    /// Only done to this target.
    pub target: Option<String>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// Only before this time.
    pub until: Option<DateTime<Utc>>,
}

/// An event's place in the order: microseconds since the epoch, then id.
pub type AuditPosition = (i64, Uuid);

impl Store {
    /// At most `limit` events, newest first, those before `before` if given.
    pub async fn audit_events(
        &self,
        filter: &AuditFilter,
        before: Option<AuditPosition>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, Error> {
        let mut wanted = Conditions::default();
        wanted.add("actor =", filter.actor.clone());
        wanted.add("target =", filter.target.clone());
        wanted.add("kind =", filter.kind.map(|kind| i64::from(kind as i32)));
        wanted.add("at >=", filter.since.map(|time| time.timestamp_micros()));
        wanted.add("at <", filter.until.map(|time| time.timestamp_micros()));
        if let Some((at, id)) = before {
            wanted.add_pair("(at, id) <", at, id);
        }
        let (sql, values) = wanted.into_query(limit);
        let rows = self.db.fetch_all(sql, values).await?;
        rows.iter().map(event).collect()
    }
}

#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, comparison: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.values.push(value.into());
            self.texts.push(format!("{comparison} ${}", self.values.len()));
        }
    }

    fn add_pair(&mut self, comparison: &str, first: i64, second: Uuid) {
        self.values.extend([first.into(), second.into()]);
        let last = self.values.len();
        self.texts.push(format!("{comparison} (${}, ${last})", last - 1));
    }

    fn into_query(mut self, limit: u32) -> (String, Vec<Value>) {
        let wanted = match self.texts.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", self.texts.join(" AND ")),
        };
        self.values.push(i64::from(limit).into());
        let place = self.values.len();
        let sql = format!("SELECT {COLUMNS} FROM audit_events{wanted} ORDER BY at DESC, id DESC LIMIT ${place}");
        (sql, self.values)
    }
}

/// Stores events with the rest of a transaction.
pub(super) async fn insert_events(tx: &mut Transaction, events: &[AuditEvent]) -> Result<(), Error> {
    for some in events.chunks(ROWS_AT_ONCE) {
        let sql = format!("INSERT INTO audit_events ({COLUMNS}) VALUES {}", rows_of(8, some.len()));
        tx.execute(sql, some.iter().flat_map(values).collect()).await?;
    }
    Ok(())
}

fn values(event: &AuditEvent) -> [Value; 8] {
    [
        event.id.into(),
        event.at.timestamp_micros().into(),
        i64::from(event.kind as i32).into(),
        i64::from(event.outcome as i32).into(),
        event.actor.as_str().into(),
        event.target.as_str().into(),
        event.request_id.as_str().into(),
        event.client.as_str().into(),
    ]
}

fn event(row: &Row) -> Result<AuditEvent, Error> {
    let number = |column| Ok::<_, Error>(i32::try_from(row.get::<i64>(column)?).unwrap_or_default());
    Ok(AuditEvent {
        id: row.get("id")?,
        at: time(row, "at")?,
        kind: Kind::try_from(number("kind")?).unwrap_or_default(),
        outcome: Outcome::try_from(number("outcome")?).unwrap_or_default(),
        actor: row.get("actor")?,
        target: row.get("target")?,
        request_id: row.get("request_id")?,
        client: row.get("client")?,
    })
}
