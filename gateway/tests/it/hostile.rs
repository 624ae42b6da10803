//! Input that wants to hurt: a 4xx, quickly.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::kit::House;

#[tokio::test]
async fn hostile_bodies_are_refused_quickly() {
    let house = House::start().await;
    let mebi = 1 << 20;
    let repeat =
        |open: &str, unit: &str| Bytes::from(format!("{open}{}", unit.repeat((mebi - open.len()) / unit.len())));
    let rows: Vec<(&str, Bytes)> = vec![
        ("brackets", repeat("", "[")),
        ("braces", repeat("", "{\"a\":")),
        ("nested fields", repeat("", "{\"nested\":")),
        ("a number", repeat("{\"int32_value\":", "9")),
        ("a fraction", repeat("{\"double_value\":0.", "3")),
        ("zeros", repeat("{\"int64_value\":1", "0")),
        ("an exponent", repeat("{\"int64_value\":1e", "9")),
        ("a string without end", repeat("{\"text\":\"", "a")),
        ("escapes without end", repeat("{\"text\":\"", "\\n")),
        ("bad UTF-8", Bytes::from(vec![0xff; mebi])),
        ("white space", repeat("", " ")),
        ("unknown keys", repeat("{", "\"a\":1,")),
        (
            "a list of bad numbers",
            Bytes::from(format!("{{\"int32_list\":[{}\"x\"]}}", "\"x\",".repeat(mebi / 4 - 20))),
        ),
        (
            "one key again and again",
            Bytes::from(format!(
                "{{{}\"text\":\"a\"}}",
                "\"text\":\"a\",".repeat(mebi / 11 - 10)
            )),
        ),
        ("commas", repeat("[", ",")),
        ("quotes", repeat("", "\"")),
        ("NULs", Bytes::from(vec![0; mebi])),
    ];
    for (what, body) in rows {
        let began = Instant::now();
        let response = house.client.post("/whole", body).await;
        let took = began.elapsed();
        assert_eq!(response.status, 400, "{what}");
        assert!(took < Duration::from_secs(3), "{what}: {took:?}");
        assert!(response.body.len() < 1 << 20, "{what}: {} bytes", response.body.len());
    }
    assert!(house.fake.calls().is_empty());
}

#[tokio::test]
async fn big_but_good_bodies_pass_quickly() {
    let house = House::start().await;
    let map: Vec<String> = (0..40_000).map(|n| format!("\"key{n}\":\"v\"")).collect();
    let list = "[1,2,3],".repeat(60_000);
    for body in [
        format!("{{\"text_map\":{{{}}}}}", map.join(",")),
        format!("{{\"object\":{{{}}}}}", map.join(",")),
        format!("{{\"value\":[{}[]]}}", list),
        format!("{{\"text\":\"{}\"}}", "\\u00fc".repeat(150_000)),
    ] {
        let began = Instant::now();
        let response = house.client.post("/whole", body).await;
        assert_eq!(
            response.status,
            200,
            "{:?}",
            response.body.slice(..200.min(response.body.len()))
        );
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn bad_escapes_everywhere_are_400() {
    let house = House::start().await;
    for path in [
        "/query?%ff=1",
        "/query?text=%ff",
        "/query?text=%c3%28",
        "/path/string/%ff",
        "/path/rest/a/%ff",
        "/path/rest/%",
        "/path/nested/%e2%82/1",
    ] {
        assert_eq!(house.client.get(path).await.status, 400, "{path}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(
        house.client.send("POST", "/whole", &form, vec![0xff_u8]).await.status,
        400
    );
    assert_eq!(house.client.send("POST", "/whole", &form, "text=%ff").await.status, 400);
}

#[tokio::test]
async fn many_query_keys_are_read_quickly() {
    let house = House::start().await;
    let query: Vec<String> = (0..1_000).map(|n| format!("int32_list={}", n % 10)).collect();
    let began = Instant::now();
    let response = house.client.get(&format!("/query?{}", query.join("&"))).await;
    assert_eq!(response.json()["int32_list"].as_array().map(Vec::len), Some(1_000));
    assert!(began.elapsed() < Duration::from_secs(3));
}
