//! Accepting connections: at most so many, and at the end those that wait already.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::JoinSet,
    time::{self, Instant},
};

use super::Limits;

/// How long the last connections wait for a place when all are taken.
const LAST_PLACES: Duration = Duration::from_secs(1);

/// A connection that was accepted, on no runtime yet.
#[derive(Debug)]
pub struct Accepted {
    pub(super) tcp: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) at: Instant,
    /// Its place among the connections that there may be.
    pub(super) place: OwnedSemaphorePermit,
}

impl Accepted {
    /// Whose it is.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Where it was accepted.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.tcp.local_addr().ok()
    }
}

/// Hands over each connection until the drain begins, then those that wait in the listener's queue, and stops listening.
pub async fn accept(
    listener: TcpListener,
    limits: &Limits,
    mut draining: watch::Receiver<bool>,
    mut hand_over: impl FnMut(Accepted),
) {
    let places = Arc::new(Semaphore::new(limits.connections as usize));
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &places) => accepted,
            _ = draining.wait_for(|draining| *draining) => break,
        };
        match accepted {
            Ok(accepted) => hand_over(accepted),
            Err(error) => {
                // Out of file descriptors, most likely: those of ending connections come back in a moment.
                tracing::warn!(%error, "a connection could not be accepted");
                time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    match time::timeout(LAST_PLACES, take_waiting(listener, &places, hand_over)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the last connections were not accepted"),
        Err(_) => tracing::warn!("there was no place for the last connections"),
    }
}

async fn next(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (tcp, peer) = listener.accept().await?;
    Ok(accepted(tcp.into_std()?, peer, place))
}

/// Their clients believe that they are connected: to close now would be to hang up on them.
async fn take_waiting(
    listener: TcpListener,
    places: &Arc<Semaphore>,
    mut hand_over: impl FnMut(Accepted),
) -> io::Result<()> {
    let listener = listener.into_std()?;
    loop {
        let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
        match listener.accept() {
            Ok((tcp, peer)) => {
                tcp.set_nonblocking(true)?;
                hand_over(accepted(tcp, peer, place));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn accepted(tcp: std::net::TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) -> Accepted {
    Accepted {
        tcp,
        peer,
        at: Instant::now(),
        place,
    }
}

/// Serves each connection in a task of its own until there are no more, then waits for the last to end, as long as the
/// limits allow. Dropping it cuts them off.
pub async fn serve_each<F>(
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    limits: &Limits,
    serve: impl Fn(Accepted) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let next = tokio::select! {
            next = accepted.recv() => next,
            Some(_) = connections.join_next() => continue,
        };
        let Some(next) = next else { break };
        connections.spawn(serve(next));
    }
    let ended = async { while connections.join_next().await.is_some() {} };
    if time::timeout(limits.drain_timeout, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time: they are cut off");
    }
}
