//! A whole house on SQLite in a folder of its own, and the REST client of its tests.

use std::{net::SocketAddr, path::Path};

use bytes::Bytes;
use clap::Parser;
use gatehouse::{House, HouseArgs};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::transport::Channel;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    house: HouseArgs,
}

/// A client of a gateway.
pub struct Rest {
    pub addr: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Rest {
    pub fn of(addr: SocketAddr) -> Self {
        Self {
            addr,
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://{}{path}", self.addr));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send_raw(
            request
                .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
                .unwrap(),
        )
        .await
    }

    async fn send_raw(&self, request: Request<Full<Bytes>>) -> Reply {
        let response = self.client.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

/// A running house. It ends when it is dropped.
pub struct TestHouse {
    pub rest: SocketAddr,
    pub auth: SocketAddr,
    pub widget: SocketAddr,
    admin_password: String,
    folder: TempDir,
    client: Rest,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<Result<(), service_kit::process::StartError>>>,
}

impl TestHouse {
    pub async fn start() -> Self {
        Self::with_flags(&[]).await
    }

    /// With more flags.
    pub async fn with_flags(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings_with(folder.path(), flags);
        Self::with(folder, settings).await
    }

    /// With settings whose databases are in the folder.
    pub async fn with(folder: TempDir, settings: HouseArgs) -> Self {
        test_kit::keep_logs();
        let house = House::build(settings).await.unwrap();
        let (rest, auth, widget) = (house.rest_addr(), house.auth_addr(), house.widget_addr());
        let admin_password = house.first_administrator().unwrap().password.expose().to_owned();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(house.run_until(async { drop(stopped.await) }));
        let house = Self {
            rest,
            auth,
            widget,
            admin_password,
            folder,
            client: Rest::of(rest),
            stop: Some(stop),
            serving: Some(serving),
        };
        widget_ready(widget).await;
        house
    }

    /// Ends the house as SIGTERM would, and says how it ended.
    pub async fn stop(mut self) -> Result<(), service_kit::process::StartError> {
        drop(self.stop.take());
        self.serving.take().unwrap().await.unwrap()
    }

    pub fn auth_database(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("auth.db").display())
    }

    pub async fn channel(&self, service: SocketAddr) -> Channel {
        channel(service).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.client.send(method, path, headers, body).await
    }

    pub async fn send_raw(&self, request: Request<Full<Bytes>>) -> Reply {
        self.client.send_raw(request).await
    }

    /// The administrator of the first start, logged in.
    pub async fn admin(&self) -> Actor<'_> {
        self.login("admin@gatehouse.local", &self.admin_password).await
    }

    /// A new user, logged in.
    pub async fn user(&self, email: &str) -> Actor<'_> {
        let body = json!({"email": email, "password": "correct horse battery staple"});
        self.actor(self.send("POST", "/api/v1/auth/register", &[], &body.to_string()).await)
    }

    pub async fn login(&self, email: &str, password: &str) -> Actor<'_> {
        let body = json!({"email": email, "password": password});
        self.actor(self.send("POST", "/api/v1/auth/login", &[], &body.to_string()).await)
    }

    fn actor(&self, reply: Reply) -> Actor<'_> {
        let token = reply.body["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token in {reply:?}"));
        Actor {
            house: self,
            bearer: format!("Bearer {token}"),
        }
    }
}

pub async fn channel(service: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{service}"))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

/// Waits for the widget service's first complete view of revocations.
pub async fn widget_ready(widget: SocketAddr) {
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel(widget).await);
    let request = tonic_health::pb::HealthCheckRequest::default();
    let mut states = health.watch(request).await.unwrap().into_inner();
    while states.message().await.unwrap().unwrap().status != 1 {}
}

/// Somebody with a token.
pub struct Actor<'a> {
    house: &'a TestHouse,
    pub bearer: String,
}

impl Actor<'_> {
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.house
            .send(method, path, &[("authorization", &self.bearer)], &body)
            .await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &Value::Null).await
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body as JSON; null when it is none.
    pub body: Value,
    pub text: String,
}

impl Reply {
    pub fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }

    pub fn challenge(&self) -> &str {
        self.headers
            .get("www-authenticate")
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The fields that were refused, sorted.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        fields.sort_unstable();
        fields
    }
}

/// The services of the house, each with a database.
pub const SERVICES: [&str; 2] = ["auth", "widget"];

/// Everything that listens.
pub fn roles() -> impl Iterator<Item = &'static str> {
    SERVICES.into_iter().chain(["gateway"])
}

/// Free ports, databases in the folder, and a wide allowance for registrations.
pub fn settings(folder: &Path) -> HouseArgs {
    settings_with(folder, &[])
}

fn settings_with(folder: &Path, flags: &[&str]) -> HouseArgs {
    let mut line = vec!["gatehouse".to_owned()];
    for role in roles() {
        line.push(format!("--{role}-listen=127.0.0.1:0"));
        line.push(format!("--{role}-ops-listen=127.0.0.1:0"));
    }
    for role in SERVICES {
        line.push(format!(
            "--{role}-database-url=sqlite://{}",
            folder.join(format!("{role}.db")).display()
        ));
    }
    line.extend(flags.iter().map(|flag| (*flag).to_owned()));
    Line::try_parse_from(line).unwrap().house
}
