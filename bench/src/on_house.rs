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
use proto::widget::v1::{GetWidgetRequest, ListWidgetsRequest, widget_service_client::WidgetServiceClient};
use serde_json::Value;
use tonic::{Request, metadata::MetadataValue, transport::Channel};

const CONNECTIONS: usize = 64;
const PASSWORD: &str = "a password for measuring only";

pub(crate) async fn run(time: Duration, rounds: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let [checked, stale] = [folder.path().join("checked"), folder.path().join("stale")];
    let house = open(&checked, &[]).await?;
    // The same check by a view that never has to be asked for: what is left of the difference is the asking.
    let fresh = open(&stale, &[("TRUST_MAX_STALENESS", "1h")]).await?;

    reads(&house, &fresh, time, rounds).await?;
    logins(&house, time, rounds).await?;
    logouts(&house, folder.path()).await?;
    fresh.house.stop().await?;
    house.house.stop().await?;
    start_and_memory(&checked).await
}

struct Filled {
    house: House,
    token: String,
}

async fn open(folder: &Path, settings: &[(&str, &str)]) -> Outcome<Filled> {
    std::fs::create_dir(folder)?;
    let house = House::start(folder, settings).await?;
    let admin = house.admin().await?;
    house.fill(&admin, 50).await?;
    let token = house.register("bench@example.com", PASSWORD).await?;
    Ok(Filled { house, token })
}

async fn reads(house: &Filled, fresh: &Filled, time: Duration, rounds: usize) -> Outcome<()> {
    let rest = |path: &'static str| -> Load {
        let (host, token) = (house.house.rest.clone(), house.token.clone());
        load(CONNECTIONS, time, move || {
            let (host, token) = (host.clone(), token.clone());
            async move { Repeated::open(&host, Method::GET, path, Some(&token), "").await }
        })
    };
    let loads = vec![
        ("REST  one widget", rest("/api/v1/widgets/widget-7")),
        ("REST  page of 50", rest("/api/v1/widgets")),
        ("gRPC  one widget, checked", grpc(house, time, Rpc::Get)),
        ("gRPC  one widget, always fresh", grpc(fresh, time, Rpc::Get)),
        ("gRPC  page of 50, checked", grpc(house, time, Rpc::List)),
        ("gRPC  page of 50, always fresh", grpc(fresh, time, Rpc::List)),
    ];
    println!("reads at {CONNECTIONS} connections, medians of {rounds}");
    let measured = interleaved(rounds, loads).await?;
    for (name, measured) in &measured {
        println!("  {name:<32} {measured}");
    }
    println!(
        "  the check leaves {:.3} of the rate for one widget",
        measured[2].1.rate / measured[3].1.rate
    );
    println!(
        "  the check leaves {:.3} of the rate for a page",
        measured[4].1.rate / measured[5].1.rate
    );
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Rpc {
    Get,
    List,
}

struct Grpc {
    client: WidgetServiceClient<Channel>,
    token: MetadataValue<tonic::metadata::Ascii>,
    rpc: Rpc,
}

impl Call for Grpc {
    async fn call(&mut self) -> Outcome<()> {
        match self.rpc {
            Rpc::Get => drop(
                self.client
                    .get_widget(self.with(GetWidgetRequest {
                        name: "widget-7".into(),
                    }))
                    .await?,
            ),
            Rpc::List => drop(
                self.client
                    .list_widgets(self.with(ListWidgetsRequest::default()))
                    .await?,
            ),
        }
        Ok(())
    }
}

impl Grpc {
    fn with<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.token.clone());
        request
    }
}

fn grpc(house: &Filled, time: Duration, rpc: Rpc) -> Load {
    let (url, token) = (
        format!("http://{}", house.house.widget),
        format!("Bearer {}", house.token),
    );
    load(CONNECTIONS, time, move || {
        let (url, token) = (url.clone(), token.clone());
        async move {
            let channel = Channel::from_shared(url)?.tcp_nodelay(true).connect().await?;
            let client = WidgetServiceClient::new(channel);
            Ok(Grpc {
                client,
                token: token.parse()?,
                rpc,
            })
        }
    })
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
