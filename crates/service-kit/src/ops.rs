//! The listener for operators: `/livez`, `/readyz`, `/metrics`. Never on the public port.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{Request, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use hyper::body::Incoming;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tower::ServiceExt;

use crate::{
    metrics::Metrics,
    process::StartError,
    readiness::Readiness,
    server::listen,
    serving::{Connections, Limits, accept, serve_each},
};

/// A bound listener for operators.
#[derive(Debug)]
pub struct OpsServer {
    listener: TcpListener,
    addr: SocketAddr,
    readiness: Readiness,
    metrics: Metrics,
    limits: Limits,
}

impl OpsServer {
    /// Binds the listener. `variable` names the setting that the address came from.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn bind(
        variable: impl Into<String>,
        addr: SocketAddr,
        readiness: Readiness,
        metrics: Metrics,
    ) -> Result<Self, StartError> {
        let (listener, addr) = listen(variable, addr).await?;
        Ok(Self {
            listener,
            addr,
            readiness,
            metrics,
            limits: Limits::GATEWAY.for_operators(),
        })
    }

    /// With the times and sizes of the role that it belongs to.
    pub fn within(self, limits: Limits) -> Self {
        Self {
            limits: limits.for_operators(),
            ..self
        }
    }

    /// The bound address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until told to stop. What is under way then is dropped: operators ask again.
    pub async fn run_until(self, stop: impl Future<Output = ()>) {
        let pages = Router::new()
            .route("/livez", get(|| async { "live\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state((self.readiness, self.metrics));
        tokio::select! {
            () = serve(self.listener, self.limits, pages) => {}
            () = stop => {}
        }
    }
}

async fn serve(listener: TcpListener, limits: Limits, pages: Router) {
    let (_never, draining) = watch::channel(false);
    let connections = Arc::new(Connections::new(limits, None, draining.clone()));
    let (sender, accepted) = mpsc::unbounded_channel();
    // It fails when nothing is served any more.
    let accepting = accept(listener, &limits, draining, move |accepted| drop(sender.send(accepted)));
    let serving = serve_each(accepted, &limits, |accepted| {
        let (connections, pages) = (connections.clone(), pages.clone());
        let answer = move |request: Request<Incoming>| {
            let answered = pages.clone().oneshot(request);
            async move { answered.await.unwrap_or_else(|never| match never {}) }
        };
        async move { connections.serve(accepted, answer).await }
    });
    tokio::join!(accepting, serving);
}

async fn readyz(State((readiness, _)): State<(Readiness, Metrics)>) -> impl IntoResponse {
    match readiness.missing() {
        missing if missing.is_empty() => (StatusCode::OK, "ready\n".to_owned()),
        missing => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("waiting for: {}\n", missing.join(", ")),
        ),
    }
}

async fn metrics(State((_, metrics)): State<(Readiness, Metrics)>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics.render())
}
