//! A running auth service and those who call it.

use std::{sync::Arc, time::Duration};

use access_token::mint::SigningKey;
use auth_service::{AuthArgs, Config, StartError, build, keys::Sealer, passwords::HashParams};
use clap::Parser;
use proto::auth::v1::{self as pb, auth_service_client::AuthServiceClient, trust_service_client::TrustServiceClient};
use service_kit::{
    clock::Clock,
    config::{Secret, TrustArgs},
};
use test_kit::{FixedClock, TestDatabase, TokenMint};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_types::StatusExt;
use uuid::Uuid;

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

pub fn fresh_email() -> String {
    format!("{}@example.com", Uuid::new_v4().simple())
}

/// Somebody without a token, or whose token is put on requests by hand.
#[derive(Clone)]
pub struct Anonymous {
    pub auth: AuthServiceClient<Channel>,
    pub trust: TrustServiceClient<Channel>,
    pub channel: Channel,
    /// Sent as `x-forwarded-for`.
    pub from: Option<String>,
    /// Tries again as long as it hears TRUST_UNAVAILABLE, which a machine that is busy enough says now and then.
    pub patient: bool,
}

/// Asks until there is an answer that counts.
macro_rules! asking {
    ($asker:expr, $service:ident.$method:ident($message:expr, $bearer:expr)) => {
        $asker
            .ask(|| {
                let mut client = $asker.$service.clone();
                let request = $asker.request($message.clone(), $bearer);
                async move { client.$method(request).await }
            })
            .await
    };
}

impl Anonymous {
    pub fn on(channel: Channel) -> Self {
        Self {
            auth: AuthServiceClient::new(channel.clone()),
            trust: TrustServiceClient::new(channel.clone()),
            channel,
            from: None,
            patient: true,
        }
    }

    pub fn from(&self, address: &str) -> Self {
        Self {
            from: Some(address.to_owned()),
            ..self.clone()
        }
    }

    pub fn impatient(&self) -> Self {
        Self {
            patient: false,
            ..self.clone()
        }
    }

    async fn ask<T, F>(&self, call: impl Fn() -> F) -> Result<T, Status>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        loop {
            match call().await {
                Err(status) if self.patient && is_trust_unavailable(&status) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => return outcome.map(Response::into_inner),
            }
        }
    }

    pub fn request<T>(&self, message: T, bearer: Option<&str>) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(bearer) = bearer {
            request
                .metadata_mut()
                .insert("authorization", format!("Bearer {bearer}").parse().unwrap());
        }
        if let Some(from) = &self.from {
            request.metadata_mut().insert("x-forwarded-for", from.parse().unwrap());
        }
        request
    }

    pub async fn register(&self, email: &str) -> Result<User, Status> {
        self.register_with(email, PASSWORD).await
    }

    pub async fn register_with(&self, email: &str, password: &str) -> Result<User, Status> {
        let request = pb::RegisterRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            validate_only: false,
        };
        let token = asking!(self, auth.register(request, None))?;
        Ok(User::of(self, email, token))
    }

    pub async fn login(&self, email: &str, password: &str) -> Result<User, Status> {
        let request = pb::LoginRequest {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        let token = asking!(self, auth.login(request, None))?;
        Ok(User::of(self, email, token))
    }

    /// Calls any method by its path, with an empty request.
    pub async fn call(&self, path: &str, bearer: Option<&str>) -> Result<(), Status> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        grpc.unary(self.request((), bearer), path.parse().unwrap(), codec)
            .await
            .map(drop)
    }

    pub async fn sync(&self, epoch: i64, cursor: i64) -> Result<pb::SyncResponse, Status> {
        asking!(self, trust.sync(pb::SyncRequest { epoch, cursor }, Some(SERVICE_TOKEN)))
    }

    pub async fn introspect(&self, token: &str) -> Result<pb::IntrospectResponse, Status> {
        let request = pb::IntrospectRequest {
            token: token.to_owned(),
        };
        asking!(self, auth.introspect(request, Some(SERVICE_TOKEN)))
    }

    pub async fn key_set(&self) -> Result<pb::KeySet, Status> {
        asking!(self, auth.get_key_set(pb::GetKeySetRequest {}, None))
    }
}

/// Somebody who is logged in.
#[derive(Clone)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub token: pb::AccessToken,
    pub client: Anonymous,
}

macro_rules! calls {
    ($($name:ident($message:ty) -> $reply:ty;)*) => {$(
        pub async fn $name(&self, message: $message) -> Result<$reply, Status> {
            asking!(self.client, auth.$name(message, Some(&self.token.access_token)))
        }
    )*};
}

impl User {
    fn of(client: &Anonymous, email: &str, token: pb::AccessToken) -> Self {
        let claims = claims(&token.access_token);
        Self {
            id: claims["sub"].as_str().unwrap().parse().unwrap(),
            email: email.to_owned(),
            token,
            client: client.clone(),
        }
    }

    calls! {
        list_users(pb::ListUsersRequest) -> pb::ListUsersResponse;
        get_user(pb::GetUserRequest) -> pb::User;
        update_user(pb::UpdateUserRequest) -> pb::User;
        delete_user(pb::DeleteUserRequest) -> ();
        list_audit_events(pb::ListAuditEventsRequest) -> pb::ListAuditEventsResponse;
        delete_current_user(pb::DeleteCurrentUserRequest) -> ();
        change_password(pb::ChangePasswordRequest) -> pb::AccessToken;
        get_current_user(pb::GetCurrentUserRequest) -> pb::CurrentUser;
        logout(pb::LogoutRequest) -> ();
        logout_everywhere(pb::LogoutEverywhereRequest) -> ();
    }

    pub async fn current(&self) -> Result<pb::CurrentUser, Status> {
        self.get_current_user(pb::GetCurrentUserRequest {}).await
    }

    pub async fn log_out(&self) {
        self.logout(pb::LogoutRequest {}).await.unwrap();
    }

    pub async fn change(&self, current: &str, new: &str) -> Result<User, Status> {
        let request = pb::ChangePasswordRequest {
            current: current.to_owned(),
            new: new.to_owned(),
        };
        let token = self.change_password(request).await?;
        Ok(User { token, ..self.clone() })
    }

    /// Writes roles of a user with an explicit mask.
    pub async fn set(&self, id: Uuid, admin: Option<bool>, disabled: Option<bool>) -> Result<pb::User, Status> {
        let paths = [admin.map(|_| "admin"), disabled.map(|_| "disabled")];
        let request = pb::UpdateUserRequest {
            user: Some(pb::User {
                id: id.to_string(),
                admin: admin.unwrap_or_default(),
                disabled: disabled.unwrap_or_default(),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: paths.into_iter().flatten().map(str::to_owned).collect(),
            }),
            validate_only: false,
        };
        self.update_user(request).await
    }

    /// Asserts that the token is good.
    pub async fn is_in(&self) {
        assert_eq!(self.current().await.unwrap().id, self.id.to_string());
    }

    /// Asserts that the token is dead.
    pub async fn is_out(&self) {
        let refusal = self.current().await.unwrap_err();
        assert_eq!(refused(&refusal), (Code::Unauthenticated, "TOKEN_REVOKED".to_owned()));
    }
}

impl User {
    /// Asserts that the token is refused: after a recovery its key is not known any more.
    pub async fn is_out_somehow(&self) {
        let refusal = self.current().await.unwrap_err();
        assert_eq!(refused(&refusal).0, Code::Unauthenticated);
    }
}

/// The claims of a token, unchecked.
pub fn claims(token: &str) -> serde_json::Value {
    part(token, 1)
}

/// The header of a token.
pub fn header(token: &str) -> serde_json::Value {
    part(token, 0)
}

fn part(token: &str, place: usize) -> serde_json::Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let text = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn is_trust_unavailable(status: &Status) -> bool {
    let details = status.get_error_details();
    details
        .error_info()
        .is_some_and(|info| info.reason == "TRUST_UNAVAILABLE")
}

/// A refusal's code and reason.
pub fn refused(status: &Status) -> (Code, String) {
    let details = status.get_error_details();
    let info = details.error_info().expect("every refusal has an ErrorInfo");
    assert_eq!(info.domain, "gatehouse");
    (status.code(), info.reason.clone())
}

/// The fields that a refusal names.
pub fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.clone())
        .unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

/// How long a refusal asks to wait.
pub fn wait(status: &Status) -> Duration {
    status.get_error_details().retry_info().unwrap().retry_delay.unwrap()
}

/// Code and reason of a call that must fail.
pub fn refusal<T>(outcome: Result<T, Status>) -> (Code, String) {
    match outcome {
        Ok(_) => panic!("the call succeeded"),
        Err(status) => refused(&status),
    }
}

/// Shorthand for a code and a reason.
pub fn said(code: Code, reason: &str) -> (Code, String) {
    (code, reason.to_owned())
}

/// A page of the operators' listener, head and body.
pub async fn http_get(addr: std::net::SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}
