//! What a method is asked with `validate_only` writes nothing: the gateway relies on that when it looks for all that is
//! wrong with a request.

use http::StatusCode;
use prost_reflect::DescriptorPool;
use serde_json::{Value, json};

use crate::house::{Actor, TestHouse};

/// A request that would write, were it not for `validate_only`, for each method that has the field.
fn requests(user: &str) -> Vec<(&'static str, &'static str, String, Value)> {
    let widget = json!({"name": "fresh", "info_url": "https://example.com", "deadline": "2099-12-31T12:00:00Z"});
    vec![
        (
            "auth.v1.AuthService.Register",
            "POST",
            "/api/v1/auth/register".into(),
            json!({"email": "new@example.com", "password": "correct horse battery staple", "validate_only": true}),
        ),
        (
            "auth.v1.AuthService.UpdateUser",
            "PATCH",
            format!("/api/v1/users/{user}?validate_only=true"),
            json!({"admin": true, "disabled": true}),
        ),
        (
            "widget.v1.WidgetService.CreateWidget",
            "POST",
            "/api/v1/widgets?validate_only=true".into(),
            widget.clone(),
        ),
        (
            "widget.v1.WidgetService.UpdateWidget",
            "PATCH",
            "/api/v1/widgets/kept?validate_only=true".into(),
            json!({"description": "changed"}),
        ),
        (
            "widget.v1.WidgetService.UpdateWidget",
            "PATCH",
            "/api/v1/widgets/fresh?validate_only=true&allow_missing=true".into(),
            widget.clone(),
        ),
        (
            "widget.v1.WidgetService.ReplaceWidget",
            "PUT",
            "/api/v1/widgets/kept?validate_only=true".into(),
            json!({"info_url": "https://example.com/other", "deadline": "2099-12-31T12:00:00Z"}),
        ),
        (
            "widget.v1.WidgetService.ReplaceWidget",
            "PUT",
            "/api/v1/widgets/fresh?validate_only=true".into(),
            json!({"info_url": "https://example.com/other", "deadline": "2099-12-31T12:00:00Z"}),
        ),
    ]
}

/// Everything that can be read, less what the clock computes.
async fn everything(admin: &Actor<'_>) -> Value {
    let mut widgets = admin.get("/api/v1/widgets").await.body;
    for widget in widgets["widgets"].as_array_mut().unwrap() {
        widget.as_object_mut().unwrap().remove("time_remaining");
    }
    let users = admin.get("/api/v1/users").await.body;
    let events = admin.get("/api/v1/audit-events").await.body;
    json!([widgets, users, events])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_that_can_only_check_writes_nothing_then() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let user = house.user("ada@example.com").await.get("/api/v1/auth/user").await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let kept = json!({"name": "kept", "info_url": "https://example.com", "deadline": "2099-12-31T12:00:00Z"});
    assert_eq!(
        admin.call("POST", "/api/v1/widgets", &kept).await.status,
        StatusCode::CREATED
    );
    let before = everything(&admin).await;
    let requests = requests(&user);

    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    for method in pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
    {
        if method.input().get_field_by_name("validate_only").is_none() {
            continue;
        }
        let mut tried = requests
            .iter()
            .filter(|(name, ..)| *name == method.full_name())
            .peekable();
        assert!(tried.peek().is_some(), "no request tries {}", method.full_name());
        for (name, verb, path, body) in tried {
            let reply = admin.call(verb, path, body).await;
            assert_eq!(reply.status, StatusCode::OK, "{name}: {:?}", reply.body);
            assert_eq!(reply.headers.get("location"), None, "{name}");
            assert_eq!(everything(&admin).await, before, "{name} wrote something");
        }
    }
}
