//! A request all the way through and back.

use serde_json::json;

use crate::kit::{self, House, shown};

#[tokio::test]
async fn a_body_goes_up_and_a_reply_comes_down() {
    let house = House::start().await;

    let response = house
        .client
        .post(
            "/part/hello?label=x",
            r#"{"number": 7, "nested": {"tags": ["a", "b"]}}"#,
        )
        .await;

    assert_eq!(response.status, 200, "{:?}", response.body);
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.json()["item"]["text"], "hello");
    let call = house.fake.call();
    assert_eq!(call.path, "/echo.v1.Echo/Part");
    assert_eq!(
        shown("Envelope", &call.message),
        json!({"item": {"text": "hello", "number": 7, "nested": {"tags": ["a", "b"]}}, "label": "x"})
    );
}

#[tokio::test]
async fn every_kind_of_field_goes_round() {
    let house = House::start().await;
    let all = kit::json(include_str!("kit/everything.json"));

    let response = house.client.post("/whole", all.to_string()).await;

    assert_eq!(response.status, 200, "{:?}", response.body);
    let shown = response.json();
    for (key, value) in all.as_object().unwrap() {
        assert_eq!(&shown[key], value, "{key}");
    }
    assert_eq!(shown, all);
    let reference = kit::message("Everything", all);
    assert_eq!(
        crate::kit::shown("Everything", &house.fake.call().message),
        crate::kit::shown("Everything", &reference)
    );
}

#[tokio::test]
async fn unset_fields_show_as_the_rules_say() {
    let house = House::start().await;

    let response = house.client.get("/query").await;

    let shown = response.json();
    for (field, value) in [
        ("int64_value", json!("0")),
        ("boolean", json!(false)),
        ("text", json!("")),
        ("color", json!("UNKNOWN")),
        ("int32_list", json!([])),
        ("text_map", json!({})),
        ("raw", json!("")),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    for absent in ["nested", "time", "wrapped_bool", "left", "maybe", "value"] {
        assert!(shown.get(absent).is_none(), "{absent}");
    }
}
