//! What Sync costs an auth service and PostgreSQL, by the number of those who verify tokens.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use access_token::{RemoteSource, SyncSource, Trust, TrustConfig};
use bench::Outcome;
use database::{ConnectOptions, Database, args};
use service_kit::clock::{Clock, SystemClock};
use test_kit::{Cluster, ClusterOptions};
use tokio::{task::JoinSet, time::sleep};
use tonic::transport::Endpoint;

use crate::role::Role;

const SECRET: &str = "a secret for measuring and for nothing else at all";
const SERVICE_TOKEN: &str = "a-service-token-for-measuring-and-only-that";

/// PostgreSQL's connections tell of their statements once a second.
const TOLD: Duration = Duration::from_secs(1);

pub(crate) async fn run(time: Duration) -> Outcome<()> {
    let server = Cluster::start(ClusterOptions::default())?;
    server.create_database("auth").await;
    let folder = tempfile::tempdir()?;
    let settings = [
        ("AUTH_DATABASE_URL", server.url("auth")),
        ("AUTH_MIGRATE", "auto".to_owned()),
        ("AUTH_KEY_SECRET", SECRET.to_owned()),
        ("SERVICE_TOKEN", SERVICE_TOKEN.to_owned()),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let auth = Role::start("auth", folder.path(), &settings).await?;
    let statistics = Database::connect(&server.url("postgres"), &ConnectOptions::default()).await?;
    let watched = Watched { auth, statistics };

    println!("verifiers           Syncs/s   auth CPU   CPU a Sync   PostgreSQL's transactions/s");
    for verifiers in [1, 10, 100] {
        let trusts = (0..verifiers).map(|_| follow(&watched.auth.url));
        let trusts: Vec<Trust> = trusts.collect::<Result<_, _>>()?;
        for trust in &trusts {
            trust.until_ready().await;
        }
        for (state, is_busy) in [("idle", false), ("under load", true)] {
            let used = watched.during(&trusts, is_busy, time).await?;
            println!("{verifiers:>9} {state:<10} {used}");
        }
    }
    Ok(())
}

/// Trust as a verifying service keeps it, with a connection of its own.
fn follow(url: &str) -> Outcome<Trust> {
    let source = RemoteSource::new(Endpoint::from_shared(url.to_owned())?, SERVICE_TOKEN)?;
    let source: Arc<dyn SyncSource> = Arc::new(source);
    let now = Arc::new(|| SystemClock.now().timestamp());
    Ok(Trust::start(vec![source], TrustConfig::default(), now).0)
}

/// An auth service and what PostgreSQL says of its database.
struct Watched {
    auth: Role,
    statistics: Database,
}

/// Counts so far, or between two moments.
#[derive(Clone, Copy)]
struct Used {
    at: Duration,
    cpu: Duration,
    syncs: u64,
    transactions: i64,
}

impl Watched {
    /// What is used while the verifiers rest, or while each is always waiting for a fresh view.
    async fn during(&self, trusts: &[Trust], is_busy: bool, time: Duration) -> Outcome<Used> {
        let mut waiting = JoinSet::new();
        if is_busy {
            trusts
                .iter()
                .for_each(|trust| drop(waiting.spawn(wait_on(trust.clone()))));
        }
        sleep(TOLD).await;
        let began = Instant::now();
        let before = self.used(trusts, began).await?;
        sleep(time).await;
        let after = self.used(trusts, began).await?;
        if is_busy && waiting.try_join_next().is_some() {
            return Err("a verifier had no fresh view within a second".into());
        }
        Ok(after.since(before))
    }

    async fn used(&self, trusts: &[Trust], began: Instant) -> Outcome<Used> {
        let sql = "SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = 'auth'";
        let row = self.statistics.fetch_one(sql, args![]).await?;
        Ok(Used {
            at: began.elapsed(),
            cpu: self.auth.cpu()?,
            syncs: trusts.iter().map(|trust| trust.stats().begun()).sum(),
            transactions: row.get("n")?,
        })
    }
}

/// Waits for one fresh view after the other, until there is none in time.
async fn wait_on(trust: Trust) {
    while trust.fresh(tokio::time::Instant::now()).await.is_ok() {}
}

impl Used {
    fn since(self, before: Self) -> Self {
        Self {
            at: self.at - before.at,
            cpu: self.cpu - before.cpu,
            syncs: self.syncs - before.syncs,
            transactions: self.transactions - before.transactions,
        }
    }
}

impl std::fmt::Display for Used {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, cpu) = (self.at.as_secs_f64(), self.cpu.as_secs_f64());
        let syncs = self.syncs as f64;
        write!(
            out,
            "{:>8.0} {:>9.1} % {:>9.0} µs {:>14.0}",
            syncs / seconds,
            100.0 * cpu / seconds,
            1e6 * cpu / syncs.max(1.0),
            self.transactions as f64 / seconds,
        )
    }
}
