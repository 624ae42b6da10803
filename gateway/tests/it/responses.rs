//! What a reply looks like, rule by rule.

use serde_json::json;

use crate::kit::{Answer, House, message};

#[tokio::test]
async fn status_and_location_come_from_the_method() {
    let house = House::start().await;
    let bearer = [("authorization", "Bearer x")];
    house
        .fake
        .answer(|_| Answer::Reply(message("Envelope", json!({"item": {"text": "a b"}, "label": "c/d e"}))));

    let made = house.client.send("POST", "/guarded", &bearer, "{}").await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, Some("/guarded/a%20b/c/d%20e"))
    );

    let checked = house
        .client
        .send("POST", "/guarded?validate_only=true", &bearer, "{}")
        .await;
    assert_eq!((checked.status, checked.header("location")), (200, None));
}

#[tokio::test]
async fn a_service_may_choose_another_2xx() {
    let house = House::start().await;
    let bearer = [("authorization", "Bearer x")];
    for (chosen, status, located) in [
        ("200", 200, false),
        ("202", 202, false),
        ("404", 201, true),
        ("x", 201, true),
    ] {
        let reply = message("Envelope", json!({"item": {"text": "a"}, "label": "l"}));
        house
            .fake
            .answer(move |_| Answer::ReplyWith(vec![("http-status", chosen.to_owned())], reply.clone()));
        let response = house.client.send("POST", "/guarded", &bearer, "{}").await;
        assert_eq!(
            (response.status, response.headers.contains_key("location")),
            (status, located),
            "{chosen}"
        );
    }
}

#[tokio::test]
async fn what_is_left_of_a_quota_comes_down_and_no_other_metadata() {
    let house = House::start().await;
    let metadata = [
        ("ratelimit-policy", r#""calls";q=9;w=60"#),
        ("ratelimit", r#""calls";r=8;t=60"#),
        ("x-ratelimit-limit", "9"),
        ("x-secret", "s"),
    ];
    let metadata = metadata.map(|(name, value)| (name, value.to_owned())).to_vec();
    house
        .fake
        .answer(move |_| Answer::ReplyWith(metadata.clone(), Vec::new()));

    for (method, path, status) in [("POST", "/nothing", 200), ("DELETE", "/open", 204)] {
        let response = house.client.send(method, path, &[], "").await;

        assert_eq!(response.status, status);
        assert_eq!(response.header("ratelimit-policy"), Some(r#""calls";q=9;w=60"#));
        assert_eq!(response.header("ratelimit"), Some(r#""calls";r=8;t=60"#));
        assert!(response.header("x-ratelimit-limit").is_none() && response.header("x-secret").is_none());
    }
}

#[tokio::test]
async fn no_other_metadata_of_a_service_comes_down() {
    let house = House::start().await;
    let metadata = [
        "x-secret",
        "set-cookie",
        "location",
        "cache-control",
        "etag",
        "grpc-encoding",
        "www-authenticate",
        "x-request-id",
        "server",
    ];
    house
        .fake
        .answer(move |_| Answer::ReplyWith(metadata.map(|name| (name, "theirs".to_owned())).into(), Vec::new()));
    let response = house.client.get("/query").await;
    assert_eq!(response.status, 200);
    for (name, value) in &response.headers {
        assert_ne!(value, "theirs", "{name}");
    }
}

#[tokio::test]
async fn an_empty_message_is_an_object_or_nothing() {
    let house = House::start().await;
    house.fake.answer(|_| Answer::Reply(Vec::new()));
    let nothing = house.client.post("/nothing", "").await;
    assert_eq!((nothing.status, &nothing.body[..]), (200, &b"{}"[..]));
    let open = house.client.send("DELETE", "/open", &[], "").await;
    assert_eq!(
        (open.status, open.body.len(), open.header("content-type")),
        (204, 0, None)
    );
}

#[tokio::test]
async fn every_response_has_the_safe_headers() {
    let house = House::start().await;
    for path in [
        "/query",
        "/watch",
        "/nowhere",
        "/whole",
        "/query?nope=1",
        "/openapi.json",
    ] {
        let response = house.client.get(path).await;
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(
            response.header("content-security-policy"),
            Some("default-src 'none'; frame-ancestors 'none'"),
            "{path}"
        );
        assert!(response.headers.contains_key("x-request-id"), "{path}");
        assert!(response.header("server").is_none(), "{path}");
        if path != "/openapi.json" {
            assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
        }
    }
}

#[tokio::test]
async fn an_etag_is_a_header_and_answers_if_none_match() {
    let house = House::start().await;
    house
        .fake
        .answer(|_| Answer::Reply(message("Tagged", json!({"name": "n", "etag": "v1"}))));

    let first = house.client.get("/tagged/n").await;
    assert_eq!((first.status, first.header("etag")), (200, Some("\"v1\"")));
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    assert_eq!(first.json()["etag"], "v1");

    for (known, status) in [
        ("\"v1\"", 304),
        ("W/\"v1\"", 304),
        ("\"v0\", \"v1\"", 304),
        ("*", 304),
        ("\"v2\"", 200),
    ] {
        let response = house
            .client
            .send("GET", "/tagged/n", &[("if-none-match", known)], "")
            .await;
        assert_eq!(response.status, status, "{known}");
        assert_eq!(response.header("etag"), Some("\"v1\""));
        assert_eq!(response.body.is_empty(), status == 304);
    }
    let delete = house
        .client
        .send("DELETE", "/tagged/n", &[("if-none-match", "\"v1\"")], "")
        .await;
    assert_eq!(delete.status, 200, "only reads are answered so");
}

#[tokio::test]
async fn if_match_fills_an_empty_etag_and_aborted_is_then_412() {
    let house = House::start().await;
    for (path, header, wanted) in [
        ("/tagged/n", "\"v1\"", json!({"name": "n", "etag": "v1"})),
        ("/tagged/n?etag=q", "\"v1\"", json!({"name": "n", "etag": "q"})),
        ("/tagged/n", "*", json!({"name": "n"})),
        ("/tagged/n", "W/\"v0\", \"v1\"", json!({"name": "n", "etag": "v1"})),
    ] {
        house.fake.answer(|_| Answer::Reply(Vec::new()));
        assert_eq!(
            house
                .client
                .send("DELETE", path, &[("if-match", header)], "")
                .await
                .status,
            200
        );
        assert_eq!(
            crate::kit::shown("TaggedRequest", &house.fake.call().message),
            wanted,
            "{path} {header}"
        );
    }
    house.fake.answer(|_| Answer::Reply(Vec::new()));
    house
        .client
        .send("PUT", "/tagged-body", &[("if-match", "\"v1\"")], r#"{"name": "n"}"#)
        .await;
    let wanted = json!({"tagged": {"name": "n", "etag": "v1"}});
    assert_eq!(
        crate::kit::shown("TaggedBodyRequest", &house.fake.call().message),
        wanted
    );

    house.fake.refuse(10, "stale");
    let by_header = house
        .client
        .send("DELETE", "/tagged/n", &[("if-match", "\"v1\"")], "")
        .await;
    assert_eq!((by_header.status, &by_header.json()["code"]), (412, &json!("ABORTED")));
    let by_query = house
        .client
        .send("DELETE", "/tagged/n?etag=v1", &[("if-match", "\"v1\"")], "")
        .await;
    assert_eq!(by_query.status, 409);
    let by_star = house.client.send("DELETE", "/tagged/n", &[("if-match", "*")], "").await;
    assert_eq!(by_star.status, 409);
    house.fake.calls();

    let weak = house
        .client
        .send("DELETE", "/tagged/n", &[("if-match", "W/\"v1\"")], "")
        .await;
    assert_eq!(
        (weak.status, house.fake.calls().len()),
        (412, 0),
        "a weak tag costs no call"
    );
    let bare = house
        .client
        .send("DELETE", "/tagged/n", &[("if-match", "v1")], "")
        .await;
    assert_eq!(bare.status, 400);
}

#[tokio::test]
async fn pages_are_linked() {
    let house = House::start().await;
    for (path, reply, wanted) in [
        (
            "/pages",
            json!({"next_page_token": "n/1+"}),
            Some("</pages?page_token=n%2F1%2B>; rel=\"next\""),
        ),
        ("/pages", json!({}), None),
        (
            "/pages?filter=a%26b&page_token=t&page_size=5",
            json!({"next_page_token": "n", "prev_page_token": "p"}),
            Some(
                "</pages?filter=a%26b&page_size=5>; rel=\"first\", </pages?filter=a%26b&page_size=5&page_token=p>; rel=\"prev\", </pages?filter=a%26b&page_size=5&page_token=n>; rel=\"next\"",
            ),
        ),
        ("/pages?pageToken=t", json!({}), Some("</pages>; rel=\"first\"")),
    ] {
        house
            .fake
            .answer(move |_| Answer::Reply(message("PageReply", reply.clone())));
        assert_eq!(house.client.get(path).await.header("link"), wanted, "{path}");
    }
}

#[tokio::test]
async fn accept_that_excludes_json_is_406() {
    let house = House::start().await;
    for (accept, status) in [
        ("application/json", 200),
        ("*/*", 200),
        ("application/*;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
    ] {
        let response = house.client.send("GET", "/query", &[("accept", accept)], "").await;
        assert_eq!(response.status, status, "{accept}");
        if status == 406 {
            assert_eq!(
                (response.reason().as_str(), response.header("content-type")),
                ("NOT_ACCEPTABLE", Some("application/problem+json"))
            );
        }
    }
}

#[tokio::test]
async fn wire_data_that_the_descriptor_refuses_is_502() {
    let house = House::start().await;
    let rows: [(&str, &[u8]); 12] = [
        ("a string that is not UTF-8", &[0x72, 1, 0xff]),
        ("a length past the end", &[0x72, 9, b'a']),
        ("a cut varint", &[0x18, 0x80]),
        (
            "a long varint",
            &[0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
        ),
        ("field number 0", &[0x00, 1]),
        ("another wire type", &[0x72 - 2, 1]),
        ("wire type 7", &[0x77, 1]),
        ("a group without an end", &[0xa3, 0x06]),
        ("a group's end alone", &[0xa4, 0x06]),
        (
            "a time past the range",
            &[0x92, 1, 7, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
        ("a Value without a kind", &[0xe2, 1, 0]),
        ("an Any of an unknown type", &[0xf2, 1, 5, 0x0a, 3, b'x', b'/', b'y']),
    ];
    for (problem, bytes) in rows {
        house.fake.answer(move |_| Answer::Reply(bytes.to_vec()));
        let response = house.client.get("/query").await;
        assert_eq!(
            (response.status, response.reason().as_str()),
            (502, "UPSTREAM_INVALID"),
            "{problem}: {:?}",
            response.body
        );
    }
    house.fake.answer(|_| Answer::Empty);
    assert_eq!(
        house.client.get("/query").await.reason(),
        "UPSTREAM_INVALID",
        "OK without a message"
    );
    house.fake.answer(|_| {
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        sender.try_send(bytes::Bytes::new()).unwrap();
        sender.try_send(bytes::Bytes::new()).unwrap();
        Answer::Stream(receiver, vec![("grpc-status", "0".into())])
    });
    assert_eq!(
        house.client.get("/query").await.reason(),
        "UPSTREAM_INVALID",
        "two messages"
    );
}

#[tokio::test]
async fn odd_but_valid_wire_data_is_shown() {
    let house = House::start().await;
    let nested = |text: &str| message("Everything", json!({"nested": {"text": text}}));
    let rows: Vec<(&str, Vec<u8>, &str, serde_json::Value)> = vec![
        (
            "a scalar twice: the last",
            vec![0x18, 1, 0x18, 2],
            "int32_value",
            json!(2),
        ),
        (
            "a message twice: merged",
            [nested("a"), message("Everything", json!({"nested": {"number": 2}}))].concat(),
            "nested",
            json!({"text": "a", "number": 2, "tags": []}),
        ),
        (
            "unknown fields",
            vec![0x98, 0xf4, 0x03, 1, 0x18, 7, 0xa3, 0x06, 0x08, 1, 0xa4, 0x06],
            "int32_value",
            json!(7),
        ),
        (
            "packed and not, apart",
            vec![0xc2, 2, 2, 1, 2, 0x18, 1, 0xc0, 2, 3],
            "int32_list",
            json!([1, 2, 3]),
        ),
        (
            "a map key twice: the last",
            [
                message("Everything", json!({"text_map": {"a": "1"}})),
                message("Everything", json!({"text_map": {"a": "2"}})),
            ]
            .concat(),
            "text_map",
            json!({"a": "2"}),
        ),
        (
            "a map entry without key and value",
            vec![0x92, 3, 0],
            "text_map",
            json!({"": ""}),
        ),
        (
            "another oneof member",
            [
                message("Everything", json!({"left": "a"})),
                message("Everything", json!({"right": 2})),
            ]
            .concat(),
            "right",
            json!(2),
        ),
        (
            "an int32 in 5 bytes",
            vec![0x18, 0xff, 0xff, 0xff, 0xff, 0x0f],
            "int32_value",
            json!(-1),
        ),
    ];
    for (what, bytes, field, wanted) in rows {
        house.fake.answer(move |_| Answer::Reply(bytes.clone()));
        let response = house.client.get("/query").await;
        assert_eq!(response.json()[field], wanted, "{what}: {:?}", response.body);
    }
    house.fake.answer(|_| {
        Answer::Reply(
            [
                message("Everything", json!({"left": "a"})),
                message("Everything", json!({"right": 2})),
            ]
            .concat(),
        )
    });
    assert!(house.client.get("/query").await.json().get("left").is_none());
}
