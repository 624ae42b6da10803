//! What a listener bounds, and by how much.

use std::time::Duration;

/// What is spoken on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 and HTTP/2, to anybody: who connects is about to ask.
    Http,
    /// HTTP/2 alone, to clients that connect before they have anything to call.
    Grpc,
}

/// Bounds of a listener, its connections and the requests on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What is spoken.
    pub protocol: Protocol,
    /// Connections at a time; further ones wait in the listener's queue.
    pub connections: u32,
    /// Streams at a time on one HTTP/2 connection.
    pub streams: u32,
    /// Bytes of a request's headers.
    pub header_bytes: u32,
    /// Calls at a time: of a gateway all of them, of a gRPC server those of each service.
    pub calls: u32,
    /// Within which TLS, the preface of HTTP/2 and the first request's headers must be in, and of HTTP/1 the headers of
    /// each later request from their first byte.
    pub header_timeout: Duration,
    /// How long a request may take until its response begins.
    pub request_timeout: Duration,
    /// How long a connection may be without a request.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of what is being sent to it.
    pub write_timeout: Duration,
    /// How often a silent HTTP/2 client is asked whether it is still there, and how long it may take to answer.
    pub keepalive: Duration,
    /// After which a connection takes no more requests, so that clients spread over new replicas. Zero: never.
    pub connection_age: Duration,
    /// How long a draining server waits for what is under way.
    pub drain_timeout: Duration,
}

impl Limits {
    /// Less is not possible over HTTP/1.
    pub const LEAST_HEADER_BYTES: u32 = 8 << 10;

    /// Of a gateway, by default.
    pub const GATEWAY: Self = Self {
        protocol: Protocol::Http,
        connections: 8_192,
        streams: 256,
        header_bytes: 16 << 10,
        calls: 16_384,
        header_timeout: Duration::from_secs(10),
        request_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(120),
        write_timeout: Duration::from_secs(30),
        keepalive: Duration::from_secs(20),
        connection_age: Duration::from_secs(3_600),
        drain_timeout: Duration::from_secs(20),
    };

    /// Of a gRPC service, by default.
    pub const SERVICE: Self = Self {
        protocol: Protocol::Grpc,
        connections: 4_096,
        streams: 1_024,
        request_timeout: Duration::from_secs(30),
        idle_timeout: Duration::from_secs(300),
        ..Self::GATEWAY
    };

    /// Of the operators' pages of whatever has these limits: few clients, who ask over HTTP.
    pub(crate) fn for_operators(self) -> Self {
        Self {
            protocol: Protocol::Http,
            connections: self.connections.min(256),
            ..self
        }
    }
}
