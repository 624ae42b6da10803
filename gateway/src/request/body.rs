//! What kind of body a request has.

use http::{HeaderMap, header::CONTENT_TYPE};

use crate::endpoint::BodyPlan;

/// The kind of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media<'a> {
    Json,
    Form,
    /// Bytes of this `Content-Type`.
    Raw(&'a str),
    /// There is none, or it is raw and of no said type.
    Absent,
}

/// A body of a type that the route does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsupported;

impl<'a> Media<'a> {
    /// What the headers say of the body. Without a `Content-Type` a body is taken as JSON.
    pub(crate) fn of(headers: &'a HeaderMap, plan: BodyPlan, is_empty: bool) -> Result<Self, Unsupported> {
        let said = match headers.get(CONTENT_TYPE).map(|value| value.to_str()) {
            None => None,
            Some(Ok(said)) => Some(said.trim()),
            Some(Err(_)) => return Err(Unsupported),
        };
        if matches!(plan, BodyPlan::RawWhole | BodyPlan::RawField(_)) {
            return Ok(said.map_or(Self::Absent, Self::Raw));
        }
        if is_empty || plan == BodyPlan::None {
            return Ok(Self::Absent);
        }
        said.map_or(Ok(Self::Json), Self::parse)
    }

    fn parse(said: &'a str) -> Result<Self, Unsupported> {
        let mut parts = said.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut parameters = parts.filter_map(|part| part.split_once('='));
        let charset = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let utf8 = charset.is_none_or(|(_, value)| {
            let value = value.trim().trim_matches('"');
            value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
        });
        let is_json =
            media == "application/json" || media.split_once('/').is_some_and(|(_, sub)| sub.ends_with("+json"));
        match (is_json, media.as_str()) {
            (true, _) if utf8 => Ok(Self::Json),
            (false, "application/x-www-form-urlencoded") if utf8 => Ok(Self::Form),
            _ => Err(Unsupported),
        }
    }
}
