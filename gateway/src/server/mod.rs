//! The gateway as a server: built from its settings, run by its caller.

mod build;
mod worker;

use std::{io, net::SocketAddr, sync::Arc, thread};

use rustls::ServerConfig;
use service_kit::{
    ops::OpsServer,
    process::StartError,
    readiness::Readiness,
    serving::{self, Limits},
};
use tokio::{net::TcpListener, sync::watch};

#[cfg(test)]
pub(crate) use self::build::shared;
pub use self::build::{build, routes};
use self::worker::{Job, Worker};
use crate::app::Shared;

/// A bound gateway.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    ops: OpsServer,
    readiness: Readiness,
    shared: Arc<Shared>,
    tls: Option<Arc<ServerConfig>>,
    limits: Limits,
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
            limits: self.limits,
            draining: draining.clone(),
        };
        let workers = employ(job).map_err(|error| StartError::failed("starting the gateway's threads", error))?;
        let readiness = self.readiness;
        let rest = async {
            tokio::select! {
                () = accept(self.listener, self.limits, workers, draining) => {}
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
            () = self.ops.run_until(std::future::pending()) => Ok(()),
        }
    }
}

/// Gives each worker a connection in turn until the drain begins, then waits for them to end.
async fn accept(listener: TcpListener, limits: Limits, workers: Vec<Worker>, draining: watch::Receiver<bool>) {
    let mut turns = workers.iter().cycle();
    serving::accept(listener, &limits, draining, |accepted| {
        if let Some(worker) = turns.next() {
            worker.take(accepted);
        }
    })
    .await;
    futures_util::future::join_all(workers.into_iter().map(Worker::finish)).await;
}
