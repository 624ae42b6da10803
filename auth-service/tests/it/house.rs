//! A running auth service and those who call it.

use std::{sync::Arc, time::Duration};

use access_token::mint::SigningKey;
use auth_service::{AuthArgs, Config, StartError, build, keys::Sealer, passwords::HashParams};
use clap::Parser;
use service_kit::{
    clock::Clock,
    config::{Secret, TrustArgs},
};
use test_kit::{FixedClock, TestDatabase, TokenMint, keep_logs};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::transport::Channel;

pub use crate::{
    actors::{Anonymous, User, fresh_email},
    replies::{claims, fields, header, http_get, quota, refusal, refused, said, wait},
};

pub const PASSWORD: &str = "correct horse battery staple";
pub const SERVICE_TOKEN: &str = "the-service-token-of-the-test-house";
pub const KEY_SECRET: &str = "the key secret of the test house, long enough";

/// Cheap enough for hundreds of logins in a test.
pub const CHEAP: HashParams = HashParams {
    memory: 64,
    passes: 1,
    lanes: 1,
};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// The configuration of a command line: free ports, cheap hashes, everything else as by default.
pub fn config(url: &str, clock: &FixedClock, flags: &[&str]) -> Config {
    let line = ["auth", "--auth-listen=127.0.0.1:0", "--auth-ops-listen=127.0.0.1:0"];
    let secrets = [
        "--service-token",
        SERVICE_TOKEN,
        "--auth-key-secret",
        KEY_SECRET,
        "--auth-migrate=auto",
    ];
    let line = line.iter().chain(&secrets).chain(flags).copied();
    let Line { mut auth, trust } = Line::try_parse_from(line).unwrap();
    auth.database_url = Some(Secret::new(url));
    Config {
        clock: Arc::new(clock.clone()),
        hash: CHEAP,
        ..Config::new(auth, trust)
    }
}

/// A replica of the auth service, stopped when dropped.
pub struct Replica {
    pub addr: std::net::SocketAddr,
    pub ops: std::net::SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<(), StartError>>,
}

impl Replica {
    pub async fn start(config: Config) -> Self {
        keep_logs();
        let server = build(config).await.unwrap();
        let (addr, ops) = (server.addr(), server.ops_addr());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.run_until(async move { drop(stopped.await) }));
        Self {
            addr,
            ops,
            stop: Some(stop),
            serving,
        }
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.serving).await.unwrap().unwrap();
    }

    /// The value of a metric without labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let page = http_get(self.ops, "/metrics").await;
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {page}")).parse().unwrap()
    }

    /// The value of a metric with one label of a value.
    pub async fn labelled(&self, name: &str, label: &str) -> f64 {
        let page = http_get(self.ops, "/metrics").await;
        let is_it = |line: &&str| line.starts_with(name) && line.contains(&format!("\"{label}\""));
        let line = page
            .lines()
            .find(is_it)
            .unwrap_or_else(|| panic!("no {name} {label} in {page}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub async fn client(&self) -> Anonymous {
        let channel = Channel::from_shared(format!("http://{}", self.addr)).unwrap();
        Anonymous::on(channel.connect().await.unwrap())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if self.stop.is_some() {
            self.serving.abort();
        }
    }
}

/// One replica on a database of its own, at a time that stands still.
pub struct House {
    pub clock: FixedClock,
    pub database: TestDatabase,
    pub replica: Replica,
    pub nobody: Anonymous,
}

impl House {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(flags: &[&str]) -> Self {
        Self::on(TestDatabase::sqlite().await, flags).await
    }

    /// A house that deletes expired rows all the time.
    pub async fn sweeping(every: Duration) -> Self {
        let (database, clock) = (TestDatabase::sqlite().await, FixedClock::now_standing_still());
        let mut config = config(database.url(), &clock, &[]);
        config.sweep_every = every;
        Self::of(database, clock, config).await
    }

    pub async fn on(database: TestDatabase, flags: &[&str]) -> Self {
        let clock = FixedClock::now_standing_still();
        let config = config(database.url(), &clock, flags);
        Self::of(database, clock, config).await
    }

    pub async fn of(database: TestDatabase, clock: FixedClock, config: Config) -> Self {
        let replica = Replica::start(config).await;
        let nobody = replica.client().await;
        Self {
            clock,
            database,
            replica,
            nobody,
        }
    }

    /// Another replica on the same database.
    pub async fn another(&self, flags: &[&str]) -> Replica {
        Replica::start(config(self.database.url(), &self.clock, flags)).await
    }

    pub fn store(&self) -> auth_service::store::Store {
        auth_service::store::Store::new(self.database.database().clone())
    }

    /// A new user with [`PASSWORD`], logged in.
    pub async fn user(&self) -> User {
        self.nobody.register(&fresh_email()).await.unwrap()
    }

    /// A new administrator with [`PASSWORD`], logged in.
    pub async fn admin(&self) -> User {
        let user = self.user().await;
        let sql = "UPDATE users SET admin = TRUE WHERE id = $1";
        let changed = self
            .database
            .database()
            .execute(sql, vec![user.id.into()])
            .await
            .unwrap();
        assert_eq!(changed, 1);
        self.nobody.login(&user.email, PASSWORD).await.unwrap()
    }

    /// A mint that signs with the house's own key.
    pub async fn mint(&self) -> TokenMint {
        let key = self.store().keys().await.unwrap().remove(0);
        let sealer = Sealer::new(Some(&Secret::new(KEY_SECRET))).unwrap();
        let der = sealer.open(&key.kid, &key.private_key.unwrap()).unwrap();
        TokenMint::with_key(SigningKey::from_pkcs8(&der).unwrap())
    }

    /// The time, in seconds since the epoch.
    pub fn seconds(&self) -> i64 {
        self.clock.now().timestamp()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}
