//! How the parts come together, and how long they live.

use std::{net::SocketAddr, sync::Arc, thread, time::Duration};

use access_token::{AccessLayer, Authenticator, Now, ServiceTokens, Trust, TrustConfig, Verifier, VerifierConfig};
use proto::{
    FILE_DESCRIPTOR_SET,
    auth::v1::{auth_service_server::AuthServiceServer, trust_service_server::TrustServiceServer},
};
use service_kit::{
    config::{Secret, production},
    metrics::Metrics,
    process::StartError,
    readiness::Readiness,
    server::{GrpcServer, Services},
};
use tower::Layer;

use crate::{
    Config, Registration, commands, janitor,
    journal::Journal,
    keys::{KeyRing, first_start},
    metrics,
    passwords::HashPool,
    service::{AuthApi, Context, TrustApi},
    settings::open_aside,
    store::Store,
    throttle::Throttle,
    time::to_micros,
    tokens::TokenIssuer,
    trust::{DatabaseSource, RevocationLog},
};

/// How long one reading of revocations may take: there is no other database to ask instead.
const STATEMENT_PATIENCE: Duration = Duration::from_millis(900);

/// How often the database is asked whether it is there, and how long it may take to answer.
const DATABASE_WATCH: Duration = Duration::from_secs(1);
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// An auth service whose ports are bound and that is not serving yet.
pub struct Server {
    grpc: GrpcServer,
    services: Services,
    readiness: Readiness,
    context: Arc<Context>,
    config: Config,
}

/// An administrator that was made because there was none.
#[derive(Debug)]
pub struct FirstAdministrator {
    /// Its address.
    pub email: String,
    /// Its password, shown this once.
    pub password: Secret,
}

/// Checks the configuration, opens the database, makes what the first start makes, binds the ports and puts the service
/// together.
///
/// # Errors
/// When a setting cannot be used, the database cannot be opened or has an older schema, the signing keys were sealed
/// with another secret, or a port is taken.
pub async fn build(config: Config) -> Result<Server, StartError> {
    let auth = &config.auth;
    production::judge(auth.unfit(&config.trust))?;
    let url = auth.database()?;
    let sealer = auth.sealer(&url)?;
    let administrator = auth.administrator()?;
    let service_tokens = config.trust.required_service_tokens()?;
    let grpc = auth.grpc()?;
    let passwords = passwords(&config)?;

    let store = auth.open_store(&url).await?;
    let now = to_micros(config.clock.now());
    let throttle_key = first_start(&store, &sealer, now)
        .await
        .map_err(commands::keys_refused)?;
    if let Some(administrator) = administrator {
        commands::ensure_administrator(&store, &passwords, administrator, now).await?;
    }

    let (readiness, metrics) = (Readiness::new(), Metrics::new());
    let grpc = GrpcServer::bind(grpc, readiness.clone(), metrics.clone()).await?;
    let ring = Arc::new(KeyRing::new(sealer));
    let throttle = Throttle::new(
        store.clone(),
        config.clock.clone(),
        &throttle_key,
        auth.registration_limit,
    );
    let source = open_aside(&url).await?;
    let (context, verifier) = context(&config, store, source, ring, passwords, throttle);
    metrics::register(&metrics, &context);
    let layer = access(&context, verifier, &service_tokens)?;
    let largest = config.auth.max_message_bytes as usize;
    let api = AuthServiceServer::new(AuthApi(context.clone())).max_decoding_message_size(largest);
    let trust = TrustServiceServer::new(TrustApi(context.clone())).max_decoding_message_size(largest);
    let services = Services::new(FILE_DESCRIPTOR_SET, &(&config.auth.limits).into())
        .with(layer.layer(api))
        .with(layer.layer(trust));
    Ok(Server {
        grpc,
        services,
        readiness,
        context,
        config,
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

    /// Makes `admin@gatehouse.local` with a random password if there is no administrator and none is configured: for
    /// the one-process house.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn first_administrator(&self) -> Result<Option<FirstAdministrator>, StartError> {
        if self.config.auth.admin_email.is_some() {
            return Ok(None);
        }
        let now = to_micros(self.config.clock.now());
        let policy = self.config.auth.policy();
        commands::first_administrator(&self.context.store, &self.context.passwords, policy, now).await
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
            context,
            config,
        } = self;
        readiness.set("database", true);
        readiness.set("trust", false);
        let behind = async {
            tokio::join!(
                watch_database(&context.store, &readiness),
                watch_trust(&context.tokens.trust, &readiness),
                janitor::sweep(&context, config.sweep_every, config.auth.audit_retention),
            )
        };
        tokio::select! {
            outcome = grpc.run_until(services, stop) => outcome,
            _ = behind => Ok(()),
        }
    }
}

async fn watch_database(store: &Store, readiness: &Readiness) {
    let mut turns = tokio::time::interval(DATABASE_WATCH);
    loop {
        turns.tick().await;
        let answer = tokio::time::timeout(DATABASE_PATIENCE, store.ping()).await;
        readiness.set("database", matches!(answer, Ok(Ok(()))));
    }
}

async fn watch_trust(trust: &Trust, readiness: &Readiness) {
    trust.until_ready().await;
    readiness.set("trust", trust.ready());
}

/// As many hashes at once as there are cores, less one for everything else.
fn passwords(config: &Config) -> Result<HashPool, StartError> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let workers = cores.saturating_sub(1).max(1);
    HashPool::new(config.hash, workers, config.auth.hash_queue)
        .map_err(|error| StartError::failed("getting ready to hash passwords", error))
}

fn context(
    config: &Config,
    store: Store,
    source: Store,
    ring: Arc<KeyRing>,
    passwords: HashPool,
    throttle: Arc<Throttle>,
) -> (Arc<Context>, Arc<Verifier>) {
    let clock = config.clock.clone();
    let now: Now = Arc::new(move || clock.now().timestamp());
    let log = Arc::new(RevocationLog::default());
    let source = DatabaseSource::new(source, ring.clone(), log.clone());
    // Whatever TRUST_MAX_STALENESS allows others, what they are told is current.
    let patience = TrustConfig {
        attempt_timeout: STATEMENT_PATIENCE,
        ..TrustConfig::default()
    };
    let (trust, _driver) = Trust::start(vec![Arc::new(source)], patience, now.clone());
    let verifier = Arc::new(Verifier::new(
        VerifierConfig::new(&config.trust.issuer, &config.trust.audience),
        now,
    ));
    let tokens = TokenIssuer {
        issuer: config.trust.issuer.clone(),
        audience: config.trust.audience.clone(),
        ttl: config.auth.token_ttl,
        trust: trust.clone(),
        ring: ring.clone(),
        clock: config.clock.clone(),
    };
    let context = Context {
        journal: Journal::start(store.clone()),
        store,
        clock: config.clock.clone(),
        passwords,
        policy: config.auth.policy(),
        throttle,
        tokens,
        authenticator: Authenticator::new(trust, verifier.clone()),
        ring,
        log,
        registration_open: config.auth.registration == Registration::Open,
        proxies: config.auth.trusted_proxies.clone(),
    };
    (Arc::new(context), verifier)
}

fn access(context: &Context, verifier: Arc<Verifier>, tokens: &[Secret]) -> Result<AccessLayer, StartError> {
    let tokens = ServiceTokens::new(tokens.iter().map(Secret::expose));
    AccessLayer::new(FILE_DESCRIPTOR_SET, context.tokens.trust.clone(), verifier, tokens)
        .map_err(|error| StartError::failed("reading who may call what", error))
}
