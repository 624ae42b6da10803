//! A running auth service and those who call it.

use std::{sync::Arc, time::Duration};

use auth_service::{AuthArgs, Config, StartError, build, passwords::HashParams};
use clap::Parser;
use proto::auth::v1::{self as pb, auth_service_client::AuthServiceClient, trust_service_client::TrustServiceClient};
use service_kit::config::{Secret, TrustArgs};
use test_kit::{FixedClock, TestDatabase};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::{Code, Request, Status, transport::Channel};
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
    /// Sent as `x-forwarded-for`.
    pub from: Option<String>,
}

impl Anonymous {
    pub fn on(channel: Channel) -> Self {
        Self {
            auth: AuthServiceClient::new(channel.clone()),
            trust: TrustServiceClient::new(channel),
            from: None,
        }
    }

    pub fn from(&self, address: &str) -> Self {
        Self {
            from: Some(address.to_owned()),
            ..self.clone()
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
        let reply = self.auth.clone().register(self.request(request, None)).await?;
        Ok(User::of(self, email, reply.into_inner()))
    }

    pub async fn login(&self, email: &str, password: &str) -> Result<User, Status> {
        let request = pb::LoginRequest {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        let reply = self.auth.clone().login(self.request(request, None)).await?;
        Ok(User::of(self, email, reply.into_inner()))
    }

    pub async fn sync(&self, epoch: i64, cursor: i64) -> Result<pb::SyncResponse, Status> {
        let request = self.request(pb::SyncRequest { epoch, cursor }, Some(SERVICE_TOKEN));
        Ok(self.trust.clone().sync(request).await?.into_inner())
    }

    pub async fn introspect(&self, token: &str) -> Result<pb::IntrospectResponse, Status> {
        let request = pb::IntrospectRequest {
            token: token.to_owned(),
        };
        let request = self.request(request, Some(SERVICE_TOKEN));
        Ok(self.auth.clone().introspect(request).await?.into_inner())
    }

    pub async fn key_set(&self) -> Result<pb::KeySet, Status> {
        let request = self.request(pb::GetKeySetRequest {}, None);
        Ok(self.auth.clone().get_key_set(request).await?.into_inner())
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
            let request = self.client.request(message, Some(&self.token.access_token));
            Ok(self.client.auth.clone().$name(request).await?.into_inner())
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
