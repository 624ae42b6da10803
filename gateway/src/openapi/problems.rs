//! How refusals look: one shape (RFC 9457) for all of them.

use serde_json::{Value, json};

use super::responses::headers;

/// The name of the schema.
pub(super) const SCHEMA: &str = "Problem";

/// The canonical codes and their HTTP statuses.
const CODES: [(&str, u16); 16] = [
    ("CANCELLED", 499),
    ("UNKNOWN", 500),
    ("INVALID_ARGUMENT", 400),
    ("DEADLINE_EXCEEDED", 504),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("PERMISSION_DENIED", 403),
    ("RESOURCE_EXHAUSTED", 429),
    ("FAILED_PRECONDITION", 400),
    ("ABORTED", 409),
    ("OUT_OF_RANGE", 400),
    ("UNIMPLEMENTED", 501),
    ("INTERNAL", 500),
    ("UNAVAILABLE", 503),
    ("DATA_LOSS", 500),
    ("UNAUTHENTICATED", 401),
];

/// The statuses that are documented one by one. The rest falls under `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refusal {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    NotAcceptable,
    Conflict,
    PreconditionFailed,
    TooLarge,
    UnsupportedType,
    TooManyRequests,
    Internal,
    NotImplemented,
    BadGateway,
    Unavailable,
    Timeout,
}

impl Refusal {
    pub(super) const ALL: [Self; 15] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::NotAcceptable,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedType,
        Self::TooManyRequests,
        Self::Internal,
        Self::NotImplemented,
        Self::BadGateway,
        Self::Unavailable,
        Self::Timeout,
    ];

    /// The refusal that a canonical code becomes.
    pub(super) fn of_code(code: &str) -> Option<Self> {
        let (_, status) = CODES.iter().find(|(name, _)| *name == code)?;
        Self::ALL.into_iter().find(|refusal| refusal.status() == *status)
    }

    pub(super) fn status(self) -> u16 {
        self.facts().0
    }

    /// The status, the name of the shared response, and what it means.
    fn facts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::BadRequest => (
                400,
                "BadRequest",
                "The request is not valid; `errors` names every field at fault.",
            ),
            Self::Unauthorized => (401, "Unauthorized", "The call carries nothing that proves who calls."),
            Self::Forbidden => (403, "Forbidden", "The caller may not do this."),
            Self::NotFound => (404, "NotFound", "There is no such thing."),
            Self::NotAcceptable => (406, "NotAcceptable", "`Accept` excludes what there is."),
            Self::Conflict => (409, "Conflict", "The call does not go with the present state."),
            Self::PreconditionFailed => (
                412,
                "PreconditionFailed",
                "What `If-Match` names does not hold any more.",
            ),
            Self::TooLarge => (413, "ContentTooLarge", "The body is too large."),
            Self::UnsupportedType => (415, "UnsupportedMediaType", "The body is of a type that is not read."),
            Self::TooManyRequests => (429, "TooManyRequests", "Too many calls, or too many failed ones."),
            Self::Internal => (
                500,
                "InternalServerError",
                "Something broke that the caller cannot help.",
            ),
            Self::NotImplemented => (501, "NotImplemented", "The service does not have this method yet."),
            Self::BadGateway => (
                502,
                "BadGateway",
                "The service answered with what its description refuses.",
            ),
            Self::Unavailable => (
                503,
                "ServiceUnavailable",
                "The service cannot be reached or cannot decide now.",
            ),
            Self::Timeout => (504, "GatewayTimeout", "The service did not answer in time."),
        }
    }
}

/// A response of an operation: the shared one, or its own that lists the reasons.
pub(super) fn response(refusal: Refusal, reasons: &[String]) -> Value {
    let (_, name, description) = refusal.facts();
    if reasons.is_empty() {
        return reference(name);
    }
    let mut listed: Vec<String> = reasons.iter().map(|reason| format!("`{reason}`")).collect();
    listed.dedup();
    full(refusal, &format!("{description} Reasons: {}.", listed.join(", ")))
}

/// A reference to a shared response.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/responses/{name}")})
}

/// All shared responses, by name.
pub(super) fn shared() -> Vec<(&'static str, Value)> {
    let named = Refusal::ALL.into_iter().map(|refusal| {
        let (_, name, description) = refusal.facts();
        (name, full(refusal, description))
    });
    let other = with_headers("Any other refusal.", &["X-Request-Id"]);
    named.chain([(SCHEMA, other)]).collect()
}

fn full(refusal: Refusal, description: &str) -> Value {
    match refusal {
        Refusal::BadRequest | Refusal::Unauthorized | Refusal::Forbidden => {
            with_headers(description, &["X-Request-Id", "WWW-Authenticate"])
        }
        Refusal::TooManyRequests => with_headers(
            description,
            &["X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"],
        ),
        Refusal::Unavailable => with_headers(description, &["X-Request-Id", "Retry-After"]),
        _ => with_headers(description, &["X-Request-Id"]),
    }
}

fn with_headers(description: &str, names: &[&str]) -> Value {
    json!({
        "description": description,
        "headers": headers(names),
        "content": {"application/problem+json": {"schema": schema_reference()}},
    })
}

/// A reference to the schema of all refusals.
pub(super) fn schema_reference() -> Value {
    json!({"$ref": format!("#/components/schemas/{SCHEMA}")})
}

/// The schema of all refusals.
pub(super) fn schema() -> Value {
    let codes: Vec<_> = CODES.iter().map(|(name, _)| *name).collect();
    json!({
        "type": "object",
        "description": "Why a call was refused (RFC 9457).",
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": "The kind of problem."},
            "title": {"type": "string", "description": "The kind of problem in words."},
            "status": {"type": "integer", "format": "int32", "description": "The HTTP status."},
            "detail": {"type": "string", "description": "What is wrong with this call, for people."},
            "code": {"type": "string", "enum": codes, "description": "The canonical gRPC code."},
            "reason": {"type": "string", "description": "A stable name of the reason, for programs."},
            "request_id": {"type": "string", "description": "The id of the call, as in the logs."},
            "errors": {
                "type": "array",
                "description": "Every field that is at fault.",
                "items": {
                    "type": "object",
                    "properties": {
                        "field": {"type": "string", "description": "The path of the field, such as `a.b[0].c`."},
                        "detail": {"type": "string", "description": "What is wrong with it, for people."},
                    },
                    "required": ["field", "detail"],
                },
            },
        },
        "required": ["type", "title", "status", "detail", "code", "reason", "request_id"],
        "examples": [{
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": "some fields of the request are not valid",
            "code": "INVALID_ARGUMENT",
            "reason": "INVALID_FIELDS",
            "request_id": "0196f3a2-6f0e-7c7e-8f53-0d6b6d2f5a10",
            "errors": [{"field": "name", "detail": "must be given"}],
        }],
    })
}

/// The canonical codes that a comment names, each with the reason that follows it in brackets:
/// `NOT_FOUND (USER_NOT_FOUND)`.
pub(super) fn named(text: &str) -> Vec<(&str, Option<String>)> {
    let is_part = |c: char| c == '_' || c.is_ascii_uppercase();
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let word = rest.get(start..).unwrap_or_default();
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        if CODES.iter().any(|(code, _)| *code == word) {
            found.push((word, reason(after)));
        }
        rest = after;
    }
    found
}

fn reason(after: &str) -> Option<String> {
    let (name, _) = after.strip_prefix(" (")?.split_once(')')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_uppercase());
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_in_comments_are_found_with_their_reasons() {
        let text = "Answers NOT_FOUND (USER_NOT_FOUND) when gone, ABORTED when not (see there). The RFC says OK.";
        assert_eq!(
            named(text),
            [("NOT_FOUND", Some("USER_NOT_FOUND".to_owned())), ("ABORTED", None)]
        );
    }

    #[test]
    fn every_code_but_cancelled_has_a_response_of_its_own() {
        let without: Vec<_> = CODES
            .iter()
            .filter(|(code, _)| Refusal::of_code(code).is_none())
            .collect();
        assert_eq!(without, [&("CANCELLED", 499)]);
    }
}
