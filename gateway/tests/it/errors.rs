//! Refusals: codes, reasons, fields, and what the service adds to them.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic_types::{ErrorDetails, StatusExt};

use crate::kit::{Answer, House};

/// A refusal as tonic writes it.
fn refusal(code: tonic::Code, message: &str, details: ErrorDetails) -> Answer {
    let status = tonic::Status::with_error_details(code, message, details);
    let encoded = BASE64_STANDARD.encode(status.details());
    Answer::Refuse(vec![
        ("grpc-status", (code as i32).to_string()),
        ("grpc-message", message.replace(' ', "%20")),
        ("grpc-status-details-bin", encoded),
    ])
}

#[tokio::test]
async fn every_code_has_its_http_status() {
    let house = House::start().await;
    let rows = [
        (1, 499, "CANCELLED"),
        (2, 500, "UNKNOWN"),
        (3, 400, "INVALID_ARGUMENT"),
        (4, 504, "DEADLINE_EXCEEDED"),
        (5, 404, "NOT_FOUND"),
        (6, 409, "ALREADY_EXISTS"),
        (7, 403, "PERMISSION_DENIED"),
        (8, 429, "RESOURCE_EXHAUSTED"),
        (9, 400, "FAILED_PRECONDITION"),
        (10, 409, "ABORTED"),
        (11, 400, "OUT_OF_RANGE"),
        (12, 501, "UNIMPLEMENTED"),
        (13, 500, "INTERNAL"),
        (14, 503, "UNAVAILABLE"),
        (15, 500, "DATA_LOSS"),
        (16, 401, "UNAUTHENTICATED"),
        (99, 500, "UNKNOWN"),
    ];
    for (code, http, name) in rows {
        house.fake.refuse(code, "no%20luck%21");
        let response = house.client.get("/query").await;
        let shown = response.json();
        assert_eq!(
            (response.status, &shown["code"], &shown["reason"]),
            (http, &json!(name), &json!(name)),
            "{code}"
        );
        assert_eq!(shown["detail"], "no luck!");
        assert_eq!(
            (shown["status"].clone(), shown["type"].clone()),
            (json!(http), json!("about:blank"))
        );
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
        assert_eq!(shown["request_id"].as_str(), response.header("x-request-id"));
        assert!(shown["title"].is_string() && shown.get("errors").is_none());
    }
}

#[tokio::test]
async fn details_become_reason_fields_and_retry_after() {
    let house = House::start().await;
    house.fake.answer(|_| {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("THROTTLED", "gatehouse", [("a".to_owned(), "b".to_owned())])
            .add_bad_request_violation("item.nested.text", "is bad")
            .add_bad_request_violation("label", "is long")
            .set_retry_info(Some(std::time::Duration::from_millis(1500)));
        refusal(tonic::Code::ResourceExhausted, "slow down", details)
    });

    let response = house.client.post("/part", "{}").await;

    assert_eq!((response.status, response.header("retry-after")), (429, Some("2")));
    let shown = response.json();
    assert_eq!(
        (shown["reason"].as_str(), shown["detail"].as_str()),
        (Some("THROTTLED"), Some("slow down"))
    );
    let wanted = json!([{"field": "nested.text", "detail": "is bad"}, {"field": "label", "detail": "is long"}]);
    assert_eq!(shown["errors"], wanted);
}

#[tokio::test]
async fn a_401_carries_a_challenge() {
    let house = House::start().await;
    house.fake.refuse(16, "no");
    assert_eq!(
        house.client.get("/query").await.header("www-authenticate"),
        Some("Bearer realm=\"gatehouse\"")
    );

    house.fake.answer(|_| {
        let challenge = "Bearer realm=\"gatehouse\", error=\"insufficient_scope\"".to_owned();
        Answer::Refuse(vec![
            ("grpc-status", "7".into()),
            ("www-authenticate", challenge),
            ("x-secret", "s".into()),
        ])
    });
    let response = house.client.get("/query").await;
    assert_eq!(
        response.header("www-authenticate"),
        Some("Bearer realm=\"gatehouse\", error=\"insufficient_scope\"")
    );
    assert!(response.header("x-secret").is_none() && response.header("grpc-status").is_none());
}

#[tokio::test]
async fn a_refusal_tells_which_quota_is_used_up() {
    let house = House::start().await;
    house.fake.answer(|_| {
        Answer::Refuse(vec![
            ("grpc-status", "8".into()),
            ("ratelimit-policy", r#""calls";q=9;w=60"#.into()),
            ("ratelimit", r#""calls";r=0;t=7"#.into()),
        ])
    });

    let response = house.client.get("/query").await;

    assert_eq!(response.status, 429);
    assert_eq!(response.header("ratelimit-policy"), Some(r#""calls";q=9;w=60"#));
    assert_eq!(response.header("ratelimit"), Some(r#""calls";r=0;t=7"#));
}

#[tokio::test]
async fn a_protected_call_without_a_token_is_refused_before_anything_is_read() {
    let house = House::start().await;
    let big = "x".repeat(2 << 20);
    for (headers, body) in [
        (vec![], "{"),
        (vec![("authorization", "Basic eDp5")], "{}"),
        (vec![("content-type", "text/plain")], "x"),
        (vec![("accept", "text/html")], "{}"),
        (vec![], big.as_str()),
    ] {
        let Ok(response) = house
            .client
            .try_send("POST", "/guarded", &headers, body.to_owned().into())
            .await
        else {
            // The refusal came while the large body was being sent, and the connection was closed.
            assert!(body.len() > 1 << 20);
            continue;
        };
        assert_eq!(
            (response.status, response.reason().as_str()),
            (401, "TOKEN_MISSING"),
            "{headers:?}"
        );
        assert_eq!(response.header("www-authenticate"), Some("Bearer realm=\"gatehouse\""));
    }
    let token = house.client.send("POST", "/guarded?access_token=abc", &[], "{}").await;
    assert_eq!(token.status, 401, "a token in the query opens nothing");
    assert!(house.fake.calls().is_empty());
}

#[tokio::test]
async fn a_call_that_cannot_be_read_is_checked_by_the_service() {
    let house = House::start().await;
    let bearer = [("authorization", "Bearer x")];
    house.fake.answer(|_| {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("INVALID_FIELDS", "gatehouse", [("a".to_owned(), "b".to_owned())])
            .add_bad_request_violation("item", "above")
            .add_bad_request_violation("item.number", "at")
            .add_bad_request_violation("item.nested.child.text", "below")
            .add_bad_request_violation("item.text", "is required")
            .add_bad_request_violation("label", "elsewhere");
        refusal(tonic::Code::InvalidArgument, "bad", details)
    });

    let body = r#"{"number": "x", "nested": 5, "tags": ["ok"]}"#;
    let response = house.client.send("POST", "/guarded", &bearer, body).await;

    assert_eq!((response.status, response.reason().as_str()), (400, "INVALID_FIELDS"));
    assert_eq!(response.fields(), ["number", "nested", "text", "label"]);
    let call = house.fake.call();
    let wanted = json!({"item": {"tags": ["ok"]}, "validate_only": true});
    assert_eq!(crate::kit::shown("Envelope", &call.message), wanted);
    assert_eq!(call.headers["authorization"], "Bearer x");
}

#[tokio::test]
async fn the_service_wins_with_401_and_403_and_adds_nothing_otherwise() {
    let house = House::start().await;
    let bearer = [("authorization", "Bearer x")];
    for (code, body, status, reason) in [
        (16, r#"{"number": "x"}"#, 401, "UNAUTHENTICATED"),
        (7, r#"{"number": "x"}"#, 403, "PERMISSION_DENIED"),
        (16, "{", 401, "UNAUTHENTICATED"),
        (7, "{", 403, "PERMISSION_DENIED"),
        (0, r#"{"number": "x"}"#, 400, "INVALID_FIELDS"),
        (3, "{", 400, "MALFORMED_JSON"),
        (5, r#"{"number": "x"}"#, 400, "INVALID_FIELDS"),
        (14, r#"{"number": "x"}"#, 400, "INVALID_FIELDS"),
        (13, "{", 400, "MALFORMED_JSON"),
    ] {
        if code == 0 {
            house.fake.answer(|_| Answer::Reply(Vec::new()));
        } else {
            house.fake.refuse(code, "no");
        }
        let response = house.client.send("POST", "/guarded", &bearer, body).await;
        assert_eq!(
            (response.status, response.reason().as_str()),
            (status, reason),
            "{code} {body}"
        );
        assert_eq!(house.fake.calls().len(), 1, "{code} {body}");
    }
}

#[tokio::test]
async fn only_our_own_methods_are_called_to_check() {
    let house = House::start().await;
    // No `access` option: a foreign method could take validate_only for something else.
    assert_eq!(house.client.post("/part", r#"{"number": "x"}"#).await.status, 400);
    assert_eq!(house.client.post("/part", "{").await.status, 400);
    assert!(house.fake.calls().is_empty());
}

#[tokio::test]
async fn a_bad_path_and_a_bad_body_are_named_together() {
    let house = House::start().await;
    let response = house
        .client
        .send("PUT", "/whole/%FF?nope=1", &[], r#"{"boolean": 5}"#)
        .await;
    assert_eq!(response.fields(), ["text", "nope", "boolean"]);
}

#[tokio::test]
async fn too_large_bodies_are_413() {
    let house = House::start().await;
    let body = |size: usize| format!("{{\"text\":\"{}\"}}", "x".repeat(size - 11));
    assert_eq!(house.client.post("/whole", body(1 << 20)).await.status, 200);
    let response = house.client.post("/whole", body((1 << 20) + 1)).await;
    let shown: Value = response.json();
    assert_eq!(
        (response.status, shown["code"].as_str(), shown["reason"].as_str()),
        (413, Some("RESOURCE_EXHAUSTED"), Some("BODY_TOO_LARGE"))
    );
}

#[tokio::test]
async fn a_body_that_does_not_tell_its_length_is_cut_off_at_the_limit() {
    let house = House::start().await;
    let mut tcp = TcpStream::connect(house.client.addr).await.unwrap();
    // One byte too many, and nothing after it that would be left unread.
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
    let head = "POST /whole HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let request = format!("{head}{}1\r\n \r\n", chunk.repeat(16));
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tcp.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn unknown_paths_are_problems_too() {
    let house = House::start().await;
    let response = house.client.get("/nowhere").await;
    assert_eq!(
        (response.status, response.reason().as_str(), &response.json()["code"]),
        (404, "PATH_NOT_FOUND", &json!("NOT_FOUND"))
    );
}
