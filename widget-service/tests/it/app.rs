//! A widget service on free ports, with actors that are ready to call it.

use std::{net::SocketAddr, sync::Arc};

use proto::widget::v1::widget_service_client::WidgetServiceClient;
use service_kit::{
    clock::Clock,
    config::{HttpUrls, Secret, TrustArgs},
    process::StartError,
    tls::UpstreamTlsArgs,
};
use test_kit::{FixedClock, TestDatabase, TokenMint};
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
    pub database: TestDatabase,
    mint: TokenMint,
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
        let mint = TokenMint::default();
        let auth = ScriptedAuth::start(mint.verifying_key()).await;
        Self::start_with(database, mint, auth.clone(), vec![auth.addr]).await
    }

    /// The same with an auth service at one of these addresses.
    pub async fn start_with(database: TestDatabase, mint: TokenMint, auth: ScriptedAuth, at: Vec<SocketAddr>) -> Self {
        let clock = FixedClock::at("2026-03-01T12:00:00.123456Z");
        let server = widget_service::build(config(&database, &clock, &at)).await.unwrap();
        let (addr, ops_addr) = (server.addr(), server.ops_addr());
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server.run_until(async move { drop(stopped.await) }));
        Self {
            addr,
            ops_addr,
            clock,
            auth,
            database,
            mint,
            stop,
            server,
        }
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

/// The configuration of a service in a test.
pub fn config(database: &TestDatabase, clock: &FixedClock, auth: &[SocketAddr]) -> Config {
    let urls = auth.iter().map(|addr| format!("http://{addr}").parse().unwrap());
    let widget = WidgetArgs {
        listen: "127.0.0.1:0".parse().unwrap(),
        ops_listen: "127.0.0.1:0".parse().unwrap(),
        database_url: Some(Secret::new(database.url())),
        migrate: Some(database::MigrateMode::Auto),
        auth_url: Some(HttpUrls(urls.collect())),
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
    }
}
