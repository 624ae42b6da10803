//! What every service needs and no domain: configuration, telemetry, serving, errors, pages, masks, etags, clock.
//!
//! Nothing here is global but the log subscriber that a `main` installs: two houses can run in one process.

pub mod client_address;
pub mod clock;
pub mod config;
pub mod etag;
pub mod grpc_timeout;
pub mod mask;
pub mod metrics;
pub mod ops;
pub mod page;
pub mod process;
pub mod rate_limit;
pub mod readiness;
pub mod refusal;
pub mod request_id;
pub mod resolver;
pub mod server;
pub mod serving;
pub mod telemetry;
pub mod tls;
pub mod trace_context;
pub mod violations;
