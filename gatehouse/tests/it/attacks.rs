//! Forged, altered, stale and odd tokens, played against both services and through the gateway.

use std::time::{SystemTime, UNIX_EPOCH};

use access_token::mint::SigningKey;
use auth_service::keys::Sealer;
use bytes::Bytes;
use database::{ConnectOptions, Database, args};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use proto::{
    auth::v1::{GetCurrentUserRequest, auth_service_client::AuthServiceClient},
    widget::v1::{ListWidgetsRequest, widget_service_client::WidgetServiceClient},
};
use serde_json::{Value, json};
use test_kit::{Attack, TokenMint, attacks, oddities};
use tonic::{Code, Status, metadata::MetadataValue};
use tonic_types::StatusExt;

use crate::house::{Reply, TestHouse};

/// Nothing may ever connect there.
const TRAP: &str = "http://127.0.0.1:9/keys.json";

const PASSWORD: &str = "correct horse battery staple";

const REVOKED: &str = r#"Bearer realm="gatehouse", error="invalid_token", error_description="the token was revoked""#;

/// A mint with the house's own signing key.
async fn mint(house: &TestHouse) -> TokenMint {
    let database = Database::connect(&house.auth_database(), &ConnectOptions::default())
        .await
        .unwrap();
    let row = database
        .fetch_one("SELECT kid, private_key FROM signing_keys", args![])
        .await
        .unwrap();
    let (kid, sealed): (String, Vec<u8>) = (row.get("kid").unwrap(), row.get("private_key").unwrap());
    let private = Sealer::new(None).unwrap().open(&kid, &sealed).unwrap();
    TokenMint::with_key(SigningKey::from_pkcs8(&private).unwrap())
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .cast_signed()
}

fn with<T>(message: T, authorization: &[Vec<u8>]) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let mut headers = std::mem::take(request.metadata_mut()).into_headers();
    for value in authorization {
        headers.append("authorization", HeaderValue::from_bytes(value).unwrap());
    }
    *request.metadata_mut() = tonic::metadata::MetadataMap::from_headers(headers);
    request
}

fn assert_refused(where_to: &str, attack: &Attack, status: &Status) {
    let reason = status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default();
    let challenge = status
        .metadata()
        .get("www-authenticate")
        .map(MetadataValue::as_encoded_bytes)
        .unwrap_or_default();
    assert_eq!(
        (
            status.code(),
            reason.as_str(),
            String::from_utf8_lossy(challenge).as_ref()
        ),
        (attack.code, attack.reason, attack.www_authenticate),
        "{}, at {where_to}",
        attack.name
    );
}

/// Those that HTTP can carry at all and that do not need a clock that stands still.
fn playable(mint: &TokenMint) -> Vec<Attack> {
    let all = attacks(mint, now(), TRAP)
        .into_iter()
        .filter(|attack| !attack.exact_clock);
    let playable: Vec<_> = all
        .filter(|attack| {
            attack
                .authorization
                .iter()
                .all(|value| HeaderValue::from_bytes(value).is_ok())
        })
        .filter(|attack| attack.authorization.iter().map(Vec::len).sum::<usize>() < 8 * 1024)
        .collect();
    assert!(playable.len() >= 80, "only {} attacks are left", playable.len());
    playable
}

#[tokio::test(flavor = "multi_thread")]
async fn both_services_refuse_every_attack_as_the_contract_says() {
    let house = TestHouse::start().await;
    let mut auth = AuthServiceClient::new(house.channel(house.auth).await);
    let mut widget = WidgetServiceClient::new(house.channel(house.widget).await);
    for attack in playable(&mint(&house).await) {
        let refusal = auth
            .get_current_user(with(GetCurrentUserRequest {}, &attack.authorization))
            .await
            .unwrap_err();
        assert_refused("auth", &attack, &refusal);
        let refusal = widget
            .list_widgets(with(ListWidgetsRequest::default(), &attack.authorization))
            .await
            .unwrap_err();
        assert_refused("widget", &attack, &refusal);
    }
}

/// A path of each service.
const PATHS: [&str; 2] = ["/api/v1/auth/user", "/api/v1/widgets"];

async fn get(house: &TestHouse, path: &str, authorization: &[Vec<u8>]) -> Reply {
    let mut request = Request::get(format!("http://{}{path}", house.rest));
    for value in authorization {
        request = request.header("authorization", HeaderValue::from_bytes(value).unwrap());
    }
    house.send_raw(request.body(Full::new(Bytes::new())).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_passes_every_refusal_on() {
    let house = TestHouse::start().await;
    let playable = playable(&mint(&house).await);
    for attack in playable.iter().filter(|attack| attack.survives_http1()) {
        for path in PATHS {
            let reply = get(&house, path, &attack.authorization).await;

            let status = match attack.code {
                Code::InvalidArgument => StatusCode::BAD_REQUEST,
                _ => StatusCode::UNAUTHORIZED,
            };
            assert_eq!(
                (reply.status, reply.reason(), reply.challenge()),
                (status, attack.reason, attack.www_authenticate),
                "{}, at {path}",
                attack.name
            );
        }
    }
}

/// Tokens that were good until something happened to their users, and what that was.
async fn dead_tokens(house: &TestHouse) -> Vec<(&'static str, String)> {
    let admin = house.admin().await;
    let mut dead = Vec::new();
    for (name, method, path, body) in [
        ("logged out", "POST", "/api/v1/auth/logout", Value::Null),
        (
            "logged out everywhere",
            "POST",
            "/api/v1/auth/logout-everywhere",
            Value::Null,
        ),
        (
            "password changed",
            "POST",
            "/api/v1/auth/password",
            json!({"current": PASSWORD, "new": "a quite different sentence"}),
        ),
        (
            "deleted itself",
            "POST",
            "/api/v1/auth/delete-account",
            json!({"password": PASSWORD}),
        ),
    ] {
        let user = house.user(&format!("{}@example.com", name.replace(' ', "-"))).await;
        assert!(user.call(method, path, &body).await.status.is_success(), "{name}");
        dead.push((name, user.bearer));
    }
    for (name, method, body) in [
        ("promoted", "PATCH", json!({"admin": true})),
        ("disabled", "PATCH", json!({"disabled": true})),
        ("deleted", "DELETE", Value::Null),
    ] {
        let user = house.user(&format!("{name}@example.com")).await;
        let id = user.get("/api/v1/auth/user").await.body["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let reply = admin.call(method, &format!("/api/v1/users/{id}"), &body).await;
        assert!(reply.status.is_success(), "{name}");
        dead.push((name, user.bearer));
    }
    dead
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dead_token_is_refused_as_revoked_at_every_door() {
    let house = TestHouse::start().await;
    let mut auth = AuthServiceClient::new(house.channel(house.auth).await);
    let mut widget = WidgetServiceClient::new(house.channel(house.widget).await);
    for (name, bearer) in dead_tokens(&house).await {
        let attack = Attack {
            name: name.to_owned(),
            authorization: vec![bearer.into_bytes()],
            code: Code::Unauthenticated,
            reason: "TOKEN_REVOKED",
            www_authenticate: REVOKED,
            exact_clock: false,
        };
        let authorization = &attack.authorization;
        let refusal = auth
            .get_current_user(with(GetCurrentUserRequest {}, authorization))
            .await;
        assert_refused("auth", &attack, &refusal.unwrap_err());
        let refusal = widget
            .list_widgets(with(ListWidgetsRequest::default(), authorization))
            .await;
        assert_refused("widget", &attack, &refusal.unwrap_err());
        for path in PATHS {
            let reply = get(&house, path, authorization).await;
            assert_eq!(
                (reply.status, reply.reason(), reply.challenge()),
                (StatusCode::UNAUTHORIZED, attack.reason, REVOKED),
                "{name}, at {path}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_query_opens_nothing() {
    let house = TestHouse::start().await;
    let user = house.user("ada@example.com").await;
    let token = user.bearer.strip_prefix("Bearer ").unwrap();
    for path in PATHS {
        let in_query = format!("{path}?access_token={token}");

        let without = get(&house, &in_query, &[]).await;
        let with = get(&house, &in_query, &[user.bearer.clone().into_bytes()]).await;

        assert_eq!(
            (without.status, without.reason()),
            (StatusCode::UNAUTHORIZED, "TOKEN_MISSING")
        );
        assert_eq!(
            (with.status, with.fields()),
            (StatusCode::BAD_REQUEST, vec!["access_token"])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_but_good_tokens_are_let_through() {
    let house = TestHouse::start().await;
    for oddity in oddities(&mint(&house).await, now(), TRAP)
        .into_iter()
        .filter(|oddity| !oddity.exact_clock)
    {
        let reply = house
            .send(
                "GET",
                "/api/v1/widgets",
                &[("authorization", &oddity.authorization)],
                "",
            )
            .await;

        assert_eq!(reply.status, StatusCode::OK, "{}: {:?}", oddity.name, reply.body);
    }
}
