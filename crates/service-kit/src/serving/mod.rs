//! Serving connections: accepting them, speaking HTTP/1 or HTTP/2 on them, bounding everything that a client can do.
//!
//! Every listener is served by this: the gateway's, the gRPC servers' and the operators'.

mod activity;
mod connection;
mod frames;
mod guarded;
mod limits;
mod listener;
mod overdue;
mod watched;

pub(crate) use self::guarded::Guarded;
pub use self::{
    connection::Connections,
    limits::{Limits, Protocol},
    listener::{Accepted, accept, serve_each},
};
