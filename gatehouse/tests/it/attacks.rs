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
use test_kit::{Attack, TokenMint, attacks, oddities};
use tonic::{Code, Status, metadata::MetadataValue};
use tonic_types::StatusExt;

use crate::house::TestHouse;

/// Nothing may ever connect there.
const TRAP: &str = "http://127.0.0.1:9/keys.json";

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

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_passes_every_refusal_on() {
    let house = TestHouse::start().await;
    for attack in playable(&mint(&house).await).into_iter().filter(Attack::survives_http1) {
        let mut request = Request::get(format!("http://{}/api/v1/widgets", house.rest));
        for value in &attack.authorization {
            request = request.header("authorization", HeaderValue::from_bytes(value).unwrap());
        }
        let reply = house.send_raw(request.body(Full::new(Bytes::new())).unwrap()).await;

        let status = match attack.code {
            Code::InvalidArgument => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(
            (reply.status, reply.reason(), reply.challenge()),
            (status, attack.reason, attack.www_authenticate),
            "{}",
            attack.name
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
