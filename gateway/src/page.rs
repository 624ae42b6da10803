//! Pages that the gateway itself serves.

use bytes::Bytes;

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
}
