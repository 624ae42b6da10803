//! What the service has to be told.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, builder::BoolishValueParser};
use database::MigrateMode;
use service_kit::{
    client_address::TrustedProxies,
    clock::{SharedClock, SystemClock},
    config::{Secret, TrustArgs, database_url, duration_between, listen_address, number_between, production::replicas},
    serving::Limits,
};

use crate::passwords::HashParams;

/// Everything that [`build`](crate::build) needs.
#[derive(Clone)]
pub struct Config {
    /// The service's own settings.
    pub auth: AuthArgs,
    /// What it shares with those who verify its tokens.
    pub trust: TrustArgs,
    /// What time it is.
    pub clock: SharedClock,
    /// What a password hash costs.
    pub hash: HashParams,
    /// How often expired rows are deleted.
    pub sweep_every: Duration,
}

impl Config {
    /// The configuration of a process: its clock is the machine's, its hashes cost what they should.
    pub fn new(auth: AuthArgs, trust: TrustArgs) -> Self {
        Self {
            auth,
            trust,
            clock: SystemClock::shared(),
            hash: HashParams::default(),
            sweep_every: Duration::from_secs(30),
        }
    }
}

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Everybody
    Open,
    /// Nobody: only the command line makes users
    Closed,
}

/// Settings of the auth service alone.
#[derive(Debug, Clone, Args)]
pub struct AuthArgs {
    /// Where to serve gRPC
    #[arg(id = "auth_listen", long = "auth-listen", env = "AUTH_LISTEN", value_name = "ADDRESS",
          default_value = "127.0.0.1:50051", value_parser = listen_address)]
    pub listen: SocketAddr,

    /// Where to serve /livez, /readyz and /metrics
    #[arg(id = "auth_ops_listen", long = "auth-ops-listen", env = "AUTH_OPS_LISTEN", value_name = "ADDRESS",
          default_value = "127.0.0.1:9101", value_parser = listen_address)]
    pub ops_listen: SocketAddr,

    /// Where accounts are kept: sqlite://PATH or postgres://… [default: sqlite://data/auth.db]
    #[arg(id = "auth_database_url", long = "auth-database-url", env = "AUTH_DATABASE_URL", value_name = "URL",
          hide_env_values = true, value_parser = database_url)]
    pub database_url: Option<Secret>,

    /// A file that holds AUTH_DATABASE_URL
    #[arg(
        id = "auth_database_url_file",
        long = "auth-database-url-file",
        env = "AUTH_DATABASE_URL_FILE",
        value_name = "FILE"
    )]
    pub database_url_file: Option<PathBuf>,

    /// What to do about an older schema at the start: `auto` brings it up to date, `check` refuses to serve
    /// [default: auto on SQLite, check on PostgreSQL]
    #[arg(
        id = "auth_migrate",
        long = "auth-migrate",
        env = "AUTH_MIGRATE",
        value_name = "MODE"
    )]
    pub migrate: Option<MigrateMode>,

    /// Who may register
    #[arg(
        id = "auth_registration",
        long = "auth-registration",
        env = "AUTH_REGISTRATION",
        value_name = "open|closed",
        default_value = "open",
        value_enum
    )]
    pub registration: Registration,

    /// How many registrations one client network (IPv4 /24, IPv6 /64) gets in 10 minutes at each replica; 0 is any
    /// number
    #[arg(id = "auth_registration_limit", long = "auth-registration-limit", env = "AUTH_REGISTRATION_LIMIT",
          value_name = "NUMBER", default_value = "5000", value_parser = registration_limit)]
    pub registration_limit: u32,

    /// How long tokens live: 1s to 24h
    #[arg(id = "auth_token_ttl", long = "auth-token-ttl", env = "AUTH_TOKEN_TTL", value_name = "DURATION",
          default_value = "1h", value_parser = token_ttl)]
    pub token_ttl: Duration,

    /// The least number of characters of a new password, 8 at least (NIST SP 800-63B-4 wants 15)
    #[arg(id = "auth_password_min_length", long = "auth-password-min-length", env = "AUTH_PASSWORD_MIN_LENGTH",
          value_name = "NUMBER", default_value = "15", value_parser = password_min_length)]
    pub password_min_length: usize,

    /// How many password hashes may wait; past it calls are refused at once
    #[arg(id = "auth_hash_queue", long = "auth-hash-queue", env = "AUTH_HASH_QUEUE", value_name = "NUMBER",
          default_value = "64", value_parser = hash_queue)]
    pub hash_queue: usize,

    /// The address of an administrator to make at the start, if it is not registered
    #[arg(
        id = "auth_admin_email",
        long = "auth-admin-email",
        env = "AUTH_ADMIN_EMAIL",
        value_name = "ADDRESS"
    )]
    pub admin_email: Option<String>,

    /// That administrator's password
    #[arg(
        id = "auth_admin_password",
        long = "auth-admin-password",
        env = "AUTH_ADMIN_PASSWORD",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub admin_password: Option<Secret>,

    /// A file that holds AUTH_ADMIN_PASSWORD
    #[arg(
        id = "auth_admin_password_file",
        long = "auth-admin-password-file",
        env = "AUTH_ADMIN_PASSWORD_FILE",
        value_name = "FILE"
    )]
    pub admin_password_file: Option<PathBuf>,

    /// What seals the signing keys in the database: any text of 32 bytes or more. Required with PostgreSQL
    #[arg(
        id = "auth_key_secret",
        long = "auth-key-secret",
        env = "AUTH_KEY_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub key_secret: Option<Secret>,

    /// A file that holds AUTH_KEY_SECRET
    #[arg(
        id = "auth_key_secret_file",
        long = "auth-key-secret-file",
        env = "AUTH_KEY_SECRET_FILE",
        value_name = "FILE"
    )]
    pub key_secret_file: Option<PathBuf>,

    /// Networks whose x-forwarded-for is believed, comma-separated
    #[arg(
        id = "auth_trusted_proxies",
        long = "auth-trusted-proxies",
        env = "AUTH_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        default_value = "127.0.0.0/8,::1/128"
    )]
    pub trusted_proxies: TrustedProxies,

    /// How long audit events are kept
    #[arg(id = "auth_audit_retention", long = "auth-audit-retention", env = "AUTH_AUDIT_RETENTION",
          value_name = "DURATION", default_value = "90d", value_parser = audit_retention())]
    pub audit_retention: Duration,

    /// Whether to serve gRPC reflection [default: on, off in production]
    #[arg(id = "auth_reflection", long = "auth-reflection", env = "AUTH_REFLECTION", value_name = "on|off",
          hide_possible_values = true, value_parser = BoolishValueParser::new())]
    pub reflection: Option<bool>,

    /// Whether this is production, which refuses to start with plain text beyond loopback, no key secret, a short or missing service token, SQLite with
    /// several replicas
    #[arg(id = "auth_production", long = "auth-production", env = "AUTH_PRODUCTION", value_name = "true|false",
          default_value = "false", value_parser = BoolishValueParser::new())]
    pub production: bool,

    /// Whether production may serve plain text beyond loopback: when only a trusted network or a proxy that ends TLS can
    /// reach it
    #[arg(id = "auth_allow_plaintext", long = "auth-allow-plaintext", env = "AUTH_ALLOW_PLAINTEXT",
          value_name = "true|false", default_value = "false", value_parser = BoolishValueParser::new())]
    pub allow_plaintext: bool,

    /// How many replicas run: in production more than one needs PostgreSQL
    #[arg(id = "auth_replicas", long = "auth-replicas", env = "AUTH_REPLICAS", value_name = "NUMBER",
          default_value = "1", value_parser = replicas)]
    pub replicas: u32,

    /// PEM file of the certificate chain to serve TLS with
    #[arg(
        id = "auth_tls_cert",
        long = "auth-tls-cert",
        env = "AUTH_TLS_CERT",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,

    /// PEM file of that certificate's private key
    #[arg(
        id = "auth_tls_key",
        long = "auth-tls-key",
        env = "AUTH_TLS_KEY",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,

    /// PEM file of the authorities that sign the certificates that clients must show
    #[arg(
        id = "auth_tls_client_ca",
        long = "auth-tls-client-ca",
        env = "AUTH_TLS_CLIENT_CA",
        value_name = "FILE"
    )]
    pub tls_client_ca: Option<PathBuf>,

    /// Bytes of a request's message
    #[arg(id = "auth_max_message_bytes", long = "auth-max-message-bytes", env = "AUTH_MAX_MESSAGE_BYTES",
          value_name = "BYTES", default_value = "1048576", value_parser = number_between(1_024..=67_108_864))]
    pub max_message_bytes: u32,

    /// The listener's limits.
    #[command(flatten)]
    pub limits: AuthLimits,
}

service_kit::listener_limits! {
    AuthLimits of "auth", "AUTH" with Limits::SERVICE;
    connections "4096", streams "1024", request_timeout "30s", idle_timeout "5m"
}

fn token_ttl(text: &str) -> Result<Duration, String> {
    let said = "a duration of whole seconds from 1s to 24h";
    let bounds = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
    let ttl = service_kit::config::duration(text).map_err(|_| said)?;
    if bounds.contains(&ttl) && ttl.subsec_nanos() == 0 {
        Ok(ttl)
    } else {
        Err(said.to_owned())
    }
}

fn audit_retention() -> impl Fn(&str) -> Result<Duration, String> + Clone {
    duration_between(
        Duration::from_secs(1)..=Duration::from_secs(36_500 * 86_400),
        "from 1s to 36500d",
    )
}

fn password_min_length(text: &str) -> Result<usize, String> {
    whole_number(text, 8, 256)
}

fn hash_queue(text: &str) -> Result<usize, String> {
    whole_number(text, 0, 100_000)
}

fn registration_limit(text: &str) -> Result<u32, String> {
    whole_number(text, 0, 1_000_000_000).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

fn whole_number(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("a whole number from {least} to {most}"))
}
