//! Everything that serving a request needs, made once at start.

use std::{collections::HashMap, ops::Deref, sync::Arc, time::Duration};

use prometheus_client::encoding::EncodeLabelSet;
use service_kit::{
    client_address::TrustedProxies,
    metrics::{Latencies, Metrics},
};

use crate::{
    cors::Cors,
    endpoint::Endpoint,
    matching::Matcher,
    page::Page,
    plan::Plans,
    upstream::{Caller, Service, Upstream},
};

/// The labels of `http_server_request_duration_seconds`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Labels {
    pub(crate) method: &'static str,
    pub(crate) route: Arc<str>,
    pub(crate) status: u16,
}

/// The gateway at work on one runtime, with connections of its own to the services.
#[derive(Debug)]
pub(crate) struct App {
    shared: Arc<Shared>,
    upstreams: HashMap<String, Arc<Upstream>>,
}

/// What all runtimes share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) plans: Plans,
    /// In the order of the routes.
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) matcher: Matcher,
    pub(crate) pages: HashMap<String, Page>,
    /// By package.
    pub(crate) services: HashMap<String, Service>,
    pub(crate) caller: Caller,
    pub(crate) cors: Cors,
    pub(crate) proxies: TrustedProxies,
    /// Whether clients come by TLS.
    pub(crate) is_tls: bool,
    pub(crate) durations: Latencies<Labels>,
    pub(crate) bounds: Bounds,
}

/// What a request may take of the gateway.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes of its body.
    pub(crate) body: usize,
    /// How long its body may take to arrive.
    pub(crate) body_timeout: Duration,
    /// How long the service may take to answer, when the caller does not want it sooner.
    pub(crate) request_timeout: Duration,
}

impl App {
    /// Begins to connect to the services, on the runtime of the caller.
    pub(crate) fn start(shared: Arc<Shared>) -> Self {
        let services = shared.services.iter();
        let upstreams = services.map(|(package, service)| (package.clone(), Arc::new(Upstream::start(service))));
        Self {
            upstreams: upstreams.collect(),
            shared,
        }
    }

    /// Where a package is served.
    pub(crate) fn upstream(&self, package: &str) -> Option<Arc<Upstream>> {
        self.upstreams.get(package).cloned()
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Shared {
    /// The family of request durations.
    pub(crate) fn durations(metrics: &Metrics) -> Latencies<Labels> {
        metrics.latencies(
            "http_server_request_duration_seconds",
            "How long requests took until their response began",
        )
    }
}
