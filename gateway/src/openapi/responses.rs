//! The responses of an operation.

use std::collections::BTreeMap;

use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{
    comments::Comment,
    parameters::{shows_etag, takes_etag},
    problems::{self, Refusal},
    schema::{Direction, Schemas},
    well_known,
};
use crate::{
    options::Access,
    route::{Body, Route},
    template::Segment,
};

/// The responses of a route, by status.
pub(super) fn of(schemas: &mut Schemas<'_>, route: &Route, http_method: &http::Method, comment: &Comment) -> Value {
    let mut responses = Map::new();
    for (status, description) in successes(route) {
        responses.insert(status.to_string(), success(schemas, route, status, description));
    }
    if *http_method == http::Method::GET && shows_etag(route) {
        let mut unchanged = json!({"description": "What `If-None-Match` names still holds."});
        unchanged["headers"] = headers(&["ETag", "X-Request-Id"]);
        responses.insert("304".to_owned(), unchanged);
    }
    for (refusal, reasons) in refusals(route, comment) {
        responses.insert(refusal.status().to_string(), problems::response(refusal, &reasons));
    }
    responses.insert("default".to_owned(), problems::reference("Problem"));
    Value::Object(responses)
}

/// The successful statuses and what they mean.
fn successes(route: &Route) -> Vec<(u16, &'static str)> {
    let option = &route.http_response;
    let said = u16::try_from(option.status).unwrap_or(200);
    let checks_only = route.method.input().get_field_by_name("validate_only").is_some();
    match said {
        0 | 200 if !option.location.is_empty() => vec![(200, "Done."), (201, "Done, and something new was made.")],
        0 | 200 => vec![(200, "Done.")],
        201 if checks_only => vec![
            (200, "Only checked: nothing was made."),
            (201, "Something new was made."),
        ],
        201 => vec![(201, "Something new was made.")],
        204 => vec![(204, "Done. There is nothing to show.")],
        other => vec![(other, "Done.")],
    }
}

fn success(schemas: &mut Schemas<'_>, route: &Route, status: u16, description: &str) -> Value {
    let mut names = vec!["X-Request-Id"];
    if status == 201 && !route.http_response.location.is_empty() {
        names.push("Location");
    }
    if shows_etag(route) {
        names.push("ETag");
    }
    if is_paged(&route.method.output()) {
        names.push("Link");
    }
    let mut response = json!({"description": description, "headers": headers(&names)});
    if status != 204 {
        response["content"] = content(schemas, route);
    }
    response
}

fn content(schemas: &mut Schemas<'_>, route: &Route) -> Value {
    let message = route.method.output();
    let is_raw = |kind: &Kind| matches!(kind, Kind::Message(inner) if inner.full_name() == well_known::RAW);
    let (schema, raw) = match &route.response_body {
        Some(field) => (
            schemas.field(field, Direction::Out),
            !field.is_list() && is_raw(&field.kind()),
        ),
        None => (
            schemas.message(&message, Direction::Out),
            message.full_name() == well_known::RAW,
        ),
    };
    if route.method.is_server_streaming() {
        let broken_off = json!({
            "type": "object",
            "description": "The last line, when the stream broke off.",
            "properties": {"error": problems::schema_reference()},
            "required": ["error"],
        });
        return json!({
            "application/x-ndjson": {"schema": {"description": "One line.", "anyOf": [schema, broken_off]}},
            "text/event-stream": {"schema": {"type": "string", "description": "One event a message."}},
        });
    }
    if raw {
        return json!({"*/*": {"schema": {}}});
    }
    json!({"application/json": {"schema": schema}})
}

/// Whether a response has tokens that become `Link` headers.
fn is_paged(message: &MessageDescriptor) -> bool {
    let is_token = |name: &&str| {
        let field = message.get_field_by_name(name);
        field.is_some_and(|field| !field.is_list() && matches!(field.kind(), Kind::String))
    };
    ["next_page_token", "prev_page_token"].iter().any(is_token)
}

/// How a call may be refused, with the reasons that the method's comment names.
fn refusals(route: &Route, comment: &Comment) -> BTreeMap<Refusal, Vec<String>> {
    use Refusal::*;
    let mut refusals: BTreeMap<Refusal, Vec<String>> = BTreeMap::new();
    let mut add = |refusal| {
        refusals.entry(refusal).or_default();
    };
    for always in [
        BadRequest,
        NotAcceptable,
        TooManyRequests,
        Internal,
        BadGateway,
        Unavailable,
        Timeout,
    ] {
        add(always);
    }
    if !matches!(route.access, None | Some(Access::Public)) {
        add(Unauthorized);
    }
    if matches!(route.access, Some(Access::Admin | Access::Service)) {
        add(Forbidden);
    }
    let is_variable = |segment: &Segment| !matches!(segment, Segment::Literal(_));
    if route.template.segments().iter().any(is_variable) {
        add(NotFound);
    }
    if takes_etag(route) {
        add(PreconditionFailed);
    }
    if route.body != Body::None {
        add(TooLarge);
        add(UnsupportedType);
    }
    for (code, reason) in problems::named(&comment.text) {
        if let Some(refusal) = Refusal::of_code(code) {
            refusals.entry(refusal).or_default().extend(reason);
        }
    }
    refusals
}

/// References to headers by their names.
pub(super) fn headers(names: &[&str]) -> Value {
    let entry = |name: &&str| {
        let reference = json!({"$ref": format!("#/components/headers/{name}")});
        ((*name).to_owned(), reference)
    };
    Value::Object(names.iter().map(entry).collect())
}
