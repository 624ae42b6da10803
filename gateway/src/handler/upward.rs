//! What of a request's headers goes to the service.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use service_kit::{grpc_timeout, request_id, trace_context};

use super::Asked;
use crate::{app::App, problem::Problem};

/// The headers that go up as they came, all of their values.
const ALLOWED: [HeaderName; 5] = [
    header::AUTHORIZATION,
    header::ACCEPT_LANGUAGE,
    header::USER_AGENT,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The metadata of a call.
pub(super) fn metadata(app: &App, asked: &Asked) -> HeaderMap {
    let headers = &asked.parts.headers;
    let mut metadata = HeaderMap::with_capacity(12);
    for name in ALLOWED {
        for value in headers.get_all(&name) {
            metadata.append(name.clone(), value.clone());
        }
    }
    metadata.insert(request_id::HEADER, asked.id.to_header());
    let forwarded = headers
        .get_all(FORWARDED_FOR)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let client = app.proxies.client(asked.peer, forwarded);
    if let Ok(client) = HeaderValue::from_str(&client.to_string()) {
        metadata.insert(FORWARDED_FOR, client);
    }
    trace_context::pass_on(&tracing::Span::current(), &mut metadata);
    metadata
}

/// The deadline that the caller wants.
pub(super) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    grpc_timeout::of(headers).map_err(Problem::invalid)
}
