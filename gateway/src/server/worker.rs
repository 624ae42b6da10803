//! Who serves the accepted connections: the caller's runtime, or threads with a runtime each.
//!
//! On a thread of its own a request never waits for another core: its connection, its call and the connection to the
//! service are all driven there.

use std::{io, sync::Arc, thread};

use rustls::ServerConfig;
use service_kit::serving::{Accepted, Connections, Limits, serve_each};
use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
};

use crate::{
    app::{App, Shared},
    handler,
};

/// What a worker serves.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) shared: Arc<Shared>,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) limits: Limits,
    pub(super) draining: watch::Receiver<bool>,
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

async fn work(job: Job, accepted: mpsc::UnboundedReceiver<Accepted>) {
    let app = Arc::new(App::start(job.shared));
    let connections = Arc::new(Connections::new(job.limits, job.tls, job.draining));
    serve_each(accepted, &job.limits, |accepted| {
        let (app, connections, peer) = (app.clone(), connections.clone(), accepted.peer().ip());
        let answer = move |request| handler::handle(app.clone(), peer, request);
        async move { connections.serve(accepted, answer).await }
    })
    .await;
}
