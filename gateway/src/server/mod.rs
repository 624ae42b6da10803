//! The gateway as a server: built from its settings, run by its caller.

mod build;
mod connection;
mod worker;

use std::{io, net::SocketAddr, sync::Arc, thread, time::Duration};

use rustls::ServerConfig;
use service_kit::{ops::OpsServer, process::StartError, readiness::Readiness};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time,
};

#[cfg(test)]
pub(crate) use self::build::shared;
pub use self::build::{build, routes};
use self::worker::{Accepted, Job, Worker};
use crate::app::Shared;

/// Connections at a time; further ones wait in the listener's queue.
const CONNECTIONS: usize = 8_192;

/// A bound gateway.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    ops: OpsServer,
    readiness: Readiness,
    shared: Arc<Shared>,
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

    /// Serves on the runtime of the caller until `stop` completes, then says that it is not ready, lets requests under
    /// way finish, for 20 s at most, and returns.
    ///
    /// # Errors
    /// When serving fails for good.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        self.run(stop, |job| Ok(vec![Worker::here(job)])).await
    }

    /// The same on threads of its own, one for each core: for a process that does nothing else.
    ///
    /// # Errors
    /// When serving fails for good.
    pub async fn run_on_cores_until(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let on_cores = |job: Job| {
            let cores = thread::available_parallelism()?.get();
            (0..cores).map(|_| Worker::on_thread(job.clone())).collect()
        };
        self.run(stop, on_cores).await
    }

    async fn run(
        self,
        stop: impl Future<Output = ()>,
        employ: impl FnOnce(Job) -> io::Result<Vec<Worker>>,
    ) -> Result<(), StartError> {
        let (drain, draining) = watch::channel(false);
        let job = Job {
            shared: self.shared,
            tls: self.tls,
            draining: draining.clone(),
        };
        let workers = employ(job).map_err(|error| StartError::failed("starting the gateway's threads", error))?;
        let readiness = self.readiness;
        let rest = async {
            tokio::select! {
                () = accept(self.listener, workers, draining) => {}
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

/// Gives each worker a connection in turn until the drain begins, then waits for them to end.
async fn accept(listener: TcpListener, workers: Vec<Worker>, mut draining: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut turns = workers.iter().cycle();
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &places) => accepted,
            _ = draining.wait_for(|draining| *draining) => break,
        };
        match (accepted, turns.next()) {
            (Ok(accepted), Some(worker)) => worker.take(accepted),
            (Ok(_), None) => break,
            (Err(error), _) => {
                // Out of file descriptors, most likely: those of ending connections come back in a moment.
                tracing::warn!(%error, "a connection could not be accepted");
                time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    drop(listener);
    futures_util::future::join_all(workers.into_iter().map(Worker::finish)).await;
}

async fn next(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (tcp, peer) = listener.accept().await?;
    let tcp = tcp.into_std()?;
    Ok(Accepted { tcp, peer, place })
}
