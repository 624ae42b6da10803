//! JSON bodies, rule by rule.

use serde_json::{Value, json};

use crate::kit::{House, shown};

async fn check(rows: &[(&str, Result<Value, &[&str]>)]) {
    let house = House::start().await;
    for (body, wanted) in rows {
        let response = house.client.post("/whole", body.to_string()).await;
        match wanted {
            Ok(message) => {
                assert_eq!(response.status, 200, "{body}: {:?}", response.body);
                assert_eq!(shown("Everything", &house.fake.call().message), *message, "{body}");
            }
            Err(fields) => {
                let wanted: Vec<String> = fields.iter().map(ToString::to_string).collect();
                assert_eq!(
                    (response.status, response.fields()),
                    (400, wanted),
                    "{body}: {:?}",
                    response.body
                );
                assert_eq!(response.reason(), "INVALID_FIELDS", "{body}");
            }
        }
    }
}

#[tokio::test]
async fn numbers_are_read_exactly_and_in_range() {
    check(&[
        (
            r#"{"int64_value": "9223372036854775807"}"#,
            Ok(json!({"int64_value": "9223372036854775807"})),
        ),
        (
            r#"{"int64_value": 9223372036854775807}"#,
            Ok(json!({"int64_value": "9223372036854775807"})),
        ),
        (r#"{"int64_value": 9223372036854775808}"#, Err(&["int64_value"])),
        (r#"{"int64_value": "-9223372036854775809"}"#, Err(&["int64_value"])),
        (r#"{"int32_value": 1.0}"#, Ok(json!({"int32_value": 1}))),
        (r#"{"int32_value": "1e2"}"#, Ok(json!({"int32_value": 100}))),
        (r#"{"int32_value": 1200e-2}"#, Ok(json!({"int32_value": 12}))),
        (r#"{"int32_value": 1.5}"#, Err(&["int32_value"])),
        (r#"{"int32_value": 1e10}"#, Err(&["int32_value"])),
        (r#"{"int32_value": 1e999999999999}"#, Err(&["int32_value"])),
        (r#"{"int32_value": 0e999999999999}"#, Ok(json!({}))),
        (r#"{"int32_value": -0}"#, Ok(json!({}))),
        (r#"{"int32_value": ""}"#, Err(&["int32_value"])),
        (r#"{"int32_value": " 1"}"#, Err(&["int32_value"])),
        (r#"{"int32_value": "1x"}"#, Err(&["int32_value"])),
        (r#"{"int32_value": true}"#, Err(&["int32_value"])),
        (
            r#"{"uint32_value": 4294967295}"#,
            Ok(json!({"uint32_value": 4294967295_u32})),
        ),
        (r#"{"uint32_value": 4294967296}"#, Err(&["uint32_value"])),
        (r#"{"uint64_value": -1}"#, Err(&["uint64_value"])),
        (
            r#"{"double_value": "1.5", "float_value": 2}"#,
            Ok(json!({"double_value": 1.5, "float_value": 2.0})),
        ),
        (r#"{"double_value": "NaN"}"#, Ok(json!({"double_value": "NaN"}))),
        (r#"{"double_value": "nan"}"#, Err(&["double_value"])),
        (r#"{"double_value": 1e400}"#, Err(&["double_value"])),
        (r#"{"float_value": 3.5e38}"#, Err(&["float_value"])),
        (
            r#"{"float_value": "-Infinity"}"#,
            Ok(json!({"float_value": "-Infinity"})),
        ),
    ])
    .await;
}

#[tokio::test]
async fn scalars_have_their_json_types() {
    check(&[
        (r#"{"boolean": "true"}"#, Err(&["boolean"])),
        (r#"{"boolean": 1}"#, Err(&["boolean"])),
        (r#"{"text": 1}"#, Err(&["text"])),
        (r#"{"text": {"a": [1]}, "boolean": true}"#, Err(&["text"])),
        (r#"{"text": "\u00fc\ud83d\ude00\n"}"#, Ok(json!({"text": "ü😀\n"}))),
        (r#"{"\u0074ext": "x"}"#, Ok(json!({"text": "x"}))),
        (r#"{"raw": "AP8="}"#, Ok(json!({"raw": "AP8="}))),
        (r#"{"raw": "_-8"}"#, Ok(json!({"raw": "/+8="}))),
        (r#"{"raw": "A"}"#, Err(&["raw"])),
        (r#"{"color": "RED"}"#, Ok(json!({"color": "RED"}))),
        (r#"{"color": -5}"#, Ok(json!({"color": "BLUE"}))),
        (r#"{"color": 77}"#, Ok(json!({"color": 77}))),
        (r#"{"color": "PINK"}"#, Err(&["color"])),
        (r#"{"color": "1"}"#, Err(&["color"])),
        (
            r#"{"time": "2030-01-31T23:30:00-05:00"}"#,
            Ok(json!({"time": "2030-02-01T04:30:00Z"})),
        ),
        (
            r#"{"time": "2030-01-31T12:00:00.123456789Z"}"#,
            Ok(json!({"time": "2030-01-31T12:00:00.123456789Z"})),
        ),
        (r#"{"time": "2030-01-31"}"#, Err(&["time"])),
        (r#"{"time": "2030-01-31t12:00:00z"}"#, Err(&["time"])),
        (r#"{"time": "0000-01-01T00:00:00Z"}"#, Err(&["time"])),
        (r#"{"time": "9999-12-31T23:59:59-01:00"}"#, Err(&["time"])),
        (r#"{"time": 5}"#, Err(&["time"])),
        (r#"{"span": "-0.5s"}"#, Ok(json!({"span": "-0.500s"}))),
        (r#"{"span": "315576000000s"}"#, Ok(json!({"span": "315576000000s"}))),
        (r#"{"span": "315576000001s"}"#, Err(&["span"])),
        (r#"{"span": "1m"}"#, Err(&["span"])),
        (
            r#"{"wrapped_int64": 5, "wrapped_bool": null}"#,
            Ok(json!({"wrapped_int64": "5"})),
        ),
        (r#"{"wrapped_int64": {"value": 5}}"#, Err(&["wrapped_int64"])),
    ])
    .await;
}

#[tokio::test]
async fn null_is_unset_but_where_it_is_a_value() {
    check(&[
        (
            r#"{"text": null, "nested": null, "int32_list": null, "text_map": null, "time": null}"#,
            Ok(json!({})),
        ),
        (r#"{"value": null}"#, Ok(json!({"value": null}))),
        (r#"{"nothing": null}"#, Ok(json!({"nothing": null}))),
        (r#"{"left": null, "right": 1}"#, Ok(json!({"right": 1}))),
        (r#"{"int32_list": [1, null]}"#, Err(&["int32_list[1]"])),
        (r#"{"nested_list": [null]}"#, Err(&["nested_list[0]"])),
        (r#"{"time_list": [null]}"#, Err(&["time_list[0]"])),
        (r#"{"text_map": {"a": null}}"#, Err(&["text_map[\"a\"]"])),
        (r#"{"value_list": [null]}"#, Ok(json!({"value_list": [null]}))),
        (r#"{"maybe": null}"#, Ok(json!({}))),
    ])
    .await;
}

#[tokio::test]
async fn every_bad_field_is_named_by_its_path() {
    check(&[
        (
            r#"{"nope": 1, "text": 2, "nested": {"number": "x", "child": {"tags": ["a", 1, {}]}, "no": {}}, "boolean": true}"#,
            Err(&["nope", "text", "nested.number", "nested.child.tags[1]", "nested.child.tags[2]", "nested.no"]),
        ),
        (r#"{"nested_map": {"1": {"number": "x"}, "y": {}}}"#, Err(&["nested_map[\"1\"].number", "nested_map[\"y\"]"])),
        (r#"{"text_map": {"a\"b": 1}}"#, Err(&["text_map[\"a\\\"b\"]"])),
        (r#"{"text_map": [1]}"#, Err(&["text_map"])),
        (r#"{"int32_list": {"a": 1}}"#, Err(&["int32_list"])),
        (r#"{"nested": [1]}"#, Err(&["nested"])),
        (r#"{"otherName": 1, "other-Name": 5}"#, Err(&["otherName", "renamed"])),
        (r#"{"object": 1, "list": {}, "any": 3}"#, Err(&["object", "list", "any"])),
        (r#"{"value": {"a": [1e999]}}"#, Err(&["value[\"a\"][0]"])),
        (r#"{"any": {"a": 1}}"#, Err(&["any.@type"])),
        (r#"{"any": {"@type": "x.y/none.Such"}}"#, Err(&["any.@type"])),
        (r#"{"any": {"name": 5, "@type": "type.googleapis.com/echo.v1.Name"}}"#, Err(&["any.name"])),
        (r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "x"}}"#, Err(&["any.value"])),
    ])
    .await;
}

#[tokio::test]
async fn what_is_said_twice_is_refused() {
    check(&[
        (r#"{"text": "a", "text": "a"}"#, Err(&["text"])),
        (r#"{"int32_value": 1, "int32Value": 1}"#, Err(&["int32_value"])),
        (r#"{"text": null, "text": "a"}"#, Err(&["text"])),
        (r#"{"far": 1, "far": 2}"#, Err(&["far"])),
        (r#"{"text_map": {"a": "1", "a": "2"}}"#, Err(&["text_map[\"a\"]"])),
        (r#"{"nested_map": {"1": {}, "1.0": {}}}"#, Err(&["nested_map[\"1.0\"]"])),
        (r#"{"object": {"a": 1, "a": 2}}"#, Err(&["object[\"a\"]"])),
        (r#"{"left": "a", "right": 1}"#, Err(&["right"])),
        (r#"{"nested": {"a": "1", "b": "2"}}"#, Err(&["nested.b"])),
    ])
    .await;
}

#[tokio::test]
async fn text_that_is_not_json_is_malformed() {
    let house = House::start().await;
    let rows: [&[u8]; 27] = [
        b" ",
        b"\n\t",
        b"{",
        b"}",
        b"[]x",
        b"{}{}",
        b"{} {}",
        b"{\"text\":}",
        b"{\"text\" \"a\"}",
        b"{\"text\": \"a\",}",
        b"{,}",
        b"{text: 1}",
        b"{'text': 1}",
        b"{\"int32_list\": [1,]}",
        b"{\"int32_list\": [1 2]}",
        b"{\"text\": \"a}",
        b"{\"text\": \"\\x\"}",
        b"{\"text\": \"\\ud800\"}",
        b"{\"text\": \"\\udc00\"}",
        b"{\"text\": \"a\nb\"}",
        b"{\"text\": \"\xff\"}",
        b"{\"int32_value\": 01}",
        b"{\"int32_value\": +1}",
        b"{\"int32_value\": 1.}",
        b"{\"boolean\": tru}",
        b"{\"double_value\": NaN}",
        b"{\"nope\": [}",
    ];
    for body in rows {
        let response = house.client.post("/whole", body.to_vec()).await;
        let text = String::from_utf8_lossy(body);
        assert_eq!(
            (response.status, response.reason().as_str()),
            (400, "MALFORMED_JSON"),
            "{text}"
        );
        assert!(response.json().get("errors").is_none(), "{text}");
    }
    assert!(house.fake.calls().is_empty());
}

#[tokio::test]
async fn a_body_has_64_levels_at_most() {
    let house = House::start().await;
    let nested = |levels: usize| format!("{}{{}}{}", "{\"child\":".repeat(levels - 2), "}".repeat(levels - 2));
    let body = |levels: usize| format!("{{\"nested\":{}}}", nested(levels));
    assert_eq!(house.client.post("/whole", body(64)).await.status, 200);
    assert_eq!(house.client.post("/whole", body(65)).await.reason(), "MALFORMED_JSON");
    // Also where the field is unknown and its value passed over.
    let unknown = |levels: usize| format!("{{\"nope\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert_eq!(
        house.client.post("/whole", unknown(64)).await.reason(),
        "INVALID_FIELDS"
    );
    assert_eq!(
        house.client.post("/whole", unknown(65)).await.reason(),
        "MALFORMED_JSON"
    );
}

#[tokio::test]
async fn an_empty_body_is_the_empty_message_or_an_unset_field() {
    let house = House::start().await;
    assert_eq!(house.client.post("/whole", "").await.status, 200);
    assert!(house.fake.call().message.is_empty());
    assert_eq!(house.client.post("/part", "").await.status, 200);
    assert!(house.fake.call().message.is_empty());
    assert_eq!(house.client.post("/part", "{}").await.status, 200);
    assert_eq!(shown("Envelope", &house.fake.call().message), json!({"item": {}}));
    assert_eq!(house.client.post("/part", "null").await.status, 200);
    assert!(house.fake.call().message.is_empty());
    assert_eq!(house.client.post("/whole", "null").await.status, 400);
}

#[tokio::test]
async fn any_field_can_be_the_body() {
    let house = House::start().await;
    for (path, body) in [
        ("/scalar", r#""text""#),
        ("/list", r#"[{"text":"a","number":1,"tags":[]}]"#),
        ("/list", "[]"),
        ("/map", r#"{"k":{"text":"","number":0,"tags":[]}}"#),
        ("/time", r#""2030-01-01T00:00:00Z""#),
        ("/free", r#"[1,{"a":null}]"#),
        ("/free", "null"),
    ] {
        let response = house.client.post(path, body).await;
        assert_eq!((response.status, response.body), (200, body.into()), "{path}");
    }
    let bad = house.client.post("/list", r#"[{"number": "x"}, 5]"#).await;
    assert_eq!(bad.fields(), ["[0].number", "[1]"]);
    let bad = house.client.post("/map", r#"{"k": 5}"#).await;
    assert_eq!(bad.fields(), ["[\"k\"]"]);
    assert_eq!(house.client.post("/scalar", "").await.body, r#""""#);
    assert_eq!(house.client.post("/time", "").await.body, "null");
}

#[tokio::test]
async fn a_body_agrees_with_the_path_or_leaves_it_alone() {
    let house = House::start().await;
    for (method, path, body, wanted) in [
        (
            "PUT",
            "/whole/x",
            r#"{"text": "x", "boolean": true}"#,
            Ok(json!({"text": "x", "boolean": true})),
        ),
        ("PUT", "/whole/x", r#"{"text": null}"#, Ok(json!({"text": "x"}))),
        ("PUT", "/whole/x", r#"{"text": "y"}"#, Err("text")),
        ("PUT", "/whole/oneof/x", r#"{"left": "x"}"#, Ok(json!({"left": "x"}))),
        ("PUT", "/whole/oneof/x", r#"{"right": 1}"#, Err("right")),
        ("POST", "/part/x", r#"{"text": "y"}"#, Err("text")),
    ] {
        let response = house.client.send(method, path, &[], body).await;
        match wanted {
            Ok(message) => {
                assert_eq!(response.status, 200, "{path} {body}: {:?}", response.body);
                assert_eq!(
                    shown("Everything", &house.fake.call().message),
                    message,
                    "{path} {body}"
                );
            }
            Err(field) => assert_eq!(response.fields(), [field], "{path} {body}"),
        }
    }
}

#[tokio::test]
async fn a_patch_without_a_mask_writes_what_the_body_has() {
    let house = House::start().await;
    for (query, body, wanted) in [
        (
            "",
            r#"{"number": 1, "tags": [], "labels": {"a": "b"}, "at": "2030-01-01T00:00:00Z"}"#,
            "number,tags,labels,at",
        ),
        (
            "",
            r#"{"nested": {"text": "x", "child": {"number": 1}}, "color": null}"#,
            "nested.text,nested.child.number,color",
        ),
        (
            "",
            r#"{"nested": {}, "made": "x", "id": "y", "etag": "z", "derived": {"text": "w"}, "number": 5}"#,
            "number",
        ),
        ("", r#"{"nested": null, "text": "x"}"#, "nested"),
        ("", r#"{}"#, ""),
        ("?update_mask=color", r#"{"number": 1}"#, "color"),
        ("?update_mask=", r#"{"number": 1}"#, "number"),
    ] {
        let response = house.client.send("PATCH", &format!("/part/x{query}"), &[], body).await;
        assert_eq!(response.status, 200, "{body}: {:?}", response.body);
        let message = shown("Envelope", &house.fake.call().message);
        assert_eq!(message["update_mask"], wanted, "{query} {body}");
    }
    house.client.post("/part/x", r#"{"number": 1}"#).await;
    assert!(
        shown("Envelope", &house.fake.call().message)
            .get("update_mask")
            .is_none(),
        "only PATCH infers"
    );
}

#[tokio::test]
async fn media_types_are_checked() {
    let house = House::start().await;
    for (kind, status) in [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ("application/vnd.api+json", 200),
        ("application/json; charset=\"utf-8\"", 200),
        ("application/json; charset=latin1", 415),
        ("text/plain", 415),
        ("application/xml", 415),
        ("json", 415),
        ("", 415),
    ] {
        let response = house
            .client
            .send("POST", "/whole", &[("content-type", kind)], "{}")
            .await;
        assert_eq!(response.status, status, "{kind}");
        if status == 415 {
            assert_eq!(response.reason(), "UNSUPPORTED_MEDIA_TYPE");
        }
    }
    assert_eq!(house.client.post("/nothing", "").await.status, 200);
    assert_eq!(house.client.post("/nothing", "{}").await.status, 400);
    assert_eq!(
        house
            .client
            .send("GET", "/query", &[("content-type", "text/plain")], "x")
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn raw_bodies_pass_as_they_are() {
    let house = House::start().await;
    let response = house
        .client
        .send("POST", "/raw", &[("content-type", "image/png")], vec![0_u8, 255, 10])
        .await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, Some("image/png"))
    );
    assert_eq!(response.body, vec![0_u8, 255, 10]);
    let named = house
        .client
        .send(
            "POST",
            "/raw/n?",
            &[("content-type", "text/csv"), ("accept", "text/csv")],
            "a,b",
        )
        .await;
    assert_eq!(
        (named.header("content-type"), &named.body[..]),
        (Some("text/csv"), &b"a,b"[..])
    );
}
