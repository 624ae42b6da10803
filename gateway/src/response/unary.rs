//! The response to a unary call.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::{
    body::Body,
    headers::{self, Asked},
};
use crate::{
    endpoint::{Endpoint, ReplyPlan},
    json::encode::Encoder,
    plan::Plans,
    wire::{Invalid, LENGTH, Raw, Reader},
};

/// What a response depends on besides the reply.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) plans: &'a Plans,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) asked: Asked<'a>,
    /// Whether the request only asked for validation.
    pub(crate) dry: bool,
}

pub(crate) use super::headers::Asked as AskedFor;

/// Makes the response of a reply.
pub(crate) fn response(context: &Context<'_>, metadata: &HeaderMap, reply: &[u8]) -> Result<Response<Body>, Invalid> {
    let plan = &context.endpoint.reply;
    let status = status(context, metadata);
    let mut response = Response::new(Body::empty());
    let etag = headers::etag(plan, reply)?;
    let link = headers::link(plan, reply, context.asked)?;
    let location = match &plan.location {
        Some(location) if status == StatusCode::CREATED => {
            headers::location(context.plans, location, context.endpoint.output, reply)?
        }
        _ => None,
    };
    let known = etag.as_ref().is_some_and(|etag| {
        matches!(*context.method, Method::GET | Method::HEAD) && headers::is_known(context.headers, etag)
    });
    let fields = [(header::ETAG, etag), (header::LINK, link), (header::LOCATION, location)];
    let map = response.headers_mut();
    map.insert(header::CACHE_CONTROL, plan.cache_control.clone());
    map.extend(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
    map.extend(headers::rate_limit(metadata));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    *response.status_mut() = status;
    if status == StatusCode::NO_CONTENT || status == StatusCode::RESET_CONTENT {
        return Ok(response);
    }
    let (content_type, body) = content(context.plans, context.endpoint, reply)?;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    *response.body_mut() = Body::whole(body);
    Ok(response)
}

/// What the service chose, else what the method says, but 200 for what was only validated.
fn status(context: &Context<'_>, metadata: &HeaderMap) -> StatusCode {
    let plan = &context.endpoint.reply;
    let code = match headers::chosen_status(metadata) {
        _ if context.dry => 200,
        Some(chosen) => chosen,
        None => plan.status,
    };
    StatusCode::from_u16(code).unwrap_or(StatusCode::OK)
}

/// A message's content type and content.
pub(crate) fn content(plans: &Plans, endpoint: &Endpoint, reply: &[u8]) -> Result<(HeaderValue, Bytes), Invalid> {
    let plan = &endpoint.reply;
    if let Some(path) = &plan.raw {
        return raw(reply, path);
    }
    Ok((
        HeaderValue::from_static("application/json"),
        json(plans, endpoint, plan, reply)?.into(),
    ))
}

fn json(plans: &Plans, endpoint: &Endpoint, plan: &ReplyPlan, reply: &[u8]) -> Result<Vec<u8>, Invalid> {
    let mut encoder = Encoder::new(plans, reply.len());
    match plan.body {
        Some(index) => encoder.only_field(endpoint.output, index, reply)?,
        None => encoder.message(endpoint.output, reply)?,
    }
    Ok(encoder.out)
}

/// The content of a `google.api.HttpBody`.
fn raw(reply: &[u8], path: &[u32]) -> Result<(HeaderValue, Bytes), Invalid> {
    let body = match path.first() {
        Some(number) => last_bytes(reply, *number)?.unwrap_or_default(),
        None => reply,
    };
    let content_type = last_bytes(body, 1)?
        .filter(|value| !value.is_empty())
        .unwrap_or(b"application/octet-stream");
    let content_type = HeaderValue::from_bytes(content_type).map_err(|_| Invalid("a content type is not valid"))?;
    Ok((
        content_type,
        Bytes::copy_from_slice(last_bytes(body, 2)?.unwrap_or_default()),
    ))
}

fn last_bytes(message: &[u8], wanted: u32) -> Result<Option<&[u8]>, Invalid> {
    let mut reader = Reader::new(message);
    let mut found = None;
    while !reader.is_done() {
        let (number, wire_type) = reader.tag()?;
        let raw = reader.value(number, wire_type)?;
        if let (true, LENGTH, Raw::Bytes(bytes)) = (number == wanted, wire_type, raw) {
            found = Some(bytes);
        }
    }
    Ok(found)
}
