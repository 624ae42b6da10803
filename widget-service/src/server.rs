//! How the parts come together, and how long they live.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use access_token::{AccessLayer, Now, ServiceTokens, Trust, TrustConfig, Verifier, VerifierConfig};
use database::{ConnectOptions, Database, DatabaseUrl, MigrateMode};
use proto::{FILE_DESCRIPTOR_SET, widget::v1::widget_service_server::WidgetServiceServer};
use service_kit::{
    clock::SharedClock,
    config::{ConfigError, Secret, TrustArgs, production},
    metrics::Metrics,
    process::StartError,
    readiness::Readiness,
    server::{GrpcConfig, GrpcServer, Services},
};
use tower::Layer;

use crate::{
    Config, WidgetArgs, api::WidgetApi, auth::AuthService, metrics, migrations, owners::Owners, store::WidgetStore,
};

/// How often the database is asked whether it is there, and how long it may take to answer.
const DATABASE_WATCH: Duration = Duration::from_secs(1);
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// A widget service whose ports are bound and that is not serving yet.
pub struct Server {
    grpc: GrpcServer,
    services: Services,
    readiness: Readiness,
    db: Database,
    trust: Trust,
}

/// Checks the configuration, opens the database, binds the ports and puts the service together.
///
/// # Errors
/// When a setting cannot be used, the database cannot be opened or has an older schema, or a port is taken.
pub async fn build(config: Config) -> Result<Server, StartError> {
    let (args, clock) = (config.trust.clone(), config.clock.clone());
    assemble(config, |auth| Ok(trust_in(auth, &args, &clock)?)).await
}

/// [`build`] with somebody else's trust in tokens than the one that follows the auth service, for measuring what that
/// costs. No binary calls this.
///
/// # Errors
/// As [`build`].
pub async fn build_with_trust(config: Config, trust: Trust) -> Result<Server, StartError> {
    assemble(config, |_| Ok(trust)).await
}

async fn assemble(
    config: Config,
    trust_in: impl FnOnce(&AuthService) -> Result<Trust, StartError>,
) -> Result<Server, StartError> {
    let Config {
        widget,
        trust: args,
        upstream_tls,
        clock,
        resolver,
    } = config;
    production::judge(widget.unfit(&args))?;
    let auth = AuthService::new(&widget, &upstream_tls, &args, resolver)?;
    let grpc = grpc_config(&widget)?;
    let url = widget.database()?;

    let db = open(&url, widget.migrate).await?;
    let readiness = Readiness::new();
    let metrics = Metrics::new();
    let grpc = GrpcServer::bind(grpc, readiness.clone(), metrics.clone()).await?;

    let trust = trust_in(&auth)?;
    let layer = access(trust.clone(), &args, &clock)?;
    metrics::register(&metrics, &db, &trust);
    let owners = Owners::new(auth.channels(), auth.authorization()?, trust.clone(), clock.clone());
    let api = WidgetApi::new(WidgetStore::new(db.clone()), owners, clock);
    let service = WidgetServiceServer::new(api).max_decoding_message_size(widget.max_message_bytes as usize);
    let services = Services::new(FILE_DESCRIPTOR_SET, &(&widget.limits).into()).with(layer.layer(service));
    Ok(Server {
        grpc,
        services,
        readiness,
        db,
        trust,
    })
}

impl Server {
    /// The bound address.
    pub fn addr(&self) -> SocketAddr {
        self.grpc.addr()
    }

    /// The bound address of `/livez`, `/readyz` and `/metrics`.
    pub fn ops_addr(&self) -> SocketAddr {
        self.grpc.ops_addr()
    }

    /// Serves until `stop` completes, then finishes what is under way.
    ///
    /// # Errors
    /// When serving fails for good.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let Self {
            grpc,
            services,
            readiness,
            db,
            trust,
        } = self;
        readiness.set("database", true);
        readiness.set("trust", false);
        let watch = async { tokio::join!(watch_database(&db, &readiness), watch_trust(&trust, &readiness)) };
        tokio::select! {
            outcome = grpc.run_until(services, stop) => outcome,
            _ = watch => Ok(()),
        }
    }
}

async fn watch_database(db: &Database, readiness: &Readiness) {
    let mut turns = tokio::time::interval(DATABASE_WATCH);
    loop {
        turns.tick().await;
        let answer = tokio::time::timeout(DATABASE_PATIENCE, db.ping()).await;
        readiness.set("database", matches!(answer, Ok(Ok(()))));
    }
}

async fn watch_trust(trust: &Trust, readiness: &Readiness) {
    trust.until_ready().await;
    readiness.set("trust", trust.ready());
}

fn grpc_config(args: &WidgetArgs) -> Result<GrpcConfig, ConfigError> {
    Ok(GrpcConfig {
        role: "WIDGET",
        listen: args.listen,
        ops_listen: args.ops_listen,
        tls: args.tls().server_config(&[b"h2"])?,
        reflection: args.serves_reflection(),
        limits: (&args.limits).into(),
    })
}

async fn open(url: &DatabaseUrl, mode: Option<MigrateMode>) -> Result<Database, StartError> {
    let db = Database::open(url, &ConnectOptions::default())
        .await
        .map_err(store_refused)?;
    let mode = mode.unwrap_or_else(|| url.default_migrate_mode());
    migrations()
        .prepare(&db, mode, "widget-service migrate up")
        .await
        .map_err(store_refused)?;
    Ok(db)
}

/// Why the database keeps the service from starting. A text that says what to do is passed on as it is.
pub(crate) fn store_refused(error: database::Error) -> StartError {
    match error {
        database::Error::File { .. } | database::Error::Schema { .. } => StartError::Refused(error.to_string()),
        error => StartError::failed("opening the database", error),
    }
}

/// The trust in tokens, kept current by a task that ends with its last user.
fn trust_in(auth: &AuthService, args: &TrustArgs, clock: &SharedClock) -> Result<Trust, ConfigError> {
    let config = TrustConfig {
        max_staleness: args.max_staleness,
        ..TrustConfig::default()
    };
    let (trust, _driver) = Trust::start(auth.sources()?, config, seconds(clock));
    Ok(trust)
}

/// The layer that acts on trust.
fn access(trust: Trust, args: &TrustArgs, clock: &SharedClock) -> Result<AccessLayer, StartError> {
    let verifier = Verifier::new(VerifierConfig::new(&args.issuer, &args.audience), seconds(clock));
    let tokens = ServiceTokens::new(args.service_tokens()?.iter().map(Secret::expose));
    AccessLayer::new(FILE_DESCRIPTOR_SET, trust, Arc::new(verifier), tokens)
        .map_err(|error| StartError::failed("reading who may call what", error))
}

fn seconds(clock: &SharedClock) -> Now {
    let clock = clock.clone();
    Arc::new(move || clock.now().timestamp())
}
