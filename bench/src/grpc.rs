//! Calls over gRPC with a token.

use tonic::{Request, metadata::AsciiMetadataValue};

use crate::Outcome;

/// What `authorization` says of a token.
///
/// # Errors
/// When it has characters that no header may carry.
pub fn bearer(token: &str) -> Outcome<AsciiMetadataValue> {
    Ok(format!("Bearer {token}").parse()?)
}

/// A request with a token.
pub fn with<T>(bearer: &AsciiMetadataValue, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", bearer.clone());
    request
}
