use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::house::TestHouse;

fn sprocket() -> Value {
    json!({"name": "sprocket-9", "info_url": "https://example.com/9", "deadline": "2099-12-31T12:00:00Z"})
}

#[tokio::test(flavor = "multi_thread")]
async fn create_names_every_bad_field_at_once() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let bad = json!({"name": "Not OK", "info_url": "nowhere", "deadline": "soon"});

    let refusal = admin.call("POST", "/api/v1/widgets", &bad).await;

    assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
    assert_eq!(refusal.fields(), ["deadline", "info_url", "name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_reads_and_an_administrator_writes() {
    let house = TestHouse::start().await;
    let (user, admin) = (house.user("ada@example.com").await, house.admin().await);

    let refused = user.call("POST", "/api/v1/widgets", &sprocket()).await;
    assert_eq!(
        (refused.status, refused.reason()),
        (StatusCode::FORBIDDEN, "ADMIN_REQUIRED")
    );
    assert!(refused.challenge().contains("error=\"insufficient_scope\""));

    let created = admin.call("POST", "/api/v1/widgets", &sprocket()).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.headers["location"], "/api/v1/widgets/sprocket-9");
    let read = user.get("/api/v1/widgets/sprocket-9").await;
    assert_eq!(read.body["owner"]["email"], "admin@gatehouse.local");
    assert_eq!(read.headers["cache-control"], "private, no-cache");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_can_be_put_back() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    admin.call("POST", "/api/v1/widgets", &sprocket()).await;
    let read = admin.get("/api/v1/widgets/sprocket-9").await;

    for method in ["PUT", "PATCH"] {
        let written = admin.call(method, "/api/v1/widgets/sprocket-9", &read.body).await;
        assert_eq!(written.status, StatusCode::OK, "{method} {:?}", written.body);
        assert_eq!(
            written.headers["etag"], read.headers["etag"],
            "{method} changed nothing"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_is_in_force_when_its_reply_arrives() {
    let house = Arc::new(TestHouse::start().await);
    for round in 0..20 {
        let user = house.user(&format!("user-{round}@example.com")).await;
        assert_eq!(user.get("/api/v1/widgets").await.status, StatusCode::OK);

        assert_eq!(
            user.call("POST", "/api/v1/auth/logout", &Value::Null).await.status,
            StatusCode::NO_CONTENT
        );

        let mut calls = JoinSet::new();
        for call in 0..50 {
            let (house, bearer) = (house.clone(), user.bearer.clone());
            let path = if call % 2 == 0 {
                "/api/v1/widgets"
            } else {
                "/api/v1/auth/user"
            };
            calls.spawn(async move { house.send("GET", path, &[("authorization", &bearer)], "").await });
        }
        for reply in calls.join_all().await {
            assert_eq!(
                (reply.status, reply.reason()),
                (StatusCode::UNAUTHORIZED, "TOKEN_REVOKED")
            );
            assert!(
                reply.challenge().contains("error=\"invalid_token\""),
                "{}",
                reply.challenge()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demotion_is_in_force_when_its_reply_arrives() {
    let house = TestHouse::start().await;
    let first = house.admin().await;
    let second = house.user("second@example.com").await;
    let id = second.get("/api/v1/auth/user").await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/users/{id}");
    assert_eq!(
        first.call("PATCH", &path, &json!({"admin": true})).await.status,
        StatusCode::OK
    );
    let promoted = house.login("second@example.com", "correct horse battery staple").await;
    assert_eq!(
        promoted.call("POST", "/api/v1/widgets", &sprocket()).await.status,
        StatusCode::CREATED
    );

    assert_eq!(
        first.call("PATCH", &path, &json!({"admin": false})).await.status,
        StatusCode::OK
    );

    let refused = promoted
        .call("DELETE", "/api/v1/widgets/sprocket-9", &Value::Null)
        .await;
    assert_eq!(
        (refused.status, refused.reason()),
        (StatusCode::UNAUTHORIZED, "TOKEN_REVOKED")
    );
    let demoted = house.login("second@example.com", "correct horse battery staple").await;
    let refused = demoted.call("DELETE", "/api/v1/widgets/sprocket-9", &Value::Null).await;
    assert_eq!(
        (refused.status, refused.reason()),
        (StatusCode::FORBIDDEN, "ADMIN_REQUIRED")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn widgets_of_a_deleted_owner_stay_without_an_address() {
    let house = TestHouse::start().await;
    let (admin, owner) = (house.admin().await, house.user("owner@example.com").await);
    let id = owner.get("/api/v1/auth/user").await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/users/{id}");
    admin.call("PATCH", &path, &json!({"admin": true})).await;
    let owner = house.login("owner@example.com", "correct horse battery staple").await;
    owner.call("POST", "/api/v1/widgets", &sprocket()).await;
    let owned = admin.get("/api/v1/widgets/sprocket-9").await;
    assert_eq!(owned.body["owner"]["email"], "owner@example.com");

    assert_eq!(
        admin.call("DELETE", &path, &Value::Null).await.status,
        StatusCode::NO_CONTENT
    );

    let left = admin.get("/api/v1/widgets/sprocket-9").await;
    assert_eq!(left.body["owner"], json!({"id": id}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_that_is_told_to_stop_ends_well() {
    let house = TestHouse::start().await;
    house.user("ada@example.com").await;

    house.stop().await.unwrap();
}
