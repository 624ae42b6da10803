//! Who may call what, and with which tokens.

use prost_reflect::DescriptorPool;
use test_kit::{attacks, oddities};
use tonic::{Code, Request, metadata::MetadataValue};

use crate::house::{House, SERVICE_TOKEN, claims, refusal, refused, said};
use proto::auth::v1 as pb;

/// The paths of all methods of this service with a kind of access.
fn methods(access: &str) -> Vec<String> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    let option = pool.get_extension_by_name("gatehouse.options.v1.access").unwrap();
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with("auth.v1."));
    let all = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let wanted = all.filter(|method| {
        let options = method.options();
        let number = options.get_extension(&option).as_enum_number().unwrap();
        let kind = option.kind();
        kind.as_enum().unwrap().get_value(number).unwrap().name() == access
    });
    wanted
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect()
}

#[tokio::test]
async fn without_a_token_nothing_but_public_methods_answers() {
    let house = House::start().await;
    let closed: Vec<String> = ["USER", "ADMIN", "SERVICE"].into_iter().flat_map(methods).collect();
    assert!(closed.len() >= 13, "{closed:?}");

    for path in closed {
        let outcome = house.nobody.call(&path, None).await;
        assert_eq!(refusal(outcome), said(Code::Unauthenticated, "TOKEN_MISSING"), "{path}");
    }
    for path in methods("PUBLIC") {
        let reason = house
            .nobody
            .call(&path, None)
            .await
            .err()
            .map(|status| refused(&status).1);
        assert!(
            !reason.as_deref().unwrap_or_default().starts_with("TOKEN"),
            "{path}: {reason:?}"
        );
    }
}

#[tokio::test]
async fn administrators_methods_refuse_users_and_services_methods_refuse_both() {
    let house = House::start().await;
    let (user, admin) = (house.user().await, house.admin().await);

    for path in methods("ADMIN") {
        let outcome = house.nobody.call(&path, Some(&user.token.access_token)).await;
        assert_eq!(
            refusal(outcome),
            said(Code::PermissionDenied, "ADMIN_REQUIRED"),
            "{path}"
        );
    }
    for path in methods("SERVICE") {
        for person in [&user, &admin] {
            let outcome = house.nobody.call(&path, Some(&person.token.access_token)).await;
            assert_eq!(refusal(outcome).0, Code::PermissionDenied, "{path}");
        }
        let outcome = house
            .nobody
            .call(&path, Some("no service token of ours at all, not one"))
            .await;
        assert_eq!(refusal(outcome).0, Code::Unauthenticated, "{path}");
        house.nobody.call(&path, Some(SERVICE_TOKEN)).await.unwrap();
    }
    for path in methods("USER").into_iter().chain(methods("ADMIN")) {
        let outcome = house.nobody.call(&path, Some(SERVICE_TOKEN)).await;
        assert_eq!(refusal(outcome).0, Code::Unauthenticated, "{path}");
    }
}

#[tokio::test]
async fn who_a_client_says_it_is_in_metadata_counts_for_nothing() {
    let house = House::start().await;
    let (user, admin) = (house.user().await, house.admin().await);

    let mut request = house
        .nobody
        .request(pb::ListUsersRequest::default(), Some(&user.token.access_token));
    for (name, value) in [
        ("x-user-id", admin.id.to_string()),
        ("x-admin", "true".into()),
        ("x-role", "admin".into()),
    ] {
        request.metadata_mut().insert(name, value.parse().unwrap());
    }

    let outcome = house.nobody.auth.clone().list_users(request).await;
    assert_eq!(refusal(outcome), said(Code::PermissionDenied, "ADMIN_REQUIRED"));
}

#[tokio::test]
async fn every_forged_token_is_refused_as_it_deserves() {
    let house = House::start().await;
    let mint = house.mint().await;
    let attacks = attacks(&mint, house.seconds(), "http://127.0.0.1:1/keys");
    assert!(attacks.len() > 50);

    for attack in attacks {
        let mut request = Request::new(pb::GetCurrentUserRequest {});
        for value in &attack.authorization {
            request
                .metadata_mut()
                .append("authorization", MetadataValue::try_from(value.as_slice()).unwrap());
        }
        let status = house
            .nobody
            .auth
            .clone()
            .get_current_user(request)
            .await
            .map(drop)
            .unwrap_err();
        assert_eq!(refused(&status), said(attack.code, attack.reason), "{}", attack.name);
        let challenge = status
            .metadata()
            .get("www-authenticate")
            .map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(challenge.as_deref(), Some(attack.www_authenticate), "{}", attack.name);
    }
}

#[tokio::test]
async fn odd_but_good_requests_get_as_far_as_the_account() {
    let house = House::start().await;
    let mint = house.mint().await;

    for oddity in oddities(&mint, house.seconds(), "http://127.0.0.1:1/keys") {
        let mut request = Request::new(pb::GetCurrentUserRequest {});
        request
            .metadata_mut()
            .insert("authorization", oddity.authorization.parse().unwrap());
        let outcome = house.nobody.auth.clone().get_current_user(request).await;
        // The token is good; its user never was.
        assert_eq!(
            refusal(outcome),
            said(Code::Unauthenticated, "TOKEN_REVOKED"),
            "{}",
            oddity.name
        );
    }
}

#[tokio::test]
async fn a_token_is_good_until_the_second_before_it_expires() {
    let house = House::start().await;
    let user = house.user().await;
    let left = claims(&user.token.access_token)["exp"].as_i64().unwrap() - house.seconds();

    house.advance(left as u64 - 1);
    user.is_in().await;
    house.advance(1);
    assert_eq!(
        refusal(user.current().await),
        said(Code::Unauthenticated, "TOKEN_EXPIRED")
    );
}

#[tokio::test]
async fn a_revoked_token_stays_refused_through_and_after_its_end() {
    let house = House::start().await;
    let user = house.user().await;
    user.log_out().await;

    house.advance(3_590);
    user.is_out().await;
    for _ in 0..3 {
        house.advance(400);
        assert_eq!(refusal(user.current().await).0, Code::Unauthenticated);
    }
}

#[tokio::test]
async fn introspection_tells_of_good_tokens_and_of_bad_ones_only_that() {
    let house = House::start().await;
    let (user, admin) = (house.user().await, house.admin().await);

    let answer = house.nobody.introspect(&admin.token.access_token).await.unwrap();
    let claims = claims(&admin.token.access_token);
    assert!(answer.active && answer.admin);
    assert_eq!((answer.sub, answer.scope.as_str()), (admin.id.to_string(), "admin"));
    assert_eq!(
        (answer.iat, answer.exp),
        (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap())
    );
    assert_eq!(answer.jti, claims["jti"].as_str().unwrap());
    assert_eq!(
        house.nobody.introspect(&user.token.access_token).await.unwrap().scope,
        ""
    );

    user.log_out().await;
    for dead in [user.token.access_token.as_str(), "", "nonsense", SERVICE_TOKEN] {
        assert_eq!(
            house.nobody.introspect(dead).await.unwrap(),
            pb::IntrospectResponse::default(),
            "{dead}"
        );
    }
}
