//! Concurrent logouts, which share their commits, beside the same rows written with a commit each.

use std::{
    future::pending,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use auth_service::{
    AuthArgs,
    audit::Origin,
    passwords::HashParams,
    store::{Entry, Store},
};
use bench::{
    Outcome,
    grpc::{bearer, with},
    load::middle,
};
use chrono::Utc;
use clap::Parser;
use database::{ConnectOptions, Database};
use proto::auth::v1::{
    LoginRequest, LogoutRequest, RegisterRequest, audit_event::Kind, auth_service_client::AuthServiceClient,
};
use service_kit::config::TrustArgs;
use test_kit::{Cluster, ClusterOptions};
use tokio::task::JoinSet;
use tonic::transport::Channel;
use uuid::Uuid;

const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "a password for measuring only";

/// How many log out at once.
const AT_ONCE: usize = 64;
/// How many log out in a round.
const COUNT: usize = 2_000;
/// How many log in at once: fewer than may wait for a hash.
const LOGINS_AT_ONCE: usize = 32;

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

pub(crate) async fn run(rounds: usize) -> Outcome<()> {
    let server = Cluster::start(ClusterOptions { durable: true })?;
    server.create_database("auth").await;
    let url = server.url("auth");
    let client = AuthServiceClient::connect(format!("http://{}", serve(&url).await?)).await?;
    let account = RegisterRequest {
        email: EMAIL.into(),
        password: PASSWORD.into(),
        ..Default::default()
    };
    client.clone().register(account).await?;
    let store = Store::new(Database::connect(&url, &ConnectOptions::default()).await?);

    let (mut grouped, mut single) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let tokens = in_parallel(vec![(); COUNT], LOGINS_AT_ONCE, |()| log_in(client.clone()))
            .await?
            .0;
        grouped.push(
            in_parallel(tokens, AT_ONCE, |token| log_out(client.clone(), token))
                .await?
                .1,
        );
        single.push(
            in_parallel(vec![(); COUNT], AT_ONCE, |()| write(store.clone()))
                .await?
                .1,
        );
    }
    let (grouped, single) = (rate(grouped), rate(single));
    println!("{COUNT} logouts, {AT_ONCE} at once, on PostgreSQL that flushes each commit, medians of {rounds}");
    println!("  logouts by gRPC, which share commits   {grouped:>8.0}/s");
    println!("  the same rows with a commit each       {single:>8.0}/s");
    println!("  grouped is ×{:.1}", grouped / single);
    Ok(())
}

/// An auth service in this process, whose hashes are cheap: tokens are not what is measured.
async fn serve(url: &str) -> Outcome<SocketAddr> {
    let secret = "s".repeat(32);
    let settings = Settings::try_parse_from([
        "logouts",
        "--auth-listen=127.0.0.1:0",
        "--auth-ops-listen=127.0.0.1:0",
        "--auth-migrate=auto",
        &format!("--auth-database-url={url}"),
        &format!("--auth-key-secret={secret}"),
        &format!("--service-token={secret}"),
    ])?;
    let mut config = auth_service::Config::new(settings.auth, settings.trust);
    config.hash = HashParams {
        memory: 64,
        passes: 1,
        lanes: 1,
    };
    let auth = auth_service::build(config).await?;
    let addr = auth.addr();
    tokio::spawn(auth.run_until(pending()));
    Ok(addr)
}

async fn log_in(mut client: AuthServiceClient<Channel>) -> Outcome<String> {
    let request = LoginRequest {
        email: EMAIL.into(),
        password: PASSWORD.into(),
    };
    Ok(client.login(request).await?.into_inner().access_token)
}

async fn log_out(mut client: AuthServiceClient<Channel>, token: String) -> Outcome<()> {
    client.logout(with(&bearer(&token)?, LogoutRequest {})).await?;
    Ok(())
}

/// What a logout writes, in a transaction of its own.
async fn write(store: Store) -> Outcome<()> {
    let (now, user) = (Utc::now(), Uuid::new_v4());
    let revoked = Entry::RevokeToken {
        token: Uuid::new_v4(),
        expires_at: (now + chrono::TimeDelta::hours(1)).timestamp_micros(),
    };
    let event = Entry::Audit(Origin::operator().by(user).success(Kind::Logout, user, now));
    Ok(store.write(&[revoked, event]).await?)
}

/// Does something for each of many, so many at once. Gives what came of it, and how long it took.
async fn in_parallel<I, O, F>(items: Vec<I>, at_once: usize, call: impl Fn(I) -> F) -> Outcome<(Vec<O>, Duration)>
where
    O: Send + 'static,
    F: Future<Output = Outcome<O>> + Send + 'static,
{
    let calls: Vec<F> = items.into_iter().map(call).collect();
    let (calls, done) = (Arc::new(Mutex::new(calls)), Arc::new(Mutex::new(Vec::new())));
    let mut workers = JoinSet::new();
    let began = Instant::now();
    for _ in 0..at_once {
        let (calls, done) = (calls.clone(), done.clone());
        workers.spawn(async move {
            let next = || calls.lock().unwrap_or_else(PoisonError::into_inner).pop();
            while let Some(call) = next() {
                let came = call.await?;
                done.lock().unwrap_or_else(PoisonError::into_inner).push(came);
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    let took = began.elapsed();
    let done = std::mem::take(&mut *done.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((done, took))
}

fn rate(took: Vec<Duration>) -> f64 {
    COUNT as f64 / middle(took).as_secs_f64()
}
