//! The cluster: who runs, on what, and who follows whom.

use std::sync::Arc;

use database::{ConnectOptions, Database};
use tempfile::TempDir;
use test_kit::{Cluster as Postgres, ClusterOptions};
use tokio::sync::{Mutex, MutexGuard};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    rest::Rest,
    role::{Role, command},
};

pub const ROOT: &str = "root@example.com";
pub const PASSWORD: &str = "correct horse battery staple";
const KEY_SECRET: &str = "a key secret of the cluster's, of thirty-two bytes and more";
const SERVICE_TOKEN: &str = "a-service-token-of-thirty-two-bytes-and-more";

/// The server that every cluster has its databases on. Whoever holds it has the machine.
static TURN: Mutex<Option<Arc<Postgres>>> = Mutex::const_new(None);

/// Whom a widget service asks for revocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Its own auth service and no other.
    One,
    /// Its own, and the other one when that fails.
    Both,
}

/// How a cluster is set up.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    pub follows: Follows,
    /// `TRUST_MAX_STALENESS` of the widget services.
    pub staleness: &'static str,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            follows: Follows::Both,
            staleness: "0s",
        }
    }
}

/// Everything runs and is ready. It ends when this is dropped.
pub struct Cluster {
    pub auth: [Role; 2],
    pub widget: [Role; 2],
    pub gateway: [Role; 2],
    settings: Settings,
    _folder: TempDir,
    postgres: MutexGuard<'static, Option<Arc<Postgres>>>,
}

/// The settings of each service, and the databases that they lead to.
struct Settings {
    names: [String; 2],
    auth: Vec<(String, String)>,
    widget: Vec<(String, String)>,
}

impl Cluster {
    /// Waits for its turn and starts everything. `None` without PostgreSQL on this machine: the test is skipped.
    pub async fn start(layout: Layout) -> Option<Self> {
        let mut postgres = TURN.lock().await;
        if postgres.is_none() {
            *postgres = Some(Arc::new(Postgres::for_test(ClusterOptions::default()).await?));
        }
        let server = postgres.clone()?;
        let names = ["auth", "widget"].map(|role| format!("{role}_{}", uuid::Uuid::new_v4().simple()));
        for name in &names {
            server.create_database(name).await;
        }
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::of(&server, names);

        let start_auth = || Role::start("auth", folder.path(), settings.auth.clone());
        let auth: [Role; 2] = tokio::join!(start_auth(), start_auth()).into();
        let widget = |own: usize| {
            let settings = settings.widget(layout, [&auth[own], &auth[1 - own]]);
            Role::start("widget", folder.path(), settings)
        };
        let widget: [Role; 2] = tokio::join!(widget(0), widget(1)).into();
        let start_gateway = || Role::start("gateway", folder.path(), gateway(&auth, &widget));
        let gateway: [Role; 2] = tokio::join!(start_gateway(), start_gateway()).into();
        for service in auth.iter().chain(&widget) {
            ready(service).await;
        }
        Some(Self {
            auth,
            widget,
            gateway,
            settings,
            _folder: folder,
            postgres,
        })
    }

    /// Does something to the server below.
    pub async fn at_postgres(&self, act: impl FnOnce(&Postgres) + Send + 'static) {
        let server = self.postgres();
        tokio::task::spawn_blocking(move || act(&server)).await.unwrap();
    }

    fn postgres(&self) -> Arc<Postgres> {
        self.postgres.clone().expect("a cluster has its server")
    }

    /// What the auth service's database is called.
    pub fn auth_database(&self) -> &str {
        &self.settings.names[0]
    }

    /// Connections of one's own to that database.
    pub async fn open_auth_database(&self) -> Database {
        let url = self.postgres().url(self.auth_database());
        Database::connect(&url, &ConnectOptions::default()).await.unwrap()
    }

    /// What an operator runs beside the auth services, to its end: what it printed.
    pub async fn operate(&self, arguments: &[&str]) -> String {
        let arguments = [&["auth"], arguments].concat();
        let ran = command(&arguments, &self.settings.auth).output().await.unwrap();
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
        String::from_utf8(ran.stdout).unwrap()
    }

    /// Ends every process at once, the database's among them.
    pub async fn kill_everything(&mut self) {
        let server = self.postgres();
        let crash = tokio::task::spawn_blocking(move || server.crash());
        for role in self.roles() {
            role.kill().await;
        }
        crash.await.unwrap();
    }

    /// Starts everything again, and waits until it is ready.
    pub async fn start_again(&mut self) {
        self.at_postgres(Postgres::boot).await;
        for role in self.roles() {
            role.restart().await;
        }
        for service in self.auth.iter().chain(&self.widget) {
            ready(service).await;
        }
    }

    fn roles(&mut self) -> impl Iterator<Item = &mut Role> {
        self.auth.iter_mut().chain(&mut self.widget).chain(&mut self.gateway)
    }

    /// A client of the first gateway for what a test needs done.
    pub fn rest(&self) -> Rest {
        Rest::http2(self.gateway[0].addr)
    }
}

/// Waits until a service says that it is.
pub async fn ready(service: &Role) {
    let mut health = HealthClient::new(service.channel().await);
    let mut states = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    while states.message().await.unwrap().unwrap().status != 1 {}
}

impl Settings {
    fn of(server: &Postgres, names: [String; 2]) -> Self {
        let auth = [
            ("AUTH_DATABASE_URL", server.url(&names[0])),
            ("AUTH_MIGRATE", "auto".to_owned()),
            ("AUTH_KEY_SECRET", KEY_SECRET.to_owned()),
            ("AUTH_REGISTRATION_LIMIT", "0".to_owned()),
            ("AUTH_ADMIN_EMAIL", ROOT.to_owned()),
            ("AUTH_ADMIN_PASSWORD", PASSWORD.to_owned()),
            ("SERVICE_TOKEN", SERVICE_TOKEN.to_owned()),
        ];
        let widget = [
            ("WIDGET_DATABASE_URL", server.url(&names[1])),
            ("WIDGET_MIGRATE", "auto".to_owned()),
            ("SERVICE_TOKEN", SERVICE_TOKEN.to_owned()),
        ];
        Self {
            names,
            auth: owned(auth),
            widget: owned(widget),
        }
    }

    fn widget(&self, layout: Layout, auth: [&Role; 2]) -> Vec<(String, String)> {
        let urls = match layout.follows {
            Follows::One => auth[0].url(),
            Follows::Both => auth.map(Role::url).join("|"),
        };
        let more = [
            ("WIDGET_AUTH_URL", urls),
            ("TRUST_MAX_STALENESS", layout.staleness.to_owned()),
        ];
        self.widget.iter().cloned().chain(owned(more)).collect()
    }
}

fn gateway(auth: &[Role; 2], widget: &[Role; 2]) -> Vec<(String, String)> {
    let urls = |roles: &[Role; 2]| roles.each_ref().map(Role::url).join("|");
    let upstreams = format!("auth.v1={},widget.v1={}", urls(auth), urls(widget));
    owned([("GATEWAY_UPSTREAMS", upstreams)])
}

fn owned<const N: usize>(settings: [(&str, String); N]) -> Vec<(String, String)> {
    settings.map(|(name, value)| (name.to_owned(), value)).to_vec()
}
