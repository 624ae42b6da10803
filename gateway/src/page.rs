//! Pages that the gateway itself serves.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

/// A page at a fixed path, served for GET and HEAD to anybody.
#[derive(Debug, Clone)]
pub struct Page {
    /// The path, such as `/docs`.
    pub path: String,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// The `Content-Security-Policy`; `None` is the one of the API, which lets nothing run.
    pub content_security_policy: Option<String>,
    /// The content.
    pub body: Bytes,
    gzip: Option<Bytes>,
    location: Option<&'static str>,
    etag: String,
}

impl Page {
    /// A page with this content.
    pub fn new(path: impl Into<String>, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self {
            path: path.into(),
            content_type,
            content_security_policy: None,
            // Weak, as it stands for the packed content too.
            etag: format!("W/\"{:016x}\"", hasher.finish()),
            body,
            gzip: None,
            location: None,
        }
    }

    /// A page that only leads to another path of this host.
    pub fn leading_to(path: impl Into<String>, location: &'static str) -> Self {
        Self {
            location: Some(location),
            ..Self::new(path, "text/plain; charset=utf-8", Bytes::new())
        }
    }

    /// The same page with its own `Content-Security-Policy`.
    #[must_use]
    pub fn with_policy(mut self, policy: impl Into<String>) -> Self {
        self.content_security_policy = Some(policy.into());
        self
    }

    /// The same page, with its content packed by gzip for those who accept that.
    #[must_use]
    pub fn with_gzip(mut self, packed: impl Into<Bytes>) -> Self {
        self.gzip = Some(packed.into());
        self
    }

    /// The answer to a request with these headers: the content, 304 when the client has it, or a redirect. The caller
    /// adds the headers of every response, and drops the body for HEAD.
    pub fn respond(&self, request: &HeaderMap) -> Response<Bytes> {
        if let Some(location) = self.location {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::FOUND;
            response
                .headers_mut()
                .insert(header::LOCATION, HeaderValue::from_static(location));
            return response;
        }
        let mut response = Response::new(Bytes::new());
        self.describe(response.headers_mut());
        if is_known(request, &self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let content_type = HeaderValue::from_static(self.content_type);
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        *response.body_mut() = match &self.gzip {
            Some(packed) if accepts_gzip(request) => {
                let gzip = HeaderValue::from_static("gzip");
                response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
                packed.clone()
            }
            _ => self.body.clone(),
        };
        response
    }

    fn describe(&self, headers: &mut HeaderMap) {
        // Kept by browsers, but asked about each time: a new binary shows its new pages at once.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(header::ETAG, etag);
        }
        if self.gzip.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        let policy = self.content_security_policy.as_ref().and_then(|text| text.parse().ok());
        if let Some(policy) = policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}

fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let strong = etag.trim_start_matches("W/");
    values(request, header::IF_NONE_MATCH).any(|tag| tag == "*" || tag.trim_start_matches("W/") == strong)
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    values(request, header::ACCEPT_ENCODING).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches("q=");
        let refused = weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0);
        matches!(name.trim(), "gzip" | "x-gzip" | "*") && !refused
    })
}

/// The comma-separated values of a header.
fn values(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}
