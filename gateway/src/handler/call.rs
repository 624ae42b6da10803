//! A request that a route takes: check, read, call, answer.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response, header};
use tokio::time::Instant;

use super::{Asked, accept, conditional, upward};
use crate::{
    app::{App, Bounds},
    endpoint::{BodyPlan, Endpoint},
    lookup,
    problem::Problem,
    request::{self, Parts, Read, body::Media, rest_violations},
    response::{
        body::Body,
        headers::rate_limit,
        stream::{Framing, Lines},
        unary::{self, AskedFor, Context},
    },
    upstream::{Call, Code, Reply, Status, Upstream},
    violation::Violations,
};

/// Answers a request that the route of this index takes.
pub(super) async fn call<B>(
    app: &Arc<App>,
    index: usize,
    segments: &[&str],
    asked: &Asked,
    body: B,
) -> Result<Response<Body>, Problem>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let endpoint = app.endpoints.get(index).ok_or_else(Problem::path_not_found)?;
    let headers = &asked.parts.headers;
    if endpoint.is_protected() && !has_token(headers) {
        return Err(Problem::token_missing());
    }
    let framing = framing(endpoint, headers)?;
    let timeout = upward::timeout(headers)?;
    let body = collect(app.bounds, headers, body).await?;
    let media = Media::of(headers, endpoint.body, body.is_empty()).map_err(|_| Problem::unsupported_media_type())?;
    let parts = Parts {
        segments,
        query: asked.parts.uri.query().unwrap_or_default(),
        media,
        body: &body,
    };
    let read = request::read(&app.plans, endpoint, &parts);
    let exchange = Exchange {
        app,
        index,
        endpoint,
        asked,
        timeout,
    };
    if read.malformed.is_some() || !read.violations.is_empty() {
        return Err(exchange.refuse(read).await);
    }
    let mut message = read.message;
    let matched = conditional::fill_etag(endpoint, headers, &mut message)?;
    match framing {
        Some(framing) => exchange.stream(message, framing).await,
        None => exchange.unary(message, matched).await,
    }
}

/// Whether the request shows any bearer token, be it empty: what it is worth the service decides.
fn has_token(headers: &HeaderMap) -> bool {
    let is_bearer = |value: &HeaderValue| {
        let scheme = value.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"bearer")
    };
    headers.get_all(header::AUTHORIZATION).iter().any(is_bearer)
}

/// How a stream is framed, `None` for a unary method. Refuses what the client does not take.
fn framing(endpoint: &Endpoint, headers: &HeaderMap) -> Result<Option<Framing>, Problem> {
    let reply = &endpoint.reply;
    if reply.raw.is_some() {
        return Ok(reply.streams.then_some(Framing::Raw));
    }
    let json = accept::quality(headers, "application/json");
    if !reply.streams {
        let has_content = reply.status != 204;
        return if json > 0 || !has_content {
            Ok(None)
        } else {
            Err(Problem::not_acceptable("application/json"))
        };
    }
    let events = accept::quality(headers, "text/event-stream");
    let lines = accept::quality(headers, "application/x-ndjson").max(json);
    match (lines, events) {
        (0, 0) => Err(Problem::not_acceptable("application/x-ndjson or text/event-stream")),
        (lines, events) if events > lines => Ok(Some(Framing::Events)),
        (lines, events) if events == lines && names(headers, "text/event-stream") => Ok(Some(Framing::Events)),
        _ => Ok(Some(Framing::Ndjson)),
    }
}

/// Whether `Accept` names the type itself, not by a range.
fn names(headers: &HeaderMap, media: &str) -> bool {
    let values = headers
        .get_all(header::ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split([',', ';']))
        .any(|range| range.trim().eq_ignore_ascii_case(media))
}

/// Reads the whole body, up to the limits.
async fn collect<B>(bounds: Bounds, headers: &HeaderMap, body: B) -> Result<Bytes, Problem>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > bounds.body as u64) {
        return Err(Problem::body_too_large(bounds.body));
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match tokio::time::timeout(bounds.body_timeout, collect_frames(body, bounds.body)).await {
        Ok(collected) => collected,
        Err(_) => Err(Problem::new(
            408,
            Code::DeadlineExceeded,
            "REQUEST_TIMEOUT",
            "the body did not arrive in time",
        )),
    }
}

async fn collect_frames<B>(mut body: B, limit: usize) -> Result<Bytes, Problem>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Problem::invalid("the body was cut off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len() + all.len() + data.len() > limit {
            return Err(Problem::body_too_large(limit));
        }
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
            first = Bytes::new();
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// A request that was read, on its way to the service and back.
struct Exchange<'a> {
    app: &'a Arc<App>,
    index: usize,
    endpoint: &'a Endpoint,
    asked: &'a Asked,
    timeout: Option<Duration>,
}

impl Exchange<'_> {
    fn call(&self, message: Vec<u8>) -> Call {
        let now = Instant::now();
        let longest = self.app.bounds.request_timeout;
        let deadline = now + self.timeout.map_or(longest, |timeout| timeout.min(longest));
        let until = match self.timeout {
            _ if !self.endpoint.reply.streams => Some(deadline),
            timeout => timeout.and_then(|timeout| now.checked_add(timeout)),
        };
        Call {
            path: self.endpoint.grpc_path.clone(),
            headers: upward::metadata(self.app, self.asked),
            message: message.into(),
            deadline,
            until,
            repeatable: self.endpoint.route.is_repeatable(),
        }
    }

    fn upstream(&self) -> Result<Arc<Upstream>, Problem> {
        let upstream = self.app.upstream(&self.endpoint.package);
        upstream.ok_or_else(Problem::path_not_found)
    }

    async fn ask(&self, message: Vec<u8>) -> Result<Reply, Problem> {
        let outcome = self.app.caller.unary(self.upstream()?, self.call(message)).await;
        outcome.map_err(|failure| {
            tracing::warn!(error = %failure, method = %self.endpoint.grpc_path, "a call failed");
            Problem::of_failure(&failure)
        })
    }

    async fn unary(&self, message: Vec<u8>, matched: bool) -> Result<Response<Body>, Problem> {
        let dry = self
            .endpoint
            .validate_only
            .is_some_and(|number| lookup::is_true(&message, number));
        let reply = self.ask(message).await?;
        let content = reply
            .outcome
            .map_err(|status| self.refusal(status, &reply.metadata, matched))?;
        let context = Context {
            plans: &self.app.plans,
            endpoint: self.endpoint,
            method: &self.asked.parts.method,
            headers: &self.asked.parts.headers,
            asked: AskedFor {
                path: self.asked.parts.uri.path(),
                query: self.asked.parts.uri.query().unwrap_or_default(),
                paged: self.endpoint.paged,
            },
            dry,
        };
        unary::response(&context, &reply.metadata, &content).map_err(|error| {
            tracing::error!(%error, method = %self.endpoint.grpc_path, "a reply cannot be shown");
            Problem::upstream_invalid()
        })
    }

    /// A service's refusal, its fields in REST spelling.
    fn refusal(&self, mut status: Status, metadata: &HeaderMap, matched: bool) -> Problem {
        let is_stale = matched && status.code == Code::Aborted;
        status.violations = rest_violations(self.endpoint, status.violations);
        let mut problem = Problem::of_status(status, metadata);
        if is_stale {
            problem.status = 412;
        }
        problem
    }

    async fn stream(&self, message: Vec<u8>, framing: Framing) -> Result<Response<Body>, Problem> {
        let opened = self.app.caller.stream(self.upstream()?, self.call(message)).await;
        let mut stream = opened.map_err(|failure| {
            tracing::warn!(error = %failure, method = %self.endpoint.grpc_path, "a stream was not opened");
            Problem::of_failure(&failure)
        })?;
        let first = match stream.messages.recv().await {
            Some(Err(status)) => return Err(self.refusal(status, &stream.metadata, false)),
            Some(Ok(first)) => Some(first),
            None => None,
        };
        let mut lines = Lines {
            app: self.app.clone(),
            index: self.index,
            framing,
            request_id: self.asked.id.as_str().to_owned(),
            first: None,
            messages: Some(stream.messages),
        };
        let mut content_type = HeaderValue::from_static("application/octet-stream");
        if let Some(first) = first {
            let (kind, framed) = lines.frame(&first).map_err(|error| {
                tracing::error!(%error, method = %self.endpoint.grpc_path, "a message cannot be shown");
                Problem::upstream_invalid()
            })?;
            content_type = kind;
            lines.first = Some(framed);
        }
        let mut response = lines.response(content_type, self.endpoint.reply.cache_control.clone());
        response.headers_mut().extend(rate_limit(&stream.metadata));
        Ok(response)
    }

    /// The refusal of a request that could not be read: with what the service has to add, where it can be asked
    /// without changing anything.
    async fn refuse(&self, read: Read) -> Problem {
        let Read {
            message,
            violations,
            malformed,
        } = read;
        let is_malformed = malformed.is_some();
        let mut problem = match malformed {
            Some(malformed) => Problem::new(400, Code::InvalidArgument, malformed.reason, malformed.detail),
            None => Problem::invalid("some fields of the request are not valid"),
        };
        problem.errors = violations;
        match self.validate(message).await {
            Some((status, metadata)) if matches!(status.code, Code::Unauthenticated | Code::PermissionDenied) => {
                return self.refusal(status, &metadata, false);
            }
            Some((status, _)) if status.code == Code::InvalidArgument => problem.errors.merge(status.violations),
            _ => {}
        }
        problem.errors = match is_malformed {
            true => Violations::default(),
            false => rest_violations(self.endpoint, problem.errors),
        };
        problem
    }

    /// Calls the service with `validate_only`; gives its refusal.
    async fn validate(&self, mut message: Vec<u8>) -> Option<(Status, HeaderMap)> {
        let number = self.endpoint.validate_only?;
        self.endpoint.route.access?;
        if self.endpoint.reply.streams || self.endpoint.body == BodyPlan::RawWhole {
            return None;
        }
        request::put_true(&mut message, number);
        let reply = self.ask(message).await.ok()?;
        Some((reply.outcome.err()?, reply.metadata))
    }
}
