//! The one-process house on SQLite.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Params, Version};
use bench::{
    Outcome,
    house::House,
    load::{Call, Load, interleaved, load, middle},
    rest::{Repeated, Rest},
};
use database::{ConnectOptions, Database, args};
use http::Method;
use serde_json::Value;

const CONNECTIONS: usize = 64;
const PASSWORD: &str = "a password for measuring only";

pub(crate) async fn run(time: Duration, rounds: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let first = folder.path().join("house");
    let house = open(&first).await?;

    reads(&house, time, rounds).await?;
    logins(&house, time, rounds).await?;
    logouts(&house, folder.path()).await?;
    house.house.stop().await?;
    start_and_memory(&first).await
}

struct Filled {
    house: House,
    token: String,
}

async fn open(folder: &Path) -> Outcome<Filled> {
    std::fs::create_dir(folder)?;
    let house = House::start(folder, &[]).await?;
    let admin = house.admin().await?;
    house.fill(&admin, 50).await?;
    let token = house.register("bench@example.com", PASSWORD).await?;
    Ok(Filled { house, token })
}

async fn reads(house: &Filled, time: Duration, rounds: usize) -> Outcome<()> {
    let rest = |path: &'static str| -> Load {
        let (host, token) = (house.house.rest.clone(), house.token.clone());
        load(CONNECTIONS, time, move || {
            let (host, token) = (host.clone(), token.clone());
            async move { Repeated::open(&host, Method::GET, path, Some(&token), "").await }
        })
    };
    let loads = vec![
        ("one widget", rest("/api/v1/widgets/widget-7")),
        ("page of 50", rest("/api/v1/widgets")),
    ];
    println!("reads through the gateway at {CONNECTIONS} connections, medians of {rounds}");
    for (name, measured) in interleaved(rounds, loads).await? {
        println!("  {name:<32} {measured}");
    }
    Ok(())
}

/// As many threads hash as the house has permits: one less than there are cores, at least one.
async fn logins(house: &Filled, time: Duration, rounds: usize) -> Outcome<()> {
    let permits = std::thread::available_parallelism()?.get().saturating_sub(1).max(1);
    let body = format!("{{\"email\":\"bench@example.com\",\"password\":\"{PASSWORD}\"}}");
    let host = house.house.rest.clone();
    let logging_in = load(permits + 1, time, move || {
        let (host, body) = (host.clone(), body.clone());
        async move { Repeated::open(&host, Method::POST, "/api/v1/auth/login", None, &body).await }
    });
    let bare = load(permits, time, || async { Ok(BareHash) });
    println!("logins with {permits} permit(s)");
    let measured = interleaved(rounds, vec![("logins", logging_in), ("bare Argon2id", bare)]).await?;
    for (name, measured) in &measured {
        println!("  {name:<32} {measured}");
    }
    println!(
        "  logins reach {:.3} of the bare rate",
        measured[0].1.rate / measured[1].1.rate
    );
    Ok(())
}

struct BareHash;

impl Call for BareHash {
    async fn call(&mut self) -> Outcome<()> {
        tokio::task::spawn_blocking(|| -> Outcome<()> {
            let params = Params::new(19_456, 2, 1, Some(32)).map_err(|error| error.to_string())?;
            let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut hash = [0; 32];
            argon
                .hash_password_into(PASSWORD.as_bytes(), b"sixteen bytes ok", &mut hash)
                .map_err(|error| error.to_string())?;
            Ok(())
        })
        .await?
    }
}

async fn logouts(house: &Filled, folder: &Path) -> Outcome<()> {
    const COUNT: usize = 50;
    let mut rest = Rest::connect(&house.house.rest).await?;
    let mut tokens = Vec::new();
    for _ in 0..COUNT {
        tokens.push(house.house.login("bench@example.com", PASSWORD).await?);
    }
    let url = format!("sqlite://{}", folder.join("bare.db").display());
    let bare = Database::connect(&url, &ConnectOptions::default()).await?;
    bare.execute(
        "CREATE TABLE bare (number BIGINT PRIMARY KEY, expires_at BIGINT NOT NULL)",
        args![],
    )
    .await?;

    let (mut logouts, mut commits) = (Vec::new(), Vec::new());
    for (number, token) in (0_i64..).zip(&tokens) {
        let began = Instant::now();
        rest.json(Method::POST, "/api/v1/auth/logout", Some(token), &Value::Null)
            .await?;
        logouts.push(began.elapsed());
        let began = Instant::now();
        bare.execute(
            "INSERT INTO bare (number, expires_at) VALUES ($1, $2)",
            args![number, number],
        )
        .await?;
        commits.push(began.elapsed());
    }
    println!("logout, one at a time, over REST");
    println!("  logout      p50 {:>7.3} ms", middle(logouts).as_secs_f64() * 1e3);
    println!("  bare commit p50 {:>7.3} ms", middle(commits).as_secs_f64() * 1e3);
    Ok(())
}

async fn start_and_memory(folder: &Path) -> Outcome<()> {
    let mut starts = Vec::new();
    let mut memory = 0;
    for _ in 0..5 {
        let house = House::start(folder, &[]).await?;
        starts.push(house.start);
        tokio::time::sleep(Duration::from_secs(1)).await;
        memory = memory.max(house.memory()?);
        house.stop().await?;
    }
    println!(
        "from exec to ready on an existing database: {:.3} s",
        middle(starts).as_secs_f64()
    );
    println!("idle memory: {:.1} MiB", memory as f64 / (1024.0 * 1024.0));
    Ok(())
}
