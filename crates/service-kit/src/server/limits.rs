//! What a gRPC server bounds, and by how much.

use std::time::Duration;

use tonic::transport::Server;

/// Bounds of a gRPC server.
#[derive(Debug, Clone, Copy)]
pub struct GrpcLimits {
    /// Connections at a time; further ones wait in the listener's queue.
    pub connections: usize,
    /// Streams at a time on one connection.
    pub streams: u32,
    /// Bytes of a request's headers.
    pub header_bytes: u32,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How often a silent connection is asked whether it is still there, and how long it may take to answer.
    pub keepalive: Duration,
    /// How long one call may take at most.
    pub call: Duration,
    /// How long a draining server waits for the calls under way.
    pub drain: Duration,
}

impl Default for GrpcLimits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            streams: 1_024,
            header_bytes: 16 * 1_024,
            handshake: Duration::from_secs(10),
            keepalive: Duration::from_secs(20),
            call: Duration::from_secs(30),
            drain: Duration::from_secs(20),
        }
    }
}

impl GrpcLimits {
    pub(super) fn apply(self, server: Server) -> Server {
        server
            .max_concurrent_streams(self.streams)
            .http2_max_header_list_size(self.header_bytes)
            .http2_keepalive_interval(Some(self.keepalive))
            .http2_keepalive_timeout(Some(self.keepalive))
            .timeout(self.call)
    }
}
