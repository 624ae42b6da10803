//! Cross-origin requests of browsers: by allow-list, never with credentials.

use std::str::FromStr;

use http::{HeaderMap, HeaderValue, Method, header};

/// The request headers that a page may send.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "accept, accept-language, authorization, content-type, grpc-timeout, if-match, if-none-match, traceparent, x-request-id",
);

/// The response headers that a page may read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "WWW-Authenticate, Location, Link, ETag, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id",
);

const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Which origins may use the API from a page (`GATEWAY_CORS_ORIGINS`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cors {
    /// None.
    #[default]
    Off,
    /// `*`: every one.
    Any,
    /// These, exactly.
    Only(Vec<HeaderValue>),
}

impl FromStr for Cors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "* or origins, comma-separated, such as https://app.example.com";
        let origins: Vec<&str> = text
            .split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .collect();
        match origins.as_slice() {
            [] => Ok(Self::Off),
            ["*"] => Ok(Self::Any),
            _ => origins
                .into_iter()
                .map(origin)
                .collect::<Option<_>>()
                .map(Self::Only)
                .ok_or(wanted.to_owned()),
        }
    }
}

/// An origin: scheme, host and perhaps a port, no path.
fn origin(text: &str) -> Option<HeaderValue> {
    let uri: http::Uri = text.parse().ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_http && uri.host().is_some() && !text.ends_with('/') && uri.path() == "/" && uri.query().is_none())
        .then(|| HeaderValue::from_str(&text.to_ascii_lowercase()).ok())
        .flatten()
}

impl Cors {
    /// Whether this is a question of a browser before a request.
    pub(crate) fn is_preflight(&self, method: &Method, headers: &HeaderMap) -> bool {
        *self != Self::Off
            && *method == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Adds to the answer of a preflight what an allowed origin may do.
    pub(crate) fn answer_preflight(&self, request: &HeaderMap, response: &mut HeaderMap) {
        if self.allowed(request).is_none() {
            return;
        }
        let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
        response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        response.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        response.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }

    /// Adds to any response that an allowed origin may read it.
    pub(crate) fn decorate(&self, origin: Option<&HeaderValue>, response: &mut HeaderMap) {
        if matches!(self, Self::Only(_)) {
            response.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        let Some(allowed) = origin.and_then(|origin| self.allows(origin)) else {
            return;
        };
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }

    fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        self.allows(request.get(header::ORIGIN)?)
    }

    fn allows(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::Off => None,
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Only(origins) => origins.contains(origin).then(|| origin.clone()),
        }
    }
}
