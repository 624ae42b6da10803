//! The gateway as a server: built from its settings, run by its caller.

mod build;
mod connection;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::ServerConfig;
use service_kit::{ops::OpsServer, process::StartError, readiness::Readiness};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet, time};

pub use self::build::{build, routes};
use self::connection::Serving;

/// Connections at a time; further ones wait in the listener's queue.
const CONNECTIONS: usize = 8_192;

/// How long a draining server waits for what is under way.
const DRAIN: Duration = Duration::from_secs(20);

/// A bound gateway.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    ops: OpsServer,
    readiness: Readiness,
    app: Arc<crate::app::App>,
    tls: Option<Arc<ServerConfig>>,
}

impl Server {
    /// The bound address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The bound address of the operators' pages.
    pub fn ops_addr(&self) -> SocketAddr {
        self.ops.addr()
    }

    /// Serves until `stop` completes, then says that it is not ready, lets requests under way finish, for 20 s at
    /// most, and returns.
    ///
    /// # Errors
    /// When serving fails for good.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let (drain, draining) = tokio::sync::watch::channel(false);
        let serving = Arc::new(Serving::new(self.app, self.tls, draining));
        let readiness = self.readiness;
        let rest = async {
            tokio::select! {
                () = accept(self.listener, serving) => {}
                () = async {
                    stop.await;
                    readiness.drain();
                    drain.send_replace(true);
                    std::future::pending().await
                } => {}
            }
        };
        tokio::select! {
            () = rest => Ok(()),
            outcome = self.ops.run_until(std::future::pending()) =>
                outcome.map_err(|error| StartError::failed("serving the operators' pages", error)),
        }
    }
}

/// Accepts until the drain begins, then waits for the connections to end.
async fn accept(listener: TcpListener, serving: Arc<Serving>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut draining = serving.draining();
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &places) => accepted,
            _ = draining.wait_for(|draining| *draining) => break,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((tcp, peer, place)) => {
                let serving = serving.clone();
                connections.spawn(async move {
                    serving.serve(tcp, peer).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: those of ending connections come back in a moment.
                tracing::warn!(%error, "a connection could not be accepted");
                time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if time::timeout(DRAIN, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time: they are cut off");
    }
}

async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (tcp, peer) = listener.accept().await?;
    Ok((tcp, peer, place))
}
