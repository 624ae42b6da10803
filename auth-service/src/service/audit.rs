//! Showing what happened.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use proto::auth::v1::{self as pb, audit_event::Kind};
use service_kit::{
    page::{self, Direction, Part, Position},
    violations::Violations,
};
use uuid::Uuid;

use super::Context;
use crate::{
    audit::AuditEvent,
    error::Error,
    store::{AuditFilter, AuditPosition},
    time::{time_of, timestamp},
};

pub(super) async fn list(
    context: &Context,
    request: pb::ListAuditEventsRequest,
) -> Result<pb::ListAuditEventsResponse, Error> {
    let (filter, before, size) = parse(&request)?;
    let mut events = context.store.audit_events(&filter, before, size + 1).await?;
    let more = events.len() > size as usize;
    events.truncate(size as usize);

    let next = events
        .last()
        .filter(|_| more)
        .map(|event| token(event, &query(&filter)));
    Ok(pb::ListAuditEventsResponse {
        next_page_token: next.unwrap_or_default(),
        events: events.into_iter().map(render).collect(),
    })
}

fn parse(request: &pb::ListAuditEventsRequest) -> Result<(AuditFilter, Option<AuditPosition>, u32), Violations> {
    let mut violations = Violations::new();
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let filter = AuditFilter {
        actor: given(&request.actor),
        target: given(&request.target),
        kind: violations.take("kind", kind(request.kind)).flatten(),
        since: violations.take("since", time(request.since)).flatten(),
        until: violations.take("until", time(request.until)).flatten(),
    };
    let size = violations.take("page_size", page::size(request.page_size));
    let before = violations.take("page_token", position(&request.page_token, &query(&filter)));
    match (before, size) {
        (Some(before), Some(size)) if violations.is_empty() => Ok((filter, before, size)),
        _ => Err(violations),
    }
}

fn kind(number: i32) -> Result<Option<Kind>, &'static str> {
    match Kind::try_from(number) {
        Ok(Kind::Unspecified) => Ok(None),
        Ok(kind) => Ok(Some(kind)),
        Err(_) => Err("is no kind of event"),
    }
}

fn time(message: Option<Timestamp>) -> Result<Option<DateTime<Utc>>, &'static str> {
    let read = |message| time_of(message).ok_or("is out of range");
    message.map(read).transpose()
}

/// What a page token has to be used with again.
fn query(filter: &AuditFilter) -> [String; 5] {
    let micros = |time: Option<DateTime<Utc>>| time.map(|time| time.timestamp_micros().to_string()).unwrap_or_default();
    [
        filter.actor.clone().unwrap_or_default(),
        filter.target.clone().unwrap_or_default(),
        filter
            .kind
            .map(|kind| kind.as_str_name().to_owned())
            .unwrap_or_default(),
        micros(filter.since),
        micros(filter.until),
    ]
}

fn token(event: &AuditEvent, query: &[String; 5]) -> String {
    let position = Position {
        direction: Direction::Forward,
        key: vec![Part::Int(event.at.timestamp_micros()), Part::Text(event.id.to_string())],
    };
    position.to_token(&query.each_ref().map(String::as_str))
}

fn position(token: &str, query: &[String; 5]) -> Result<Option<AuditPosition>, page::InvalidToken> {
    if token.is_empty() {
        return Ok(None);
    }
    let position = Position::from_token(token, &query.each_ref().map(String::as_str))?;
    match &position.key[..] {
        [Part::Int(at), Part::Text(id)] => Uuid::try_parse(id)
            .map(|id| Some((*at, id)))
            .map_err(|_| page::InvalidToken),
        _ => Err(page::InvalidToken),
    }
}

fn render(event: AuditEvent) -> pb::AuditEvent {
    pb::AuditEvent {
        id: event.id.to_string(),
        at: Some(timestamp(event.at)),
        kind: event.kind.into(),
        actor: event.actor,
        target: event.target,
        outcome: event.outcome.into(),
        request_id: event.request_id,
        client: event.client,
    }
}
