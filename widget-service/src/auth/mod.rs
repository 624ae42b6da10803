//! The way to the auth service.

mod addresses;
mod named;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use access_token::{RemoteSource, SyncSource};
use http::Uri;
use service_kit::{
    config::{ConfigError, Secret, TrustArgs},
    resolver::Resolver,
    tls::UpstreamTlsArgs,
};
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use self::{addresses::Addresses, named::NamedSource};
use crate::WidgetArgs;

/// The auth service's replicas and what to show them.
#[derive(Debug, Clone)]
pub(crate) struct AuthService {
    endpoints: Vec<Endpoint>,
    tls: Option<ClientTlsConfig>,
    service_token: Secret,
    resolver: Arc<dyn Resolver>,
}

impl AuthService {
    /// Reads the settings. Connections are made when they are needed.
    pub(crate) fn new(
        args: &WidgetArgs,
        tls: &UpstreamTlsArgs,
        trust: &TrustArgs,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, ConfigError> {
        let service_token = trust.sent_service_token()?;
        let tls = tls.client_config()?;
        let endpoints = args
            .auth_urls()
            .into_iter()
            .map(|uri| endpoint(Endpoint::from(uri), tls.as_ref()));
        Ok(Self {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            tls,
            service_token,
            resolver,
        })
    }

    /// Where revocations come from: one source for each URL.
    pub(crate) fn sources(&self) -> Result<Vec<Arc<dyn SyncSource>>, ConfigError> {
        let source = |endpoint: &Endpoint| -> Result<Arc<dyn SyncSource>, _> {
            match name_in(endpoint.uri()) {
                Some(host) => Ok(Arc::new(self.named(endpoint.uri(), host)?)),
                None => Ok(Arc::new(self.source(endpoint.connect_lazy(), endpoint.uri())?)),
            }
        };
        self.endpoints.iter().map(source).collect()
    }

    /// A source that follows a name to its addresses.
    fn named(&self, uri: &Uri, host: &str) -> Result<NamedSource, ConfigError> {
        // Tried once here, so that what is wrong with it stops the start and not the first Sync.
        self.source_at(uri, host, SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let port = uri.port_u16().unwrap_or(if is_tls(uri) { 443 } else { 80 });
        let addresses = Addresses::keep(host.to_owned(), port, self.resolver.clone());
        let (auth, of, name) = (self.clone(), uri.clone(), host.to_owned());
        let connect = move |addr| auth.source_at(&of, &name, addr);
        Ok(NamedSource::new(uri.to_string(), addresses, connect))
    }

    /// The source at one of a name's addresses, which sees the name all the same.
    fn source_at(&self, uri: &Uri, host: &str, addr: SocketAddr) -> Result<RemoteSource, ConfigError> {
        let wrong = |error: &dyn std::fmt::Display| ConfigError::new("WIDGET_AUTH_URL", error.to_string());
        let scheme = uri.scheme_str().unwrap_or("http");
        let at = Endpoint::from_shared(format!("{scheme}://{addr}")).map_err(|error| wrong(&error))?;
        let tls = self.tls.clone().map(|tls| tls.domain_name(host));
        let channel = endpoint(at.origin(uri.clone()), tls.as_ref())?.connect_lazy();
        self.source(channel, uri)
    }

    fn source(&self, channel: Channel, uri: &Uri) -> Result<RemoteSource, ConfigError> {
        RemoteSource::over(channel, uri.to_string(), self.service_token.expose())
            .map_err(|error| ConfigError::new("SERVICE_TOKEN", error.to_string()))
    }

    /// Connections for calls other than Sync, which has its own.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        self.endpoints.iter().map(Endpoint::connect_lazy).collect()
    }

    /// What calls carry.
    pub(crate) fn authorization(&self) -> Result<MetadataValue<Ascii>, ConfigError> {
        let value = MetadataValue::try_from(format!("Bearer {}", self.service_token.expose()));
        let mut value = value.map_err(|_| ConfigError::new("SERVICE_TOKEN", "visible ASCII characters"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn endpoint(endpoint: Endpoint, tls: Option<&ClientTlsConfig>) -> Result<Endpoint, ConfigError> {
    // A connection that died unseen is noticed within seconds.
    let patience = Duration::from_secs(2);
    let endpoint = endpoint
        .connect_timeout(Duration::from_millis(300))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(patience)
        .keep_alive_timeout(patience)
        .keep_alive_while_idle(true);
    if !is_tls(endpoint.uri()) {
        return Ok(endpoint);
    }
    let tls = tls.cloned().ok_or_else(|| {
        let wants = "the authorities that sign the certificate of the https:// URL in WIDGET_AUTH_URL";
        ConfigError::new("UPSTREAM_TLS_CA", wants)
    })?;
    let wrong = |error: tonic::transport::Error| ConfigError::new("UPSTREAM_TLS_CA", error.to_string());
    endpoint.tls_config(tls).map_err(wrong)
}

fn is_tls(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

/// The name in a URL, unless it has an address in its place.
fn name_in(uri: &Uri) -> Option<&str> {
    let host = uri.host()?;
    let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    (!is_address).then_some(host)
}
