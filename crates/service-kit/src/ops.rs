//! The listener for operators: `/livez`, `/readyz`, `/metrics`. Never on the public port.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use crate::{metrics::Metrics, process::StartError, readiness::Readiness, server::listen};

/// A bound listener for operators.
#[derive(Debug)]
pub struct OpsServer {
    listener: TcpListener,
    addr: SocketAddr,
    readiness: Readiness,
    metrics: Metrics,
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
        })
    }

    /// The bound address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until told to stop. What is under way then is dropped: operators ask again.
    ///
    /// # Errors
    /// When accepting fails for good.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let pages = Router::new()
            .route("/livez", get(|| async { "live\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state((self.readiness, self.metrics));
        tokio::select! {
            outcome = axum::serve(self.listener, pages) => outcome,
            () = stop => Ok(()),
        }
    }
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
