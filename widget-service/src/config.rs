//! What the service has to be told.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use clap::{Args, builder::BoolishValueParser};
use database::{DatabaseUrl, MigrateMode};
use http::Uri;
use service_kit::{
    clock::{SharedClock, SystemClock},
    config::{
        ConfigError, HttpUrls, Secret, TrustArgs, database_url, listen_address, number_between,
        production::{Production, replicas},
        resolve,
    },
    resolver::{Resolver, SystemResolver},
    serving::Limits,
    tls::{ListenerTls, UpstreamTlsArgs},
};

/// Everything that [`build`](crate::build) needs.
#[derive(Clone)]
pub struct Config {
    /// The service's own settings.
    pub widget: WidgetArgs,
    /// How tokens are trusted.
    pub trust: TrustArgs,
    /// How https:// auth services are called.
    pub upstream_tls: UpstreamTlsArgs,
    /// What time it is.
    pub clock: SharedClock,
    /// Who knows the addresses of the auth service's name.
    pub resolver: Arc<dyn Resolver>,
}

impl Config {
    /// The configuration of a process: its clock and its names are the machine's.
    pub fn new(widget: WidgetArgs, trust: TrustArgs, upstream_tls: UpstreamTlsArgs) -> Self {
        Self {
            widget,
            trust,
            upstream_tls,
            clock: SystemClock::shared(),
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// Settings of the widget service alone.
#[derive(Debug, Clone, Args)]
pub struct WidgetArgs {
    /// Where to serve gRPC
    #[arg(id = "widget_listen", long = "widget-listen", env = "WIDGET_LISTEN", value_name = "ADDRESS",
          default_value = "127.0.0.1:50052", value_parser = listen_address)]
    pub listen: SocketAddr,

    /// Where to serve /livez, /readyz and /metrics
    #[arg(id = "widget_ops_listen", long = "widget-ops-listen", env = "WIDGET_OPS_LISTEN", value_name = "ADDRESS",
          default_value = "127.0.0.1:9102", value_parser = listen_address)]
    pub ops_listen: SocketAddr,

    /// Where widgets are kept: sqlite://PATH or postgres://… [default: sqlite://data/widget.db]
    #[arg(id = "widget_database_url", long = "widget-database-url", env = "WIDGET_DATABASE_URL", value_name = "URL",
          hide_env_values = true, value_parser = database_url)]
    pub database_url: Option<Secret>,

    /// A file that holds WIDGET_DATABASE_URL
    #[arg(
        id = "widget_database_url_file",
        long = "widget-database-url-file",
        env = "WIDGET_DATABASE_URL_FILE",
        value_name = "FILE"
    )]
    pub database_url_file: Option<PathBuf>,

    /// What to do about an older schema at the start: `auto` brings it up to date, `check` refuses to serve
    /// [default: auto on SQLite, check on PostgreSQL]
    #[arg(
        id = "widget_migrate",
        long = "widget-migrate",
        env = "WIDGET_MIGRATE",
        value_name = "MODE"
    )]
    pub migrate: Option<MigrateMode>,

    /// The auth service; several URLs of one are separated by |. Names are resolved again and again, and an address that
    /// does not answer is passed over [default: http://127.0.0.1:50051; where it was bound in the one-process house]
    #[arg(
        id = "widget_auth_url",
        long = "widget-auth-url",
        env = "WIDGET_AUTH_URL",
        value_name = "URLS"
    )]
    pub auth_url: Option<HttpUrls>,

    /// Whether to serve gRPC reflection [default: on, off in production]
    #[arg(id = "widget_reflection", long = "widget-reflection", env = "WIDGET_REFLECTION", value_name = "on|off",
          hide_possible_values = true, value_parser = BoolishValueParser::new())]
    pub reflection: Option<bool>,

    /// Whether this is production, which refuses to start with plain text beyond loopback, a short or missing service token, SQLite with several
    /// replicas
    #[arg(id = "widget_production", long = "widget-production", env = "WIDGET_PRODUCTION", value_name = "true|false",
          default_value = "false", value_parser = BoolishValueParser::new())]
    pub production: bool,

    /// Whether production may serve plain text beyond loopback: when only a trusted network or a proxy that ends TLS can
    /// reach it
    #[arg(id = "widget_allow_plaintext", long = "widget-allow-plaintext", env = "WIDGET_ALLOW_PLAINTEXT",
          value_name = "true|false", default_value = "false", value_parser = BoolishValueParser::new())]
    pub allow_plaintext: bool,

    /// How many replicas run: in production more than one needs PostgreSQL
    #[arg(id = "widget_replicas", long = "widget-replicas", env = "WIDGET_REPLICAS", value_name = "NUMBER",
          default_value = "1", value_parser = replicas)]
    pub replicas: u32,

    /// PEM file of the certificate chain to serve TLS with
    #[arg(
        id = "widget_tls_cert",
        long = "widget-tls-cert",
        env = "WIDGET_TLS_CERT",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,

    /// PEM file of that certificate's private key
    #[arg(
        id = "widget_tls_key",
        long = "widget-tls-key",
        env = "WIDGET_TLS_KEY",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,

    /// PEM file of the authorities that sign the certificates that clients must show
    #[arg(
        id = "widget_tls_client_ca",
        long = "widget-tls-client-ca",
        env = "WIDGET_TLS_CLIENT_CA",
        value_name = "FILE"
    )]
    pub tls_client_ca: Option<PathBuf>,

    /// Bytes of a request's message
    #[arg(id = "widget_max_message_bytes", long = "widget-max-message-bytes", env = "WIDGET_MAX_MESSAGE_BYTES",
          value_name = "BYTES", default_value = "1048576", value_parser = number_between(1_024..=67_108_864))]
    pub max_message_bytes: u32,

    /// The listener's limits.
    #[command(flatten)]
    pub limits: WidgetLimits,
}

service_kit::listener_limits! {
    WidgetLimits of "widget", "WIDGET" with Limits::SERVICE;
    connections "4096", streams "1024", request_timeout "30s", idle_timeout "5m"
}

impl Default for WidgetArgs {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 50_052)),
            ops_listen: SocketAddr::from(([127, 0, 0, 1], 9_102)),
            database_url: None,
            database_url_file: None,
            migrate: None,
            auth_url: None,
            reflection: None,
            production: false,
            allow_plaintext: false,
            replicas: 1,
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
            max_message_bytes: 1 << 20,
            limits: WidgetLimits::default(),
        }
    }
}

impl WidgetArgs {
    /// The database's URL, checked.
    ///
    /// # Errors
    /// When both variables are set, the file cannot be used, or the URL is none. The URL is not repeated.
    pub fn database(&self) -> Result<DatabaseUrl, ConfigError> {
        let variable = "WIDGET_DATABASE_URL";
        let url = resolve(variable, self.database_url.as_ref(), self.database_url_file.as_deref())?;
        let url = url.unwrap_or_else(|| Secret::new("sqlite://data/widget.db"));
        url.expose()
            .parse()
            .map_err(|error: database::Error| ConfigError::new(variable, error.to_string()))
    }

    /// The URLs of the auth service.
    pub fn auth_urls(&self) -> Vec<Uri> {
        let default = || vec![Uri::from_static("http://127.0.0.1:50051")];
        self.auth_url.as_ref().map_or_else(default, |urls| urls.0.clone())
    }

    /// What keeps it from production, if it is to be that.
    pub fn unfit(&self, trust: &TrustArgs) -> Vec<ConfigError> {
        if !self.production {
            return Vec::new();
        }
        Production::of("WIDGET")
            .listener(self.listen, self.tls_cert.is_some(), self.allow_plaintext)
            .database(self.database().map(|url| url.is_shared()), self.replicas)
            .has(trust.required_service_tokens())
            .faults()
    }

    /// Whether reflection is served.
    pub fn serves_reflection(&self) -> bool {
        self.reflection.unwrap_or(!self.production)
    }

    /// The listener's certificate files.
    pub fn tls(&self) -> ListenerTls<'_> {
        ListenerTls {
            role: "WIDGET",
            cert: self.tls_cert.as_deref(),
            key: self.tls_key.as_deref(),
            client_ca: self.tls_client_ca.as_deref(),
        }
    }
}
