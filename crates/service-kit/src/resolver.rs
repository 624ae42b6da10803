//! From a service's name to its addresses.

use std::{fmt, io, net::SocketAddr};

use futures_util::future::BoxFuture;

/// What knows where names are served.
pub trait Resolver: fmt::Debug + Send + Sync {
    /// All addresses that a name has at present, with this port. It is asked again and again; whom it leaves out gets
    /// no further calls.
    fn addresses<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The operating system's resolver: DNS, the hosts file and whatever else it is told to ask.
#[derive(Debug, Clone, Copy)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn addresses<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}
