//! Two auth services on one database, and a widget service that follows each of them.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use auth_service::{AuthArgs, passwords::HashParams};
use clap::Parser;
use proto::{
    auth::v1::{self as pb, auth_service_client::AuthServiceClient},
    widget::v1::{ListWidgetsRequest, widget_service_client::WidgetServiceClient},
};
use service_kit::{
    config::{Secret, TrustArgs},
    tls::UpstreamTlsArgs,
};
use test_kit::TestDatabase;
use tokio::task::JoinSet;
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_types::StatusExt;
use widget_service::WidgetArgs;

const PASSWORD: &str = "correct horse battery staple";
const NEW: &str = "a quite different sentence";

/// How long a busy machine may keep somebody waiting for a view of revocations.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    widget: WidgetArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    upstream_tls: UpstreamTlsArgs,
}

fn line() -> Line {
    let listen = ["auth", "widget"].map(|role| {
        [
            format!("--{role}-listen=127.0.0.1:0"),
            format!("--{role}-ops-listen=127.0.0.1:0"),
            format!("--{role}-migrate=auto"),
        ]
    });
    let secrets = ["--service-token", "--auth-key-secret"].map(|flag| format!("{flag}={}", "s".repeat(32)));
    let words = ["replicas".to_owned()].into_iter().chain(listen.into_iter().flatten());
    Line::try_parse_from(words.chain(secrets)).unwrap()
}

/// Calls until there is an answer that counts: where a machine is busy enough, it cannot be told now and then what has
/// been revoked.
async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    let began = Instant::now();
    loop {
        match call().await {
            Err(status) if reason(&status) == "TRUST_UNAVAILABLE" && began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return outcome.map(Response::into_inner),
        }
    }
}

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}

/// A call of a client's method, with a token if there is one, asked patiently.
macro_rules! call {
    ($client:expr, $method:ident, $message:expr, $token:expr) => {
        patiently(|| {
            let (mut client, mut request) = ($client.clone(), Request::new($message));
            if let Some(token) = $token {
                let bearer = format!("Bearer {token}").parse().unwrap();
                request.metadata_mut().insert("authorization", bearer);
            }
            async move { client.$method(request).await }
        })
        .await
    };
}

const NOBODY: Option<&str> = None;

struct Replicas {
    auth: [AuthServiceClient<Channel>; 2],
    widget: [WidgetServiceClient<Channel>; 2],
    accounts: TestDatabase,
    _widgets: TestDatabase,
    _serving: JoinSet<()>,
}

impl Replicas {
    async fn on(accounts: TestDatabase) -> Self {
        let widgets = TestDatabase::sqlite().await;
        let mut serving = JoinSet::new();
        let mut replicas = Vec::new();
        for _ in 0..2 {
            let auth = serve_auth(&accounts, &mut serving).await;
            let widget = serve_widget(&widgets, auth, &mut serving).await;
            replicas.push((channel(auth).await, channel(widget).await));
        }
        Self {
            auth: [0, 1].map(|place| AuthServiceClient::new(replicas[place].0.clone())),
            widget: [0, 1].map(|place| WidgetServiceClient::new(replicas[place].1.clone())),
            accounts,
            _widgets: widgets,
            _serving: serving,
        }
    }

    async fn register(&self, email: &str) -> String {
        let request = pb::RegisterRequest {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            validate_only: false,
        };
        let token = call!(self.auth[0], register, request.clone(), NOBODY);
        token.unwrap().access_token
    }

    async fn login(&self, email: &str, password: &str) -> Result<String, Status> {
        let request = pb::LoginRequest {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        let token = call!(self.auth[1], login, request.clone(), NOBODY);
        token.map(|token| token.access_token)
    }

    async fn admin(&self) -> String {
        self.register("root@example.com").await;
        let sql = "UPDATE users SET admin = TRUE";
        self.accounts.database().execute(sql, vec![]).await.unwrap();
        self.login("root@example.com", PASSWORD).await.unwrap()
    }

    /// Does something to a user at the first auth service, whose tokens it kills. Answers the password that lets the
    /// user in again.
    async fn kill(&self, what: &str, admin: &str, token: &str) -> Option<&'static str> {
        let auth = &self.auth[0];
        let user = call!(auth, get_current_user, pb::GetCurrentUserRequest {}, Some(token)).unwrap();
        let set = async |admin_role, disabled| {
            let request = pb::UpdateUserRequest {
                user: Some(pb::User {
                    id: user.id.clone(),
                    admin: admin_role,
                    disabled,
                    ..pb::User::default()
                }),
                update_mask: None,
                validate_only: false,
            };
            call!(auth, update_user, request.clone(), Some(admin)).unwrap();
        };
        match what {
            "logout" => call!(auth, logout, pb::LogoutRequest {}, Some(token)).unwrap(),
            "logout everywhere" => {
                call!(auth, logout_everywhere, pb::LogoutEverywhereRequest {}, Some(token)).unwrap();
            }
            "password change" => {
                let request = pb::ChangePasswordRequest {
                    current: PASSWORD.to_owned(),
                    new: NEW.to_owned(),
                };
                call!(auth, change_password, request.clone(), Some(token)).unwrap();
                return Some(NEW);
            }
            "promotion" => set(true, false).await,
            "disabling" => {
                set(false, true).await;
                return None;
            }
            "deletion" => {
                let request = pb::DeleteUserRequest { id: user.id.clone() };
                call!(auth, delete_user, request.clone(), Some(admin)).unwrap();
                return None;
            }
            other => panic!("{other}"),
        }
        Some(PASSWORD)
    }

    /// What the widget services answer to a token: a reason, or nothing when it is good.
    async fn answers(&self, token: &str) -> [String; 2] {
        let mut answers = [String::new(), String::new()];
        for (answer, widget) in answers.iter_mut().zip(&self.widget) {
            let outcome = call!(widget, list_widgets, ListWidgetsRequest::default(), Some(token));
            *answer = outcome.err().as_ref().map(reason).unwrap_or_default();
        }
        answers
    }
}

async fn serve_auth(accounts: &TestDatabase, serving: &mut JoinSet<()>) -> SocketAddr {
    let Line { mut auth, trust, .. } = line();
    auth.database_url = Some(Secret::new(accounts.url()));
    let mut config = auth_service::Config::new(auth, trust);
    config.hash = HashParams {
        memory: 64,
        passes: 1,
        lanes: 1,
    };
    let server = auth_service::build(config).await.unwrap();
    let addr = server.addr();
    serving.spawn(async move { server.run_until(std::future::pending()).await.unwrap() });
    addr
}

async fn serve_widget(widgets: &TestDatabase, auth: SocketAddr, serving: &mut JoinSet<()>) -> SocketAddr {
    let Line {
        mut widget,
        trust,
        upstream_tls,
        ..
    } = line();
    widget.database_url = Some(Secret::new(widgets.url()));
    widget.auth_url = Some(format!("http://{auth}").parse().unwrap());
    let config = widget_service::Config::new(widget, trust, upstream_tls);
    let server = widget_service::build(config).await.unwrap();
    let addr = server.addr();
    serving.spawn(async move { server.run_until(std::future::pending()).await.unwrap() });
    addr
}

async fn channel(addr: SocketAddr) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{addr}")).unwrap();
    endpoint.connect().await.unwrap()
}

test_kit::on_every_engine! {
    async fn whatever_kills_tokens_kills_them_at_every_widget_service_and_a_login_in_the_same_second_is_live(
        database: TestDatabase
    ) {
        let replicas = Replicas::on(database).await;
        let admin = replicas.admin().await;
        for what in ["logout", "logout everywhere", "password change", "promotion", "disabling", "deletion"] {
            let email = format!("{}@example.com", what.replace(' ', "-"));
            let token = replicas.register(&email).await;
            assert_eq!(replicas.answers(&token).await, ["", ""], "before the {what}");

            let password = replicas.kill(what, &admin, &token).await;

            assert_eq!(replicas.answers(&token).await, ["TOKEN_REVOKED", "TOKEN_REVOKED"], "after the {what}");
            let again = replicas.login(&email, password.unwrap_or(PASSWORD)).await;
            assert_eq!(again.is_ok(), password.is_some(), "after the {what}");
            if let Ok(token) = again {
                assert_eq!(replicas.answers(&token).await, ["", ""], "logged in after the {what}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_reply_to_a_logout_ten_thousand_parallel_calls_are_all_refused() {
    let replicas = Replicas::on(TestDatabase::sqlite().await).await;
    let token = replicas.register("ada@example.com").await;
    assert_eq!(replicas.answers(&token).await, ["", ""]);

    replicas.kill("logout", "", &token).await;

    let mut calls = JoinSet::new();
    for n in 0..10_000 {
        let (widget, token) = (replicas.widget[n % 2].clone(), token.clone());
        calls.spawn(async move {
            let outcome = call!(widget, list_widgets, ListWidgetsRequest::default(), Some(&token));
            let refused = outcome.expect_err("a call got through");
            (refused.code(), reason(&refused))
        });
    }
    for answer in calls.join_all().await {
        assert_eq!(answer, (Code::Unauthenticated, "TOKEN_REVOKED".to_owned()));
    }
}
