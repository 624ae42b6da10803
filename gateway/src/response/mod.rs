//! A gRPC reply into an HTTP response.

pub(crate) mod body;
pub(crate) mod headers;
pub(crate) mod stream;
pub(crate) mod unary;
