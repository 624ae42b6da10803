//! Who has no certificate of the house's authority has no way in.

use proto::auth::v1::{SyncRequest, trust_service_client::TrustServiceClient};
use serde_json::{Value, json};
use test_kit::{Authority, Certified};
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt;

use super::house::{SERVICE_TOKEN, TlsHouse};

const PASSWORD: &str = "correct horse battery staple";

fn account(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

#[tokio::test]
async fn with_mutual_tls_everywhere_a_journey_is_as_it_is_without() {
    let house = TlsHouse::start().await;
    let phone = house.authority.sign("phone");
    let call = async |call, token: &str, body: Value| house.rest(Some(&phone), call, token, &body).await.unwrap();
    let login = ("POST", "/api/v1/auth/login");
    let token = |(status, body): (u16, Value)| {
        assert!([200, 201].contains(&status), "{status} {body}");
        body["access_token"].as_str().unwrap().to_owned()
    };

    let register = ("POST", "/api/v1/auth/register");
    token(call(register, "", account("ada@example.com", PASSWORD)).await);
    let ada = token(call(login, "", account("ada@example.com", PASSWORD)).await);
    let admin = token(call(login, "", account("admin@gatehouse.local", &house.admin_password)).await);
    let widget = json!({"name": "a", "info_url": "https://example.com", "deadline": "2099-12-31T12:00:00Z"});
    let (status, made) = call(("POST", "/api/v1/widgets"), &admin, widget).await;
    assert_eq!(
        (status, &made["owner"]["email"]),
        (201, &json!("admin@gatehouse.local")),
        "{made}"
    );
    let read = ("GET", "/api/v1/widgets/a");
    assert_eq!(call(read, &ada, Value::Null).await.0, 200);
    assert_eq!(call(("POST", "/api/v1/auth/logout"), &ada, Value::Null).await.0, 204);

    let (status, refusal) = call(read, &ada, Value::Null).await;
    assert_eq!(
        (status, &refusal["reason"]),
        (401, &json!("TOKEN_REVOKED")),
        "{refusal}"
    );
}

async fn sync(channel: Channel) -> Result<(), Status> {
    let mut request = Request::new(SyncRequest::default());
    let token = format!("Bearer {SERVICE_TOKEN}").parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    TrustServiceClient::new(channel).sync(request).await.map(drop)
}

/// Nothing, a certificate of somebody else's, and one of the house's that is past its time.
fn wrong(house: &TlsHouse) -> [(&'static str, Option<Certified>); 3] {
    [
        ("none", None),
        ("of another authority", Some(Authority::new().sign("stranger"))),
        ("expired", Some(house.authority.sign_expired("late"))),
    ]
}

#[tokio::test]
async fn a_service_call_needs_a_certificate_besides_the_service_token() {
    let house = TlsHouse::start().await;
    let known = house.authority.sign("known");
    assert!(sync(house.channel(house.auth, Some(&known))).await.is_ok());

    for (which, shown) in wrong(&house) {
        let status = sync(house.channel(house.auth, shown.as_ref())).await.expect_err(which);

        let reason = status.get_details_error_info();
        assert!(reason.is_none(), "{which}: the service answered: {status:?}");
    }
}

#[tokio::test]
async fn rest_needs_a_certificate_where_the_gateway_is_told_to_want_one() {
    let house = TlsHouse::start().await;
    let known = house.authority.sign("known");
    let keys = ("GET", "/.well-known/jwks.json");
    assert_eq!(house.rest(Some(&known), keys, "", &Value::Null).await.unwrap().0, 200);

    for (which, shown) in wrong(&house) {
        let outcome = house.rest(shown.as_ref(), keys, "", &Value::Null).await;

        assert!(outcome.is_err(), "{which}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_gateway_that_its_services_do_not_know_or_that_does_not_know_them_reaches_nobody() {
    let stranger = Authority::new();
    type Change<'a> = &'a dyn Fn(&Authority, &mut gatehouse::HouseArgs);
    let shows = |certified: Certified, settings: &mut gatehouse::HouseArgs| {
        settings.upstream_tls.cert = Some(certified.cert);
        settings.upstream_tls.key = Some(certified.key);
    };
    let changes: [(&str, Change<'_>); 3] = [
        ("a stranger's certificate", &|_, settings| {
            shows(stranger.sign("inside"), settings)
        }),
        ("an expired certificate", &|authority, settings| {
            shows(authority.sign_expired("inside"), settings);
        }),
        ("another authority", &|_, settings| {
            settings.upstream_tls.ca = Some(stranger.file());
        }),
    ];
    for (which, change) in changes {
        let house = TlsHouse::with(change).await;
        let phone = house.authority.sign("phone");
        let body = account("ada@example.com", PASSWORD);

        let (status, refusal) = house
            .rest(Some(&phone), ("POST", "/api/v1/auth/register"), "", &body)
            .await
            .unwrap();

        assert_eq!(
            (status, &refusal["reason"]),
            (503, &json!("UNAVAILABLE")),
            "{which}: {refusal}"
        );
    }
}
