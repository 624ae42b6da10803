//! A gRPC server with everything around its services: health, reflection, request ids, metrics, limits, drain.

mod call;
mod capacity;
mod reason;

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use http::{Request, Response};
use rustls::ServerConfig;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
    transport::server::TcpConnectInfo,
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::{Layer, ServiceExt};

use self::{call::CallLayer, capacity::Capped};
use crate::{
    config::ConfigError,
    metrics::Metrics,
    ops::OpsServer,
    process::StartError,
    readiness::Readiness,
    serving::{Accepted, Connections, Limits, accept, serve_each},
};

/// What a gRPC server has to be told.
#[derive(Debug, Clone)]
pub struct GrpcConfig {
    /// The prefix of its variables, such as `AUTH`.
    pub role: &'static str,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where operators' pages are.
    pub ops_listen: SocketAddr,
    /// TLS with ALPN `h2`, or `None` for plain text.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whether reflection (v1 and v1alpha) is served.
    pub reflection: bool,
    /// Bounds on connections, calls and times.
    pub limits: Limits,
}

/// The services of a server.
#[derive(Debug)]
pub struct Services {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    descriptors: &'static [u8],
    calls: u32,
}

impl Services {
    /// No service yet. `descriptors` is the encoded descriptor set that reflection shows.
    pub fn new(descriptors: &'static [u8], limits: &Limits) -> Self {
        Self {
            routes: RoutesBuilder::default(),
            names: Vec::new(),
            descriptors,
            calls: limits.calls,
        }
    }

    /// Adds a service, wrapped in whatever layers it needs. It has an allowance of calls of its own.
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes.add_service(Capped::new(service, self.calls));
        self
    }
}

/// A bound gRPC server.
#[derive(Debug)]
pub struct GrpcServer {
    config: GrpcConfig,
    listener: TcpListener,
    addr: SocketAddr,
    ops: OpsServer,
    readiness: Readiness,
    metrics: Metrics,
}

impl GrpcServer {
    /// Binds both listeners.
    ///
    /// # Errors
    /// When a port is taken.
    pub async fn bind(config: GrpcConfig, readiness: Readiness, metrics: Metrics) -> Result<Self, StartError> {
        let (listener, addr) = listen(format!("{}_LISTEN", config.role), config.listen).await?;
        let ops_variable = format!("{}_OPS_LISTEN", config.role);
        let ops = OpsServer::bind(ops_variable, config.ops_listen, readiness.clone(), metrics.clone())
            .await?
            .within(config.limits);
        tracing::info!(role = config.role, %addr, ops = %ops.addr(), "listening");
        Ok(Self {
            config,
            listener,
            addr,
            ops,
            readiness,
            metrics,
        })
    }

    /// The bound address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The bound address of the operators' pages.
    pub fn ops_addr(&self) -> SocketAddr {
        self.ops.addr()
    }

    /// Serves until `stop` completes, then says that it is not ready, lets what is under way finish for as long as the
    /// limits allow, and returns.
    ///
    /// # Errors
    /// When serving fails for good.
    pub async fn run_until(self, services: Services, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let limits = self.config.limits;
        let (reporter, health) = tonic_health::server::health_reporter();
        let mut routes = services.routes;
        routes.add_service(health);
        if self.config.reflection {
            add_reflection(&mut routes, services.descriptors)?;
        }

        let calls = CallLayer::new(&self.metrics, limits.request_timeout).layer(routes.routes().prepare());
        let (drain, draining) = watch::channel(false);
        let serving = serve(self.listener, self.config.tls, limits, draining, calls);
        let stopping = async {
            stop.await;
            self.readiness.drain();
            drain.send_replace(true);
            std::future::pending().await
        };
        let following = async {
            let mut ready = self.readiness.is_ready();
            loop {
                report(&reporter, &services.names, ready).await;
                ready = self.readiness.changed_from(ready).await;
            }
        };
        tokio::select! {
            () = serving => Ok(()),
            never = stopping => never,
            never = following => never,
            () = self.ops.run_until(std::future::pending()) => Ok(()),
        }
    }
}

type Calls = call::Calls<Routes>;

/// Serves connections until the drain is over.
async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    limits: Limits,
    draining: watch::Receiver<bool>,
    calls: Calls,
) {
    let connections = Arc::new(Connections::new(limits, tls, draining.clone()));
    let (sender, accepted) = mpsc::unbounded_channel();
    // It fails when nothing is served any more.
    let accepting = accept(listener, &limits, draining, move |accepted| drop(sender.send(accepted)));
    let serving = serve_each(accepted, &limits, |accepted| {
        let (connections, calls) = (connections.clone(), calls.clone());
        async move { serve_one(&connections, accepted, calls).await }
    });
    tokio::join!(accepting, serving);
}

async fn serve_one(connections: &Connections, accepted: Accepted, calls: Calls) {
    let info = TcpConnectInfo {
        local_addr: accepted.local_addr(),
        remote_addr: Some(accepted.peer()),
    };
    let answer = move |request: Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(info.clone());
        let answered = calls.clone().oneshot(request);
        async move { answered.await.unwrap_or_else(|never| match never {}) }
    };
    connections.serve(accepted, answer).await;
}

/// Binds a listener and says where it is.
///
/// # Errors
/// When the address cannot be bound; the text says what to do.
pub async fn listen(variable: impl Into<String>, addr: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let variable = variable.into();
    let bound = async {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    };
    bound.await.map_err(|error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => StartError::Refused(format!(
            "{addr} is taken by another program: stop it, or set {variable} to a free address (port 0 takes any)"
        )),
        std::io::ErrorKind::AddrNotAvailable => ConfigError::new(variable, "an address of this machine")
            .got(addr.to_string())
            .into(),
        _ => StartError::failed(format!("listening on {addr} ({variable})"), error),
    })
}

fn add_reflection(routes: &mut RoutesBuilder, descriptors: &'static [u8]) -> Result<(), StartError> {
    let cannot = |error| StartError::failed("reading the descriptors for reflection", error);
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(descriptors)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    routes.add_service(builder().build_v1().map_err(cannot)?);
    routes.add_service(builder().build_v1alpha().map_err(cannot)?);
    Ok(())
}

async fn report(reporter: &HealthReporter, names: &[&'static str], ready: bool) {
    let status = if ready {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    for name in names.iter().copied().chain([""]) {
        reporter.set_service_status(name, status).await;
    }
}
