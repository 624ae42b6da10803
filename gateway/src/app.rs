//! Everything that serving a request needs, made once at start.

use std::{collections::HashMap, sync::Arc};

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
    upstream::{Caller, Upstream},
};

/// The labels of `http_server_request_duration_seconds`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Labels {
    pub(crate) method: String,
    pub(crate) route: String,
    pub(crate) status: u16,
}

/// The gateway at work.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) plans: Plans,
    /// In the order of the routes.
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) matcher: Matcher,
    pub(crate) pages: HashMap<String, Page>,
    /// By package.
    pub(crate) upstreams: HashMap<String, Arc<Upstream>>,
    pub(crate) caller: Caller,
    pub(crate) cors: Cors,
    pub(crate) proxies: TrustedProxies,
    /// Whether clients come by TLS.
    pub(crate) is_tls: bool,
    pub(crate) durations: Latencies<Labels>,
}

impl App {
    /// The family of request durations.
    pub(crate) fn durations(metrics: &Metrics) -> Latencies<Labels> {
        metrics.latencies(
            "http_server_request_duration_seconds",
            "How long requests took until their response began",
        )
    }
}
