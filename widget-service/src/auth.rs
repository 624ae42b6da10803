//! The way to the auth service.

use std::{sync::Arc, time::Duration};

use access_token::{RemoteSource, SyncSource};
use service_kit::{
    config::{ConfigError, Secret, TrustArgs},
    tls::UpstreamTlsArgs,
};
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use crate::WidgetArgs;

/// The auth service's replicas and what to show them.
#[derive(Debug, Clone)]
pub(crate) struct AuthService {
    endpoints: Vec<Endpoint>,
    service_token: Secret,
}

impl AuthService {
    /// Reads the settings. Connections are made when they are needed.
    pub(crate) fn new(args: &WidgetArgs, tls: &UpstreamTlsArgs, trust: &TrustArgs) -> Result<Self, ConfigError> {
        let service_token = trust.sent_service_token()?;
        let tls = tls.client_config()?;
        let endpoints = args
            .auth_urls()
            .into_iter()
            .map(|uri| endpoint(Endpoint::from(uri), tls.as_ref()));
        Ok(Self {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            service_token,
        })
    }

    /// Where revocations come from.
    pub(crate) fn sources(&self) -> Result<Vec<Arc<dyn SyncSource>>, ConfigError> {
        let source = |endpoint: &Endpoint| {
            let source = RemoteSource::new(endpoint.clone(), self.service_token.expose());
            let source = source.map_err(|error| ConfigError::new("SERVICE_TOKEN", error.to_string()))?;
            Ok(Arc::new(source) as Arc<dyn SyncSource>)
        };
        self.endpoints.iter().map(source).collect()
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
    if endpoint.uri().scheme_str() != Some("https") {
        return Ok(endpoint);
    }
    let tls = tls.cloned().ok_or_else(|| {
        let wants = "the authorities that sign the certificate of the https:// URL in WIDGET_AUTH_URL";
        ConfigError::new("UPSTREAM_TLS_CA", wants)
    })?;
    let wrong = |error: tonic::transport::Error| ConfigError::new("UPSTREAM_TLS_CA", error.to_string());
    endpoint.tls_config(tls).map_err(wrong)
}
