//! Who may call what, through the layer.

use access_token::{AccessError, AccessLayer, Caller, ServiceTokens};
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::kit::{House, NOW, SERVICE_TOKEN, bearer, ms, send};

const PUBLIC: &str = "/auth.v1.AuthService/Login";
const USER: &str = "/auth.v1.AuthService/GetCurrentUser";
const ADMIN: &str = "/widget.v1.WidgetService/CreateWidget";
const SERVICE: &str = "/auth.v1.TrustService/Sync";

async fn open_house() -> House {
    let mut house = House::ready().await;
    house.answer_forever(house.mint.sync_response());
    house
}

fn reason(status: &tonic::Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn every_method_that_is_not_public_wants_a_token() {
    let house = open_house().await;
    let layer = house.layer();
    let pool = prost_reflect::DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    let methods: Vec<_> = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect();
    let public = ["Register", "Login", "GetKeySet"];
    assert!(methods.len() > 20);

    for method in methods {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let status = send(&layer, &path, &[]).await.status;
        if public.contains(&method.name()) {
            assert_eq!(status.code(), Code::Ok, "{path}");
        } else {
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::Unauthenticated, "TOKEN_MISSING"),
                "{path}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_access_lets_in_whom_it_names() {
    let house = open_house().await;
    let layer = house.layer();
    let (user, admin) = (house.mint.user(NOW), house.mint.admin(NOW));
    let table = [
        (PUBLIC, user.as_str(), Code::Ok, ""),
        (PUBLIC, "junk", Code::Ok, ""),
        (USER, &user, Code::Ok, ""),
        (USER, &admin, Code::Ok, ""),
        (USER, SERVICE_TOKEN, Code::Unauthenticated, "TOKEN_MALFORMED"),
        (ADMIN, &user, Code::PermissionDenied, "ADMIN_REQUIRED"),
        (ADMIN, &admin, Code::Ok, ""),
        (ADMIN, SERVICE_TOKEN, Code::Unauthenticated, "TOKEN_MALFORMED"),
        (SERVICE, &user, Code::PermissionDenied, "SERVICE_REQUIRED"),
        (SERVICE, &admin, Code::PermissionDenied, "SERVICE_REQUIRED"),
        (SERVICE, SERVICE_TOKEN, Code::Ok, ""),
        (SERVICE, "another-service-token-of-32-bytes", Code::Ok, ""),
        (SERVICE, &SERVICE_TOKEN[1..], Code::Unauthenticated, "TOKEN_INVALID"),
        (
            SERVICE,
            "a-service-token-of-thirty-two-byX",
            Code::Unauthenticated,
            "TOKEN_INVALID",
        ),
    ];
    for (path, token, code, expected) in table {
        let status = send(&layer, path, &bearer(token)).await.status;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (code, expected),
            "{path} with {token}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_on_an_administrators_method_is_told_so() {
    let house = open_house().await;
    let reply = send(&house.layer(), ADMIN, &bearer(&house.mint.user(NOW))).await;
    assert_eq!(
        reply.response.headers()["www-authenticate"],
        r#"Bearer realm="gatehouse", error="insufficient_scope", error_description="administrators only""#
    );
}

#[tokio::test(start_paused = true)]
async fn a_revoked_user_on_an_administrators_method_is_told_that_it_is_revoked() {
    let mut house = House::ready().await;
    let claims = house.mint.claims(NOW);
    let revoked = vec![crate::kit::token(1, claims.token_id)];
    house.answer_forever(crate::kit::with(house.mint.sync_response(), revoked));

    let status = send(&house.layer(), ADMIN, &bearer(&house.mint.sign(&claims)))
        .await
        .status;

    assert_eq!(reason(&status), "TOKEN_REVOKED");
}

#[tokio::test(start_paused = true)]
async fn the_caller_is_what_the_token_says_and_nothing_else() {
    let house = open_house().await;
    let claims = house.mint.claims(NOW);
    let reply = send(&house.layer(), USER, &bearer(&house.mint.sign(&claims))).await;
    assert_eq!(reply.caller, Some(Caller::from(&claims)));

    let public = send(&house.layer(), PUBLIC, &bearer(&house.mint.sign(&claims))).await;
    assert_eq!(public.caller, None, "a public method knows nobody");
    let service = send(&house.layer(), SERVICE, &bearer(SERVICE_TOKEN)).await;
    assert_eq!(service.caller, None);
}

#[test]
fn without_the_layer_there_is_no_caller_whatever_the_metadata_says() {
    let mut request = Request::new(());
    for name in ["x-user-id", "x-caller", "x-admin", "user-id"] {
        request.metadata_mut().insert(name, "true".parse().unwrap());
    }
    assert_eq!(Caller::of(&request).unwrap_err().code(), Code::Internal);
}

#[tokio::test(start_paused = true)]
async fn health_and_reflection_are_open_and_unknown_methods_are_not() {
    let house = open_house().await;
    let layer = house.layer();
    for (path, code) in [
        ("/grpc.health.v1.Health/Check", Code::Ok),
        ("/grpc.health.v1.Health/Watch", Code::Ok),
        ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Code::Ok),
        (
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            Code::Ok,
        ),
        ("/auth.v1.AuthService/DropTables", Code::Unimplemented),
        ("/auth.v1.AuthService/GetCurrentUser/", Code::Unimplemented),
        ("/other.v1.Service/Get", Code::Unimplemented),
        ("/", Code::Unimplemented),
    ] {
        assert_eq!(
            send(&layer, path, &bearer(&house.mint.admin(NOW))).await.status.code(),
            code,
            "{path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn while_auth_is_away_a_good_token_gets_unavailable_and_when_to_try_again() {
    let house = House::ready().await;

    let reply = send(&house.layer(), USER, &bearer(&house.mint.user(NOW))).await;

    assert_eq!(
        (reply.status.code(), reason(&reply.status).as_str()),
        (Code::Unavailable, "TRUST_UNAVAILABLE")
    );
    assert_eq!(
        reply.status.get_details_retry_info().unwrap().retry_delay,
        Some(ms(1000))
    );
    assert!(reply.response.headers().get("www-authenticate").is_none());
    let junk = send(&house.layer(), USER, &bearer("junk")).await;
    assert_eq!(junk.status.code(), Code::Unauthenticated, "junk needs no view");
}

#[tokio::test(start_paused = true)]
async fn a_method_that_does_not_state_its_access_stops_the_start() {
    let house = open_house().await;
    // Decoding through plain structures loses the options.
    let stripped = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET)
        .unwrap()
        .encode_to_vec();

    let outcome = AccessLayer::new(
        &stripped,
        house.trust.clone(),
        house.verifier.clone(),
        ServiceTokens::default(),
    );

    match outcome {
        Err(AccessError::Unstated(method)) => assert!(method.contains(".v1."), "{method}"),
        other => panic!("{:?}", other.err()),
    }
}

#[tokio::test(start_paused = true)]
async fn without_service_tokens_no_service_method_opens() {
    let house = open_house().await;
    let tokens = ServiceTokens::new([""]);
    assert!(!tokens.accept(b""));
    let layer = AccessLayer::new(
        proto::FILE_DESCRIPTOR_SET,
        house.trust.clone(),
        house.verifier.clone(),
        tokens,
    )
    .unwrap();
    for authorization in [bearer(""), bearer(SERVICE_TOKEN), vec![]] {
        assert_ne!(send(&layer, SERVICE, &authorization).await.status.code(), Code::Ok);
    }
}
