//! The endpoints of one service: found by DNS, used in turn, dead ones passed over.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use http::{Uri, uri::Scheme};
use rustls::{ClientConfig, pki_types::ServerName};
use service_kit::resolver;
use tokio::{
    task::AbortHandle,
    time::{self, Instant},
};

use super::{
    Failure, Resolver,
    connection::Tls,
    endpoint::{Alarms, Endpoint, Link, Place},
    turns::Turns,
};

/// Where a service is, and how to get there.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) urls: Vec<Uri>,
    /// For URLs with `https`.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) resolver: Arc<dyn Resolver>,
}

/// A service that is called at one of its endpoints.
#[derive(Debug)]
pub(crate) struct Upstream {
    shared: Arc<Shared>,
    resolving: AbortHandle,
    pub(super) turns: Turns,
}

#[derive(Debug)]
struct Shared {
    targets: Vec<Target>,
    resolver: Arc<dyn Resolver>,
    endpoints: RwLock<Vec<Arc<Endpoint>>>,
    next: AtomicUsize,
    alarms: Alarms,
    /// Told when the first resolution is done.
    resolved: tokio::sync::watch::Sender<bool>,
}

/// One URL of the service.
#[derive(Debug)]
struct Target {
    uri: Uri,
    tls: Option<Tls>,
}

/// An endpoint chosen for a call.
pub(super) struct Chosen {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) link: Link,
}

impl Upstream {
    /// Begins to connect to a service's URLs.
    pub(crate) fn start(service: &Service) -> Self {
        let target = |uri: &Uri| Target {
            uri: uri.clone(),
            tls: tls_of(uri, service.tls.as_ref()),
        };
        let shared = Arc::new(Shared {
            targets: service.urls.iter().map(target).collect(),
            resolver: service.resolver.clone(),
            endpoints: RwLock::default(),
            next: AtomicUsize::new(0),
            alarms: Alarms::default(),
            resolved: tokio::sync::watch::Sender::new(false),
        });
        let resolving = tokio::spawn(keep_resolved(shared.clone())).abort_handle();
        Self {
            shared,
            resolving,
            turns: Turns::here(),
        }
    }

    /// An endpoint that is connected, in turn, another than `but` if there is one. Where none is, it is waited for.
    pub(super) async fn choose(&self, but: Option<&Arc<Endpoint>>, until: Instant) -> Result<Chosen, Failure> {
        if !*self.shared.resolved.borrow() {
            let mut resolved = self.shared.resolved.subscribe();
            // The sender lives as long as the upstream.
            let _ = time::timeout_at(until, resolved.wait_for(|done| *done)).await;
        }
        let all = self.shared.endpoints();
        let turn = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let others = || (0..all.len()).filter_map(|offset| all.get((turn + offset) % all.len()));
        let is_other = |endpoint: &&Arc<Endpoint>| but.is_none_or(|but| !Arc::ptr_eq(but, endpoint));
        let ready = |endpoint: &Arc<Endpoint>| {
            let link = endpoint.ready()?;
            let endpoint = endpoint.clone();
            Some(Chosen { endpoint, link })
        };
        if let Some(chosen) = others().filter(is_other).find_map(ready) {
            return Ok(chosen);
        }
        if but.is_some()
            && let Some(chosen) = others().find_map(ready)
        {
            return Ok(chosen);
        }
        if all.is_empty() {
            self.shared.alarms.failed.notify_one();
        }
        match time::timeout_at(until, first_attempt(&all)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Transport("no connection in time".to_owned())),
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.resolving.abort();
    }
}

impl Shared {
    fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the endpoints that are still found, drops the others and adds new ones.
    fn replace(&self, places: Vec<Place>) {
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        let mut known: Vec<Arc<Endpoint>> = std::mem::take(&mut *endpoints);
        for place in places {
            let old = known.iter().position(|endpoint| endpoint.place.is_same(&place));
            let endpoint = match old {
                Some(at) => known.swap_remove(at),
                None => Arc::new(Endpoint::start(place, self.alarms.clone())),
            };
            endpoints.push(endpoint);
        }
    }
}

/// The first endpoint to be connected; a failure once an attempt has failed at each of them.
async fn first_attempt(endpoints: &[Arc<Endpoint>]) -> Result<Chosen, Failure> {
    let attempt = |endpoint: &Arc<Endpoint>, is_first| {
        let endpoint = endpoint.clone();
        async move {
            let outcome = endpoint.attempt().await;
            (endpoint, is_first, outcome)
        }
    };
    let mut attempts: FuturesUnordered<_> = endpoints.iter().map(|endpoint| attempt(endpoint, true)).collect();
    let mut hopes = endpoints.len();
    let mut last = "its name is not known".to_owned();
    while hopes > 0
        && let Some((endpoint, is_first, outcome)) = attempts.next().await
    {
        match outcome {
            Ok(link) => return Ok(Chosen { endpoint, link }),
            Err(reason) => last = reason.to_string(),
        }
        hopes -= usize::from(is_first);
        // While one hangs, another may come back.
        attempts.push(attempt(&endpoint, false));
    }
    Err(Failure::Transport(last))
}

async fn keep_resolved(shared: Arc<Shared>) {
    let mut known: HashMap<usize, Vec<Place>> = HashMap::new();
    loop {
        for (index, target) in shared.targets.iter().enumerate() {
            match places(target, &*shared.resolver).await {
                // A name server that is away must not take away what works.
                Err(error) => tracing::warn!(url = %target.uri, %error, "a service's name cannot be resolved"),
                Ok(places) => drop(known.insert(index, places)),
            }
        }
        let places = (0..shared.targets.len())
            .filter_map(|index| known.get(&index))
            .flatten()
            .cloned();
        shared.replace(places.collect());
        shared.resolved.send_replace(true);
        if shared.targets.iter().all(|target| literal(&target.uri).is_some()) {
            return;
        }
        resolver::pause(&shared.alarms.failed).await;
    }
}

async fn places(target: &Target, resolver: &dyn Resolver) -> std::io::Result<Vec<Place>> {
    let (Some(host), Some(authority)) = (target.uri.host(), target.uri.authority()) else {
        return Ok(Vec::new());
    };
    let is_tls = target.uri.scheme() == Some(&Scheme::HTTPS);
    let port = target.uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let place = |addr| Place {
        scheme: if is_tls { Scheme::HTTPS } else { Scheme::HTTP },
        authority: authority.clone(),
        addr,
        tls: target.tls.clone(),
    };
    let addresses = match literal(&target.uri) {
        Some(ip) => vec![(ip, port).into()],
        None => resolver.addresses(host, port).await?,
    };
    Ok(addresses.into_iter().map(place).collect())
}

/// The address, when the URL has one in place of a name.
fn literal(uri: &Uri) -> Option<IpAddr> {
    uri.host()?.trim_matches(['[', ']']).parse().ok()
}

fn tls_of(uri: &Uri, config: Option<&Arc<ClientConfig>>) -> Option<Tls> {
    if uri.scheme() != Some(&Scheme::HTTPS) {
        return None;
    }
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    Some(Tls {
        config: config?.clone(),
        name: ServerName::try_from(host).ok()?,
    })
}
