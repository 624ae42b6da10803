//! Values from paths, queries and forms.

use serde_json::{Value, json};

use crate::kit::{House, shown};

/// Sends each and compares what reached the service, or the fields that were refused.
async fn check(rows: &[(&str, Result<Value, &[&str]>)]) {
    let house = House::start().await;
    for (path, wanted) in rows {
        let response = house.client.get(path).await;
        match wanted {
            Ok(message) => {
                assert_eq!(response.status, 200, "{path}: {:?}", response.body);
                assert_eq!(shown("Everything", &house.fake.call().message), *message, "{path}");
            }
            Err(fields) => {
                assert_eq!(
                    (response.status, response.fields()),
                    (400, fields.iter().map(ToString::to_string).collect()),
                    "{path}: {:?}",
                    response.body
                );
                assert_eq!(response.reason(), "INVALID_FIELDS", "{path}");
                assert!(house.fake.calls().is_empty(), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn path_variables_are_read_by_their_types() {
    check(&[
        ("/path/bool/true", Ok(json!({"boolean": true}))),
        ("/path/bool/True", Err(&["boolean"])),
        ("/path/int32/-2147483648", Ok(json!({"int32_value": -2147483648_i64}))),
        ("/path/int32/2147483648", Err(&["int32_value"])),
        ("/path/int32/1.0", Ok(json!({"int32_value": 1}))),
        ("/path/int32/1.5", Err(&["int32_value"])),
        ("/path/int32/x", Err(&["int32_value"])),
        ("/path/string/a%20b%2Fc+d", Ok(json!({"text": "a b/c+d"}))),
        ("/path/bytes/AP8", Ok(json!({"raw": "AP8="}))),
        ("/path/bytes/_-8=", Ok(json!({"raw": "/+8="}))),
        ("/path/bytes/%21", Err(&["raw"])),
        ("/path/enum/RED", Ok(json!({"color": "RED"}))),
        ("/path/enum/-5", Ok(json!({"color": "BLUE"}))),
        ("/path/enum/99", Ok(json!({"color": 99}))),
        ("/path/enum/red", Err(&["color"])),
        (
            "/path/time/2030-01-31T12:00:00+02:00",
            Ok(json!({"time": "2030-01-31T10:00:00Z"})),
        ),
        ("/path/time/2030-02-30T12:00:00Z", Err(&["time"])),
        ("/path/duration/3.5s", Ok(json!({"span": "3.500s"}))),
        ("/path/duration/3.5", Err(&["span"])),
        ("/path/wrapper/5", Ok(json!({"wrapped_int64": "5"}))),
        ("/path/wrapper/string/%22", Ok(json!({"wrapped_string": "\""}))),
        ("/path/mask/a_b,c.dE", Ok(json!({"mask": "aB,c.dE"}))),
        ("/path/mask/a..b", Err(&["mask"])),
        ("/path/nested/a/7", Ok(json!({"nested": {"text": "a", "number": 7}}))),
        ("/path/nested/a/x", Err(&["nested.number"])),
        (
            "/path/multi/shelves/1/books/a%2Fb",
            Ok(json!({"text": "shelves/1/books/a%2Fb"})),
        ),
        ("/path/rest", Ok(json!({}))),
        ("/path/rest/a/b", Ok(json!({"text": "a/b"}))),
        ("/path/rest/a/b:read", Ok(json!({"text": "a/b"}))),
        ("/path/rest:read", Ok(json!({}))),
    ])
    .await;
}

#[tokio::test]
async fn query_keys_are_read_by_their_types() {
    check(&[
        (
            "/query?boolean=true&int32Value=5&text=a%2Bb+c",
            Ok(json!({"boolean": true, "int32_value": 5, "text": "a+b c"})),
        ),
        ("/query?", Ok(json!({}))),
        ("/query?&&text=x&", Ok(json!({"text": "x"}))),
        ("/query?text", Ok(json!({}))),
        ("/query?text=a=b", Ok(json!({"text": "a=b"}))),
        (
            "/query?nested.child.text=x&nested.number=2",
            Ok(json!({"nested": {"child": {"text": "x"}, "number": 2}})),
        ),
        (
            "/query?int32_list=3&int32_list=1&text_list=b&text_list=a",
            Ok(json!({"int32_list": [3, 1], "text_list": ["b", "a"]})),
        ),
        (
            "/query?nested.tags=x&nested.tags=y",
            Ok(json!({"nested": {"tags": ["x", "y"]}})),
        ),
        (
            "/query?color_list=RED&color_list=-5",
            Ok(json!({"color_list": ["RED", "BLUE"]})),
        ),
        (
            "/query?time_list=2030-01-01T00:00:00Z",
            Ok(json!({"time_list": ["2030-01-01T00:00:00Z"]})),
        ),
        (
            "/query?double_value=NaN&float_value=-Infinity",
            Ok(json!({"double_value": "NaN", "float_value": "-Infinity"})),
        ),
        ("/query?double_value=1e3", Ok(json!({"double_value": 1000.0}))),
        ("/query?mask=a_b,c.dE", Ok(json!({"mask": "aB,c.dE"}))),
        ("/query?mask=", Ok(json!({"mask": ""}))),
        (
            "/query?wrapped_bool=false&wrapped_string=&wrapped_bytes=AA",
            Ok(json!({"wrapped_bool": false, "wrapped_string": "", "wrapped_bytes": "AA=="})),
        ),
        ("/query?other-Name=x", Ok(json!({"renamed": "x"}))),
        ("/query?renamed=x", Ok(json!({"renamed": "x"}))),
        ("/query?left=", Ok(json!({"left": ""}))),
        ("/query?maybe=0", Ok(json!({"maybe": 0}))),
        ("/query?null=NULL_VALUE", Ok(json!({}))),
        ("/query?nested.pick=x", Err(&["nested.pick"])),
    ])
    .await;
}

#[tokio::test]
async fn bad_query_keys_are_all_named() {
    check(&[
        ("/query?nope=1", Err(&["nope"])),
        ("/query?nested.nope=1", Err(&["nested.nope"])),
        ("/query?text.more=1", Err(&["text.more"])),
        ("/query?time.seconds=1", Err(&["time.seconds"])),
        ("/query?Text=1", Err(&["Text"])),
        ("/query?text=a&text=b", Err(&["text"])),
        ("/query?int32_value=1&int32Value=1", Err(&["int32_value"])),
        ("/query?int32_list=1&int32List=2", Err(&["int32_list"])),
        (
            "/query?boolean=1&int32_value=x&nope=2",
            Err(&["boolean", "int32_value", "nope"]),
        ),
        ("/query?boolean=", Err(&["boolean"])),
        ("/query?double_value=nan", Err(&["double_value"])),
        ("/query?double_value=inf", Err(&["double_value"])),
        ("/query?double_value=1e999", Err(&["double_value"])),
        ("/query?float_value=1e39", Err(&["float_value"])),
        ("/query?uint32_value=-1", Err(&["uint32_value"])),
        ("/query?uint64_value=18446744073709551616", Err(&["uint64_value"])),
        ("/query?int32_value=%2B1", Err(&["int32_value"])),
        ("/query?int32_value=01", Err(&["int32_value"])),
        ("/query?int32_value=+1", Err(&["int32_value"])),
        ("/query?text_map=x", Err(&["text_map"])),
        ("/query?nested_list=x", Err(&["nested_list"])),
        ("/query?nested=x", Err(&["nested"])),
        ("/query?object=x", Err(&["object"])),
        ("/query?value=x", Err(&["value"])),
        ("/query?list=x", Err(&["list"])),
        ("/query?any=x", Err(&["any"])),
        ("/query?left=a&right=1", Err(&["right"])),
        ("/query?nested.a=1&nested.b=2", Err(&["nested.b"])),
        ("/query?text=%zz", Err(&["text"])),
        ("/query?text=%FF", Err(&["text"])),
        ("/query?mask=a,,b", Err(&["mask"])),
        ("/path/string/x?text=x", Err(&["text"])),
        ("/path/nested/a/7?nested.text=a", Err(&["nested.text"])),
        ("/path/oneof/x?right=1", Err(&["right"])),
    ])
    .await;
}

#[tokio::test]
async fn a_query_key_has_64_levels_at_most() {
    let house = House::start().await;
    let key = |levels: usize| format!("/query?nested{}.text=x", ".child".repeat(levels - 2));
    assert_eq!(house.client.get(&key(64)).await.status, 200);
    assert_eq!(house.client.get(&key(65)).await.status, 400);
}

#[tokio::test]
async fn with_a_body_the_query_has_what_is_left() {
    let house = House::start().await;
    for (path, status, fields) in [
        ("/whole?text=x", 400, vec!["text"]),
        ("/part?label=x&update_mask=a", 200, vec![]),
        ("/part?item.text=x", 400, vec!["text"]),
        ("/part?item=x", 400, vec!["item"]),
    ] {
        let response = house.client.post(path, "{}").await;
        assert_eq!(
            (response.status, response.fields()),
            (status, fields.into_iter().map(str::to_owned).collect()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_form_fills_the_body() {
    let house = House::start().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];

    let whole = house
        .client
        .send(
            "POST",
            "/whole",
            &form,
            "text=a+b&int32_list=1&int32_list=2&nested.text=%C3%BC",
        )
        .await;
    assert_eq!(whole.status, 200, "{:?}", whole.body);
    let wanted = json!({"text": "a b", "int32_list": [1, 2], "nested": {"text": "ü"}});
    assert_eq!(shown("Everything", &house.fake.call().message), wanted);

    let part = house.client.send("POST", "/part/x", &form, "number=3").await;
    assert_eq!(part.status, 200, "{:?}", part.body);
    assert_eq!(
        shown("Envelope", &house.fake.call().message),
        json!({"item": {"text": "x", "number": 3}})
    );

    let same = house.client.send("POST", "/part/x", &form, "text=x").await;
    assert_eq!(same.status, 200, "{:?}", same.body);
    let other = house
        .client
        .send("POST", "/part/x", &form, "text=y&number=z&nope=1")
        .await;
    assert_eq!(
        (other.status, other.fields()),
        (400, vec!["text".into(), "number".into(), "nope".into()])
    );
}
