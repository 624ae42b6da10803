//! What the gateway has to be told. Every flag has a variable of the same name.

use std::{net::SocketAddr, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use clap::{Args, builder::BoolishValueParser};
use http::Uri;
use service_kit::{
    client_address::TrustedProxies,
    config::{ConfigError, http_urls, limit, listen_address, number_between, production::Production},
    serving::Limits,
    tls::{ListenerTls, UpstreamTlsArgs},
};

use crate::{
    cors::Cors,
    upstream::{Resolver, SystemResolver},
};

const DEFAULT_UPSTREAMS: &str = "auth.v1=http://127.0.0.1:50051,widget.v1=http://127.0.0.1:50052";

/// Everything that [`build`](crate::build) needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The gateway's own settings.
    pub gateway: GatewayArgs,
    /// How https:// services are called.
    pub upstream_tls: UpstreamTlsArgs,
    /// Who knows the addresses of the services' names.
    pub resolver: Arc<dyn Resolver>,
}

impl Config {
    /// With names resolved by the operating system.
    pub fn new(gateway: GatewayArgs, upstream_tls: UpstreamTlsArgs) -> Self {
        Self {
            gateway,
            upstream_tls,
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// Settings of the gateway alone.
#[derive(Debug, Clone, Args)]
pub struct GatewayArgs {
    /// Where REST is served
    #[arg(
        id = "gateway_listen",
        long = "gateway-listen",
        env = "GATEWAY_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080",
        value_parser = listen_address
    )]
    pub listen: SocketAddr,

    /// Where operators' pages are served: /livez, /readyz, /metrics
    #[arg(
        id = "gateway_ops_listen",
        long = "gateway-ops-listen",
        env = "GATEWAY_OPS_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9100",
        value_parser = listen_address
    )]
    pub ops_listen: SocketAddr,

    /// Which proto package is served where: PACKAGE=URL, comma-separated; several URLs of a package with |
    /// [default: auth.v1=http://127.0.0.1:50051,widget.v1=http://127.0.0.1:50052; where they were bound in the
    /// one-process house]
    #[arg(
        id = "gateway_upstreams",
        long = "gateway-upstreams",
        env = "GATEWAY_UPSTREAMS",
        value_name = "LIST"
    )]
    pub upstreams: Option<Upstreams>,

    /// A file with an encoded FileDescriptorSet, in place of the built-in one
    #[arg(
        id = "gateway_descriptors",
        long = "gateway-descriptors",
        env = "GATEWAY_DESCRIPTORS",
        value_name = "FILE"
    )]
    pub descriptors: Option<PathBuf>,

    /// The origins whose pages may use the API: * or a comma-separated list [default: none; * in the one-process
    /// house outside production]
    #[arg(
        id = "gateway_cors_origins",
        long = "gateway-cors-origins",
        env = "GATEWAY_CORS_ORIGINS",
        value_name = "LIST"
    )]
    pub cors_origins: Option<Cors>,

    /// The networks whose x-forwarded-for is believed, comma-separated
    #[arg(
        id = "gateway_trusted_proxies",
        long = "gateway-trusted-proxies",
        env = "GATEWAY_TRUSTED_PROXIES",
        value_name = "LIST",
        default_value = ""
    )]
    pub trusted_proxies: TrustedProxies,

    /// Whether this is production, which refuses to start with plain text beyond loopback, pages of any origin
    #[arg(id = "gateway_production", long = "gateway-production", env = "GATEWAY_PRODUCTION", value_name = "true|false",
          default_value = "false", value_parser = BoolishValueParser::new())]
    pub production: bool,

    /// Whether production may serve plain text beyond loopback: when only a trusted network or a proxy that ends TLS can
    /// reach it
    #[arg(id = "gateway_allow_plaintext", long = "gateway-allow-plaintext", env = "GATEWAY_ALLOW_PLAINTEXT",
          value_name = "true|false", default_value = "false", value_parser = BoolishValueParser::new())]
    pub allow_plaintext: bool,
    /// PEM file of the certificate chain that clients see
    #[arg(
        id = "gateway_tls_cert",
        long = "gateway-tls-cert",
        env = "GATEWAY_TLS_CERT",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,

    /// PEM file of that certificate's private key
    #[arg(
        id = "gateway_tls_key",
        long = "gateway-tls-key",
        env = "GATEWAY_TLS_KEY",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,

    /// PEM file of the authorities that sign the certificates which clients must show
    #[arg(
        id = "gateway_tls_client_ca",
        long = "gateway-tls-client-ca",
        env = "GATEWAY_TLS_CLIENT_CA",
        value_name = "FILE"
    )]
    pub tls_client_ca: Option<PathBuf>,

    /// Bytes of a request's body
    #[arg(id = "gateway_max_body_bytes", long = "gateway-max-body-bytes", env = "GATEWAY_MAX_BODY_BYTES",
          value_name = "BYTES", default_value = "1048576", value_parser = number_between(1_024..=67_108_864))]
    pub max_body_bytes: u32,

    /// How long a request's body may take to arrive
    #[arg(id = "gateway_body_timeout", long = "gateway-body-timeout", env = "GATEWAY_BODY_TIMEOUT",
          value_name = "DURATION", default_value = "30s", value_parser = limit())]
    pub body_timeout: Duration,

    /// The listener's limits.
    #[command(flatten)]
    pub limits: GatewayLimits,
}

service_kit::listener_limits! {
    GatewayLimits of "gateway", "GATEWAY" with Limits::GATEWAY;
    connections "8192", streams "256", request_timeout "10s", idle_timeout "2m"
}

impl GatewayArgs {
    /// Which package is served where.
    ///
    /// # Errors
    /// Never, with the default as it is.
    pub(crate) fn upstreams(&self) -> Result<Upstreams, ConfigError> {
        let default = || {
            DEFAULT_UPSTREAMS
                .parse()
                .map_err(|wants: String| ConfigError::new("GATEWAY_UPSTREAMS", wants))
        };
        self.upstreams.clone().map_or_else(default, Ok)
    }

    /// What keeps it from production, if it is to be that.
    pub fn unfit(&self) -> Vec<ConfigError> {
        if !self.production {
            return Vec::new();
        }
        let origins = match self.cors_origins {
            Some(Cors::Any) => Err(ConfigError::new(
                "GATEWAY_CORS_ORIGINS",
                "the origins whose pages may use the API, comma-separated, or nothing",
            )
            .got("*")),
            _ => Ok(()),
        };
        Production::of("GATEWAY")
            .listener(self.listen, self.tls_cert.is_some(), self.allow_plaintext)
            .has(origins)
            .faults()
    }

    /// The TLS files of the listener.
    pub(crate) fn listener_tls(&self) -> ListenerTls<'_> {
        ListenerTls {
            role: "GATEWAY",
            cert: self.tls_cert.as_deref(),
            key: self.tls_key.as_deref(),
            client_ca: self.tls_client_ca.as_deref(),
        }
    }
}

/// Proto packages and the URLs that serve them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upstreams(pub Vec<(String, Vec<Uri>)>);

impl FromStr for Upstreams {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut upstreams: Vec<(String, Vec<Uri>)> = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let wanted = "PACKAGE=URL, comma-separated, such as widget.v1=http://127.0.0.1:50052";
            let (package, urls) = entry.split_once('=').ok_or(wanted)?;
            let package = package.trim();
            if package.is_empty() || upstreams.iter().any(|(known, _)| known == package) {
                return Err(format!("{wanted}, each package once"));
            }
            upstreams.push((package.to_owned(), http_urls(urls)?));
        }
        Ok(Self(upstreams))
    }
}

impl Upstreams {
    /// The URLs of a package.
    pub fn of(&self, package: &str) -> Option<&[Uri]> {
        self.0
            .iter()
            .find(|(known, _)| known == package)
            .map(|(_, urls)| urls.as_slice())
    }
}
