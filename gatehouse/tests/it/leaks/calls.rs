//! A house in use: every kind of call, with secrets in the right places and in wrong ones.

use std::path::Path;

use database::{ConnectOptions, Database, args};
use http::StatusCode;
use proto::auth::v1::{IntrospectRequest, LoginRequest, auth_service_client::AuthServiceClient};
use serde_json::{Value, json};
use tonic::{Code, Request, metadata::MetadataValue, transport::Channel};

use super::{
    house::{ADMIN_EMAIL, ADMIN_PASSWORD, PlantedHouse, SERVICE_TOKEN, command, run},
    scan::assert_clean,
};
use crate::house::{Reply, channel};

const PASSWORD: &str = "planted-password-of-ada";
const NEW: &str = "planted-password-of-ada-from-now-on";
const WRONG: &str = "planted-password-that-is-wrong";

/// What a user typed, to forge a line of the log and to colour a terminal.
const FORGED: &str = "a\r\n{\"level\":\"ERROR\",\"message\":\"forged\"}\u{1b}[31m@example.com";

/// The tokens that the house gave out.
#[derive(Default)]
struct Tokens(Vec<String>);

impl Tokens {
    /// Keeps the token of a reply, and gives the header that shows it.
    fn keep(&mut self, reply: &Reply) -> String {
        let token = reply.body["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token in {reply:?}"));
        self.0.push(token.to_owned());
        format!("Bearer {token}")
    }

    /// Claims and signatures.
    fn parts(&self) -> Vec<&str> {
        self.0.iter().flat_map(|token| token.split('.').skip(1)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_most_talkative_log_nor_the_metrics_hold_a_secret() {
    let house = PlantedHouse::start().await;
    let mut tokens = Tokens::default();

    sign_in_and_out(&house, &mut tokens).await;
    put_secrets_in_wrong_places(&house).await;
    show_bad_tokens(&house, &tokens).await;
    call_grpc(&house, &tokens).await;
    command_line(house.folder.path());
    let metrics = house.metrics().await;
    let hashes = hashes(house.folder.path());
    let log = house.stop();

    for sign in ["\"audit\"", "LOGIN", "\"DEBUG\"", "a call was denied"] {
        assert!(log.contains(sign), "the log is not the most talkative one: no {sign}");
    }
    assert!(metrics.contains("http_server_request_duration") && metrics.contains("password_hash_queue"));
    assert!(hashes.len() >= 3, "{hashes:?}");
    let others = || tokens.parts().into_iter().chain(hashes.iter().map(String::as_str));
    assert_clean("the log", &log, others());
    assert_clean("the metrics", &metrics, others());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_users_send_begins_no_line_of_the_log() {
    let house = PlantedHouse::start().await;
    let json = [("x-request-id", "<script>"), ("user-agent", "\u{9b}2J")];
    let body = json!({"email": FORGED, "password": FORGED}).to_string();
    for path in ["/api/v1/auth/login", "/api/v1/auth/register"] {
        house.rest.send("POST", path, &json, &body).await;
    }
    for path in [
        "/api/v1/widgets/%0d%0aforged%1b[31m",
        "/%0aforged",
        "/api/v1/users?page_token=%0aforged%1b",
    ] {
        house.rest.send("GET", path, &[], "").await;
    }

    let log = house.stop();

    assert!(!log.contains('\u{1b}') && !log.contains('\r'), "control characters");
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_ne!(event["message"], "forged");
        assert!(event["timestamp"].is_string() && event["target"].is_string(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cause_of_a_failure_is_in_the_log_once_and_not_in_the_reply() {
    let house = PlantedHouse::start().await;
    let mut tokens = Tokens::default();
    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}).to_string();
    let bearer = tokens.keep(&house.rest.send("POST", "/api/v1/auth/login", &[], &login).await);
    let url = format!("sqlite://{}", house.folder.path().join("data/widget.db").display());
    let database = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
    database
        .execute("ALTER TABLE widgets RENAME TO elsewhere", args![])
        .await
        .unwrap();

    let headers = [("authorization", &*bearer), ("x-request-id", "the-failing-call")];
    let reply = house.rest.send("GET", "/api/v1/widgets/sprocket-9", &headers, "").await;
    let log = house.stop();

    assert_eq!(
        (reply.status, reply.reason()),
        (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL")
    );
    assert_eq!(reply.headers["x-request-id"], "the-failing-call");
    assert!(!reply.text.contains("widgets"), "{}", reply.text);
    let causes: Vec<&str> = log.lines().filter(|line| line.contains("no such table")).collect();
    assert_eq!(causes.len(), 1, "{causes:#?}");
    assert!(causes[0].contains("the-failing-call"), "{}", causes[0]);
}

/// The calls as they are meant, and with passwords that are wrong.
async fn sign_in_and_out(house: &PlantedHouse, tokens: &mut Tokens) {
    let register = json!({"email": "ada@example.com", "password": PASSWORD});
    let bearer = tokens.keep(&post(house, "/register", "", &register).await);
    is(409, post(house, "/register", "", &register).await);
    let short = json!({"email": "bob@example.com", "password": "planted-"});
    is(400, post(house, "/register", "", &short).await);
    let long = json!({"email": "bob@example.com", "password": "planted-".repeat(200)});
    is(400, post(house, "/register", "", &long).await);
    for email in ["ada@example.com", "nobody@example.com"] {
        let wrong = json!({"email": email, "password": WRONG});
        is(401, post(house, "/login", "", &wrong).await);
    }

    is(
        403,
        post(house, "/password", &bearer, &json!({"current": WRONG, "new": NEW})).await,
    );
    is(
        400,
        post(
            house,
            "/password",
            &bearer,
            &json!({"current": PASSWORD, "new": "planted-"}),
        )
        .await,
    );
    let changed = post(house, "/password", &bearer, &json!({"current": PASSWORD, "new": NEW})).await;
    let changed = tokens.keep(&changed);
    is(401, post(house, "/logout", &bearer, &Value::Null).await);
    is(
        403,
        post(house, "/delete-account", &changed, &json!({"password": WRONG})).await,
    );
    is(204, post(house, "/logout", &changed, &Value::Null).await);
    is(401, get(house, "/api/v1/widgets", &changed).await);

    let admin = post(
        house,
        "/login",
        "",
        &json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}),
    )
    .await;
    let admin = tokens.keep(&admin);
    for path in [
        "/api/v1/users",
        "/api/v1/audit-events",
        "/api/v1/widgets",
        "/api/v1/auth/user",
    ] {
        is(200, get(house, path, &admin).await);
    }
    let again = post(
        house,
        "/login",
        "",
        &json!({"email": "ada@example.com", "password": NEW}),
    )
    .await;
    let again = tokens.keep(&again);
    is(403, get(house, "/api/v1/users", &again).await);
    is(
        204,
        post(house, "/delete-account", &again, &json!({"password": NEW})).await,
    );
}

/// Passwords and tokens where none belong.
async fn put_secrets_in_wrong_places(house: &PlantedHouse) {
    let bodies = [
        r#"{"email": "a@example.com", "password": "planted-and-cut"#,
        r#"{"email": "a@example.com", "password": ["planted-in-a-list"]}"#,
        r#"{"email": {"password": "planted-in-an-object"}}"#,
        r#"{"email": "planted-in-the-address@example.com", "password": "planted-"}"#,
        r#"{"email": "planted-no-address", "password": "planted-twice", "password": "planted-twice"}"#,
        r#"{"planted-as-a-key": "planted-as-a-value"}"#,
        r#""planted-as-the-body""#,
    ];
    for path in ["/api/v1/auth/login", "/api/v1/auth/register"] {
        for body in bodies {
            house.rest.send("POST", path, &[], body).await;
        }
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let body = "email=a@example.com&password=planted-in-a-form&planted-key=planted-value";
        is(400, house.rest.send("POST", path, &form, body).await);
        let other = [("content-type", "text/planted-type")];
        is(415, house.rest.send("POST", path, &other, "planted-in-a-body").await);
    }
    for query in [
        "access_token=planted-in-the-query",
        "password=planted-in-the-query",
        "planted-key=1",
    ] {
        is(
            400,
            house
                .rest
                .send("POST", &format!("/api/v1/auth/login?{query}"), &[], "{}")
                .await,
        );
        is(401, get(house, &format!("/api/v1/widgets?{query}"), "").await);
    }
}

/// Tokens that are none, are damaged or are dead.
async fn show_bad_tokens(house: &PlantedHouse, tokens: &Tokens) {
    let damaged = format!("{}A", tokens.0[0]);
    let shown = [
        "planted-token",
        "planted.to.ken",
        &damaged,
        &tokens.0[0],
        &tokens.0[1],
        SERVICE_TOKEN,
    ];
    for token in shown {
        for path in ["/api/v1/auth/user", "/api/v1/widgets"] {
            is(401, get(house, path, &format!("Bearer {token}")).await);
            is(401, get(house, path, &format!("Basic {token}")).await);
            let elsewhere = [("cookie", token), ("x-api-key", token), ("proxy-authorization", token)];
            is(401, house.rest.send("GET", path, &elsewhere, "").await);
        }
    }
}

async fn call_grpc(house: &PlantedHouse, tokens: &Tokens) {
    let mut auth = AuthServiceClient::new(channel(house.auth).await);
    let wrong = LoginRequest {
        email: "ada@example.com".to_owned(),
        password: WRONG.to_owned(),
    };
    assert_eq!(auth.login(wrong).await.unwrap_err().code(), Code::Unauthenticated);
    for (bearer, code) in [
        (SERVICE_TOKEN, Code::Ok),
        ("planted-and-no-service-token", Code::Unauthenticated),
    ] {
        for token in ["planted-and-no-token", &tokens.0[0]] {
            assert_eq!(introspect(&mut auth, bearer, token).await, code);
        }
    }
}

async fn introspect(auth: &mut AuthServiceClient<Channel>, bearer: &str, token: &str) -> Code {
    let mut request = Request::new(IntrospectRequest {
        token: token.to_owned(),
    });
    let bearer = MetadataValue::try_from(format!("Bearer {bearer}")).unwrap();
    request.metadata_mut().insert("authorization", bearer);
    auth.introspect(request)
        .await
        .map_or_else(|status| status.code(), |_| Code::Ok)
}

/// What an operator does, while the house runs.
fn command_line(folder: &Path) {
    let rows = [
        (
            &["auth", "create-admin", "--email", "eve@example.com"][..],
            "planted-password-of-eve\n",
            0,
        ),
        (
            &["auth", "create-admin", "--email", "eve@example.com"],
            "planted-password-of-eve\n",
            1,
        ),
        (
            &["auth", "set-password", "--email", "eve@example.com"],
            "planted-password-of-eve-again\n",
            0,
        ),
        (&["auth", "set-password", "--email", "eve@example.com"], "planted-\n", 1),
        (&["auth", "keys", "rotate"], "", 0),
        (&["auth", "keys", "list"], "", 0),
    ];
    for (arguments, input, code) in rows {
        let ran = run(&mut command(folder, arguments), input);
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {said}");
        assert_clean(&format!("{arguments:?}"), &said, []);
    }
}

/// Salts and hashes of the passwords in the database.
fn hashes(folder: &Path) -> Vec<String> {
    let files = ["data/auth.db", "data/auth.db-wal"].map(|name| std::fs::read(folder.join(name)).unwrap_or_default());
    let text = String::from_utf8_lossy(&files.concat()).into_owned();
    let hashes = text
        .match_indices("$argon2id$")
        .filter_map(|(at, _)| text.get(at..at + 97));
    hashes
        .flat_map(|hash| hash.split('$').skip(4).map(str::to_owned))
        .collect()
}

async fn post(house: &PlantedHouse, path: &str, bearer: &str, body: &Value) -> Reply {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let headers = [("authorization", bearer)];
    let headers = if bearer.is_empty() { &[][..] } else { &headers };
    house
        .rest
        .send("POST", &format!("/api/v1/auth{path}"), headers, &body)
        .await
}

async fn get(house: &PlantedHouse, path: &str, bearer: &str) -> Reply {
    let headers = [("authorization", bearer)];
    let headers = if bearer.is_empty() { &[][..] } else { &headers };
    house.rest.send("GET", path, headers, "").await
}

#[track_caller]
fn is(status: u16, reply: Reply) {
    assert_eq!(reply.status.as_u16(), status, "{reply:?}");
}
