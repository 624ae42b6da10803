//! A widget service on free ports, with actors that are ready to call it.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use database::{Database, MigrateMode};
use proto::widget::v1::widget_service_client::WidgetServiceClient;
use service_kit::{
    clock::Clock,
    config::{HttpUrls, Secret, TrustArgs},
    process::StartError,
    resolver::SystemResolver,
    tls::UpstreamTlsArgs,
};
use test_kit::{FixedClock, TestDatabase, TokenMint, keep_logs};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::transport::Channel;
use uuid::Uuid;
use widget_service::{Config, WidgetArgs};

use crate::{
    actor::Actor,
    auth::{SERVICE_TOKEN, ScriptedAuth},
};

/// A running widget service of one test.
pub struct App {
    pub addr: SocketAddr,
    pub ops_addr: SocketAddr,
    pub clock: FixedClock,
    pub auth: ScriptedAuth,
    pub mint: TokenMint,
    database: Option<TestDatabase>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), StartError>>,
}

impl App {
    /// A service on SQLite. It is noon of the first of March 2026, and stays so.
    pub async fn start() -> Self {
        Self::start_on(TestDatabase::sqlite().await).await
    }

    /// The same on a database of any engine.
    pub async fn start_on(database: TestDatabase) -> Self {
        let app = Self::start_on_url(database.url()).await;
        Self {
            database: Some(database),
            ..app
        }
    }

    /// The same on a database that the test looks after.
    pub async fn start_on_url(url: &str) -> Self {
        Self::launch(url, start_auth().await, |_| ()).await
    }

    /// The same with settings and an auth service of the test's own.
    pub async fn start_with(auth: ScriptedAuth, change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::sqlite().await;
        let app = Self::launch(database.url(), auth, change).await;
        Self {
            database: Some(database),
            ..app
        }
    }

    async fn launch(url: &str, auth: ScriptedAuth, change: impl FnOnce(&mut Config)) -> Self {
        keep_logs();
        let clock = FixedClock::at("2026-03-01T12:00:00.123456Z");
        let mut config = config(url, &clock, &auth);
        change(&mut config);
        let server = widget_service::build(config).await.unwrap();
        let (addr, ops_addr) = (server.addr(), server.ops_addr());
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server.run_until(async move { drop(stopped.await) }));
        Self {
            addr,
            ops_addr,
            clock,
            auth,
            mint: TokenMint::default(),
            database: None,
            stop,
            server,
        }
    }

    /// The service's database.
    pub fn database(&self) -> &Database {
        self.database.as_ref().unwrap().database()
    }

    /// Stops the service and says how that went.
    pub async fn stop(self) -> Result<(), StartError> {
        self.stop.send(()).unwrap();
        self.server.await.unwrap()
    }

    /// Somebody without a token.
    pub fn anonymous(&self) -> Actor {
        Actor {
            id: Uuid::nil(),
            token_id: Uuid::nil(),
            token: None,
            client: self.client(),
        }
    }

    /// A user with a good token, registered as `user@example.com`.
    pub fn user(&self) -> Actor {
        self.actor(false, "user@example.com")
    }

    /// An administrator with a good token, registered as `admin@example.com`.
    pub fn admin(&self) -> Actor {
        self.actor(true, "admin@example.com")
    }

    /// A registered user with a good token.
    pub fn actor(&self, admin: bool, email: &str) -> Actor {
        let mut claims = self.mint.claims(self.clock.now().timestamp());
        claims.admin = admin;
        claims.expires_at = claims.issued_at + 24 * 3_600;
        self.auth.add_user(claims.user_id, email);
        let token = Some(self.mint.sign(&claims));
        Actor {
            id: claims.user_id,
            token_id: claims.token_id,
            token,
            client: self.client(),
        }
    }

    fn client(&self) -> WidgetServiceClient<Channel> {
        let endpoint = Channel::from_shared(format!("http://{}", self.addr)).unwrap();
        WidgetServiceClient::new(endpoint.connect_lazy()).max_decoding_message_size(64 << 20)
    }
}

/// An auth service that trusts the mint of the tests.
pub async fn start_auth() -> ScriptedAuth {
    ScriptedAuth::start(TokenMint::default().verifying_key(), None).await
}

/// The URLs of auth services, for a configuration.
pub fn urls(scheme: &str, addrs: &[SocketAddr]) -> Option<HttpUrls> {
    let url = |addr| format!("{scheme}://{addr}").parse().unwrap();
    Some(HttpUrls(addrs.iter().map(url).collect()))
}

fn config(url: &str, clock: &FixedClock, auth: &ScriptedAuth) -> Config {
    let widget = WidgetArgs {
        listen: "127.0.0.1:0".parse().unwrap(),
        ops_listen: "127.0.0.1:0".parse().unwrap(),
        database_url: Some(Secret::new(url)),
        migrate: Some(MigrateMode::Auto),
        auth_url: urls("http", &[auth.addr]),
        ..WidgetArgs::default()
    };
    let trust = TrustArgs {
        service_token: Some(Secret::new(SERVICE_TOKEN)),
        ..TrustArgs::default()
    };
    Config {
        widget,
        trust,
        upstream_tls: UpstreamTlsArgs::default(),
        clock: Arc::new(clock.clone()),
        resolver: Arc::new(SystemResolver),
    }
}

/// An address where nobody listens.
pub fn unused_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
