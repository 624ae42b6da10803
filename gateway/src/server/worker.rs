//! Who serves the accepted connections: the caller's runtime, or threads with a runtime each.
//!
//! On a thread of its own a request never waits for another core: its connection, its call and the connection to the
//! service are all driven there.

use std::{io, net::SocketAddr, sync::Arc, thread, time::Duration};

use rustls::ServerConfig;
use tokio::{
    net::TcpStream,
    runtime,
    sync::{OwnedSemaphorePermit, mpsc, oneshot, watch},
    task::JoinSet,
    time,
};

use super::connection::Serving;
use crate::app::{App, Shared};

/// How long a draining worker waits for what is under way.
const DRAIN: Duration = Duration::from_secs(20);

/// What a worker serves.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) shared: Arc<Shared>,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) draining: watch::Receiver<bool>,
}

/// A connection that was accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) tcp: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    /// Its place among the connections that there may be.
    pub(super) place: OwnedSemaphorePermit,
}

/// Serves connections until it is told that there are no more and the last has ended.
#[derive(Debug)]
pub(super) struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    ended: oneshot::Receiver<()>,
}

impl Worker {
    /// On the runtime of the caller.
    pub(super) fn here(job: Job) -> Self {
        let (worker, work) = Self::prepare(job);
        tokio::spawn(work);
        worker
    }

    /// On a thread of its own.
    pub(super) fn on_thread(job: Job) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (worker, work) = Self::prepare(job);
        let named = thread::Builder::new().name("gateway".to_owned());
        named.spawn(move || runtime.block_on(work))?;
        Ok(worker)
    }

    fn prepare(job: Job) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (connections, accepted) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let work = async move {
            work(job, accepted).await;
            // Nobody listens any longer when serving was broken off.
            let _ = end.send(());
        };
        (Self { connections, ended }, work)
    }

    /// Gives it a connection.
    pub(super) fn take(&self, accepted: Accepted) {
        if self.connections.send(accepted).is_err() {
            tracing::error!("a worker has ended before its time: a connection is dropped");
        }
    }

    /// Tells it that there are no more connections, and waits until the last has ended.
    pub(super) async fn finish(self) {
        drop(self.connections);
        // It fails when the worker is gone already.
        let _ = self.ended.await;
    }
}

async fn work(job: Job, mut accepted: mpsc::UnboundedReceiver<Accepted>) {
    let app = Arc::new(App::start(job.shared));
    let serving = Arc::new(Serving::new(app, job.tls, job.draining));
    let mut connections = JoinSet::new();
    loop {
        let next = tokio::select! {
            next = accepted.recv() => next,
            Some(_) = connections.join_next() => continue,
        };
        let Some(Accepted { tcp, peer, place }) = next else {
            break;
        };
        let serving = serving.clone();
        connections.spawn(async move {
            match TcpStream::from_std(tcp) {
                Ok(tcp) => serving.serve(tcp, peer).await,
                Err(error) => tracing::warn!(%peer, %error, "a connection could not be taken over"),
            }
            drop(place);
        });
    }
    let ended = async { while connections.join_next().await.is_some() {} };
    if time::timeout(DRAIN, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time: they are cut off");
    }
}
