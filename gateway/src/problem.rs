//! Refusals as `application/problem+json` (RFC 9457).

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{
    response::{body::Body, headers},
    upstream::{Code, Failure, Status},
    violation::Violations,
};

/// The challenge of a 401 that says no more (RFC 6750).
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="gatehouse""#);

/// A refusal on its way to the client.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) code: Code,
    pub(crate) reason: String,
    pub(crate) detail: String,
    /// Fields in REST spelling.
    pub(crate) errors: Violations,
    /// `Retry-After`, `RateLimit`, `WWW-Authenticate`, `Allow`.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Shape<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    reason: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError<'a>>,
}

#[derive(Serialize)]
struct FieldError<'a> {
    field: &'a str,
    detail: &'a str,
}

impl Problem {
    pub(crate) fn new(status: u16, code: Code, reason: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            reason: reason.into(),
            detail: detail.into(),
            errors: Violations::default(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn path_not_found() -> Self {
        Self::new(404, Code::NotFound, "PATH_NOT_FOUND", "there is nothing at this path")
    }

    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this path takes {allow}");
        Self::new(405, Code::Unimplemented, "METHOD_NOT_ALLOWED", detail).with(header::ALLOW, allow)
    }

    pub(crate) fn not_acceptable(offered: &str) -> Self {
        let detail = format!("the response is {offered}, which Accept excludes");
        Self::new(406, Code::InvalidArgument, "NOT_ACCEPTABLE", detail)
    }

    pub(crate) fn unsupported_media_type() -> Self {
        let detail = "the body must be application/json in UTF-8, or application/x-www-form-urlencoded";
        Self::new(415, Code::InvalidArgument, "UNSUPPORTED_MEDIA_TYPE", detail)
    }

    pub(crate) fn body_too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes");
        Self::new(413, Code::ResourceExhausted, "BODY_TOO_LARGE", detail)
    }

    pub(crate) fn token_missing() -> Self {
        let detail = "this call needs a token: Authorization: Bearer <access_token>";
        Self::new(401, Code::Unauthenticated, "TOKEN_MISSING", detail).with_challenge()
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(400, Code::InvalidArgument, "INVALID_FIELDS", detail)
    }

    pub(crate) fn stale(detail: &str) -> Self {
        Self::new(412, Code::Aborted, "PRECONDITION_FAILED", detail)
    }

    /// Something broke that the caller cannot help. The cause was logged.
    pub(crate) fn internal() -> Self {
        Self::new(500, Code::Internal, "INTERNAL", "the call failed inside the gateway")
    }

    /// What the service answered cannot be shown. The cause was logged.
    pub(crate) fn upstream_invalid() -> Self {
        Self::new(
            502,
            Code::Internal,
            "UPSTREAM_INVALID",
            "the service's answer cannot be shown",
        )
    }

    /// A service's refusal; its fields are already in REST spelling.
    pub(crate) fn of_status(status: Status, metadata: &HeaderMap) -> Self {
        let reason = status.reason.unwrap_or_else(|| status.code.name().to_owned());
        let mut problem = Self::new(status.code.http(), status.code, reason, status.message);
        problem.errors = status.violations;
        if let Some(seconds) = status.retry_after {
            problem.headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
        }
        problem.headers.extend(headers::rate_limit(metadata));
        for challenge in metadata.get_all(header::WWW_AUTHENTICATE) {
            problem.headers.push((header::WWW_AUTHENTICATE, challenge.clone()));
        }
        if status.code == Code::Unauthenticated {
            return problem.with_challenge();
        }
        problem
    }

    /// No answer from the service.
    pub(crate) fn of_failure(failure: &Failure) -> Self {
        let unavailable = |detail: &str| {
            let problem = Self::new(503, Code::Unavailable, "UNAVAILABLE", detail);
            problem.with(header::RETRY_AFTER, "1")
        };
        match failure {
            Failure::Transport(_) => unavailable("the service is not available at the moment"),
            Failure::Overloaded => {
                let problem = Self::new(
                    429,
                    Code::ResourceExhausted,
                    "OVERLOADED",
                    "too many calls are under way",
                );
                problem.with(header::RETRY_AFTER, "1")
            }
            Failure::Invalid(_) => Self::upstream_invalid(),
            Failure::Deadline => {
                let detail = "the service did not answer in time";
                Self::new(504, Code::DeadlineExceeded, "DEADLINE_EXCEEDED", detail)
            }
        }
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    fn with_challenge(mut self) -> Self {
        if !self.headers.iter().any(|(name, _)| *name == header::WWW_AUTHENTICATE) {
            self.headers.push((header::WWW_AUTHENTICATE, CHALLENGE));
        }
        self
    }

    /// The problem as JSON.
    pub(crate) fn json(&self, request_id: &str) -> Vec<u8> {
        let shape = Shape {
            kind: "about:blank",
            title: title(self.status),
            status: self.status,
            detail: &self.detail,
            code: self.code.name(),
            reason: &self.reason,
            request_id,
            errors: self
                .errors
                .iter()
                .map(|found| FieldError {
                    field: &found.field,
                    detail: &found.detail,
                })
                .collect(),
        };
        // It holds texts and numbers alone, which cannot fail.
        serde_json::to_vec(&shape).unwrap_or_default()
    }

    /// The whole response.
    pub(crate) fn response(self, request_id: &str) -> Response<Body> {
        let mut response = Response::new(Body::whole(Bytes::from(self.json(request_id))));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

fn title(status: u16) -> &'static str {
    match status {
        499 => "Client Closed Request",
        _ => StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Error"),
    }
}
