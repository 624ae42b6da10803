//! What a name leads to, asked again and again.

use std::{net::SocketAddr, sync::Arc};

use service_kit::resolver::{self, Resolver};
use tokio::sync::{Notify, watch};

/// The addresses that a name has at present. They are asked for until this is dropped.
#[derive(Debug)]
pub(super) struct Addresses {
    known: watch::Receiver<Vec<SocketAddr>>,
    failed: Arc<Notify>,
}

impl Addresses {
    /// Begins to ask.
    pub(super) fn keep(host: String, port: u16, resolver: Arc<dyn Resolver>) -> Self {
        let (found, known) = watch::channel(Vec::new());
        let failed = Arc::new(Notify::new());
        tokio::spawn(ask(host, port, resolver, found, failed.clone()));
        Self { known, failed }
    }

    /// Waits until there are some.
    pub(super) async fn some(&self) {
        let mut known = self.known.clone();
        // The task that asks ends after this.
        let _ = known.wait_for(|known| !known.is_empty()).await;
    }

    /// Whether the name has this address.
    pub(super) fn has(&self, addr: SocketAddr) -> bool {
        self.known.borrow().contains(&addr)
    }

    /// The address that comes after another, in a circle; the first one when there is no other.
    pub(super) fn after(&self, addr: Option<SocketAddr>) -> Option<SocketAddr> {
        let known = self.known.borrow();
        let place = known.iter().position(|known| Some(*known) == addr);
        let next = place.map_or(0, |place| (place + 1) % known.len());
        known.get(next).copied()
    }

    /// Notes that one of them failed: the name may have moved.
    pub(super) fn doubt(&self) {
        self.failed.notify_one();
    }
}

async fn ask(
    host: String,
    port: u16,
    resolver: Arc<dyn Resolver>,
    found: watch::Sender<Vec<SocketAddr>>,
    failed: Arc<Notify>,
) {
    while !found.is_closed() {
        match resolver.addresses(&host, port).await {
            // A name server that is away must not take away what works.
            Err(error) => tracing::warn!(host, %error, "the auth service's name cannot be resolved"),
            Ok(addresses) => drop(found.send_replace(addresses)),
        }
        tokio::select! {
            () = resolver::pause(&failed) => {}
            () = found.closed() => {}
        }
    }
}
