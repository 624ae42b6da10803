//! From a service's name to its addresses.

use std::{fmt, io, net::SocketAddr, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// How late a name's new address may be noticed.
const EVERY: Duration = Duration::from_secs(5);

/// After failures a name is asked for again, but not more often than this.
const AT_MOST_EVERY: Duration = Duration::from_millis(500);

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

/// Waits until names are to be resolved again: after 5 s, or as soon as an address `failed`, since the name may have
/// moved, but not before 0.5 s.
pub async fn pause(failed: &Notify) {
    sleep(AT_MOST_EVERY).await;
    // Either way it is time.
    let _ = timeout(EVERY, failed.notified()).await;
}
