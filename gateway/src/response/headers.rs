//! The headers that a reply's fields become.

use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    endpoint::{LocationPlan, ReplyPlan},
    json::encode::Encoder,
    percent,
    plan::{MessageId, Plans},
    template::Segment,
    wire::Invalid,
};

/// What the request has to do with the headers of its response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) paged: bool,
}

/// `ETag`, from the reply's field.
pub(super) fn etag(plan: &ReplyPlan, reply: &[u8]) -> Result<Option<HeaderValue>, Invalid> {
    let Some(path) = &plan.etag else {
        return Ok(None);
    };
    let tag = path.read(reply)?.filter(|tag| !tag.is_empty());
    let fits = |tag: &&str| tag.bytes().all(|byte| byte == 0x21 || (0x23..=0x7e).contains(&byte));
    Ok(tag
        .filter(fits)
        .and_then(|tag| HeaderValue::from_str(&format!("\"{tag}\"")).ok()))
}

/// `Link` (RFC 8288) to the pages around this one: path-relative, all other query keys kept.
pub(super) fn link(plan: &ReplyPlan, reply: &[u8], asked: Asked<'_>) -> Result<Option<HeaderValue>, Invalid> {
    if !asked.paged || (plan.next_page.is_none() && plan.prev_page.is_none()) {
        return Ok(None);
    }
    let mut kept = Vec::new();
    let mut had_token = false;
    for pair in asked.query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match percent::decode_query(key).as_deref() {
            Some("page_token" | "pageToken") => had_token |= !value.is_empty(),
            _ => kept.push(pair),
        }
    }
    let mut links = Vec::new();
    if had_token {
        links.push(one_link(asked.path, &kept, None, "first"));
    }
    for (field, rel) in [(&plan.prev_page, "prev"), (&plan.next_page, "next")] {
        let token = field.as_ref().map(|field| field.read(reply)).transpose()?.flatten();
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            links.push(one_link(asked.path, &kept, Some(token), rel));
        }
    }
    Ok(HeaderValue::from_str(&links.join(", "))
        .ok()
        .filter(|value| !value.is_empty()))
}

fn one_link(path: &str, kept: &[&str], token: Option<&str>, rel: &str) -> String {
    let token = token.map(|token| format!("page_token={}", percent::encode(token)));
    let query: Vec<&str> = kept.iter().copied().chain(token.as_deref()).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("<{path}{mark}{}>; rel=\"{rel}\"", query.join("&"))
}

/// `Location`: the template with the reply's fields in it. Nothing when one of them is empty.
pub(super) fn location(
    plans: &Plans,
    plan: &LocationPlan,
    output: MessageId,
    reply: &[u8],
) -> Result<Option<HeaderValue>, Invalid> {
    let mut text = String::new();
    let segments = plan.template.segments();
    let mut at = 0;
    while let Some(segment) = segments.get(at) {
        let variable = plan
            .template
            .variables()
            .iter()
            .position(|variable| variable.start == at);
        let Some((variable, path)) =
            variable.and_then(|index| Some((plan.template.variables().get(index)?, plan.variables.get(index)?)))
        else {
            if let Segment::Literal(literal) = segment {
                // Writing to a String cannot fail.
                let _ = write!(text, "/{literal}");
            }
            at += 1;
            continue;
        };
        let value = value_text(plans, output, path, reply)?;
        if value.is_empty() {
            return Ok(None);
        }
        if plan.template.is_multi_segment(variable) {
            for part in value.split('/') {
                let _ = write!(text, "/{}", percent::encode(part));
            }
        } else {
            let _ = write!(text, "/{}", percent::encode(&value));
        }
        at = variable.end.max(at + 1);
    }
    if let Some(verb) = plan.template.verb() {
        let _ = write!(text, ":{verb}");
    }
    Ok(HeaderValue::from_str(&text).ok())
}

/// A field's value as the text that a path would hold.
fn value_text(plans: &Plans, output: MessageId, path: &[u16], reply: &[u8]) -> Result<String, Invalid> {
    let mut encoder = Encoder::new(plans, 64);
    encoder.nested_field(output, path, reply)?;
    let text = match serde_json::from_slice(&encoder.out) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Null) | Err(_) => String::new(),
        Ok(other) => other.to_string(),
    };
    Ok(text)
}

/// Takes what of the initial metadata the rules name: the status that the service chose.
pub(super) fn chosen_status(metadata: &HeaderMap) -> Option<u16> {
    let status: u16 = metadata.get("http-status")?.to_str().ok()?.parse().ok()?;
    (200..300).contains(&status).then_some(status)
}

/// The fields in which a service tells what is left of a quota (draft-ietf-httpapi-ratelimit-headers).
const RATE_LIMIT: [&str; 2] = ["ratelimit-policy", "ratelimit"];

/// What of the metadata of replies and refusals comes down as it is.
pub(crate) fn rate_limit(metadata: &HeaderMap) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let fields = metadata.iter().filter(|(name, _)| RATE_LIMIT.contains(&name.as_str()));
    fields.map(|(name, value)| (name.clone(), value.clone()))
}

/// Whether `If-None-Match` names the tag. Weak tags match here.
pub(super) fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(etag) = etag.to_str() else {
        return false;
    };
    let values = headers
        .get_all(header::IF_NONE_MATCH)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || bare(tag) == etag)
}
