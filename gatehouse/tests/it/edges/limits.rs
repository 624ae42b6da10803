//! Counts and sizes.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tonic::Code;

use super::frames::{END_HEADERS, END_STREAM, HEADERS, field, flood, frame, goodbye, request};
use crate::house::TestHouse;

/// Sends a text and reads the status line of the answer.
async fn status(addr: SocketAddr, text: &str) -> String {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    // A server that has seen enough may hang up before the end.
    let _ = tcp.write_all(text.as_bytes()).await;
    let mut answer = [0; 12];
    match timeout(Duration::from_secs(10), tcp.read_exact(&mut answer)).await {
        Ok(Ok(_)) => String::from_utf8_lossy(&answer).into_owned(),
        Ok(Err(error)) => panic!("{error}"),
        Err(_) => panic!("no answer"),
    }
}

#[tokio::test]
async fn headers_beyond_the_limit_are_refused_by_http1_and_by_http2() {
    let house = TestHouse::with_flags(&["--gateway-max-header-bytes", "8192"]).await;
    let long = |size: usize| {
        format!(
            "GET /openapi.json HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n",
            "a".repeat(size)
        )
    };
    assert_eq!(status(house.rest, &long(6_000)).await, "HTTP/1.1 200");
    assert_eq!(status(house.rest, &long(9_000)).await, "HTTP/1.1 431");

    let block = [request(), field("x", &"y".repeat(100)).repeat(200)].concat();
    for listener in [house.rest, house.auth] {
        let asked = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block[..16_000]);
        let endless = (0..10_000).map(move |n| frame(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, &asked[9..]));
        let ended = flood(listener, endless, Duration::from_secs(10)).await;
        assert!(ended.is_some(), "huge headers go on and on");
    }
}

#[tokio::test]
async fn hostile_requests_are_refused_quickly() {
    let house = TestHouse::start().await;
    let user = house.user("edges@example.com").await;
    let slashes = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", "/".repeat(64_000));
    let refused = status(house.rest, &slashes).await;
    assert!(["HTTP/1.1 431", "HTTP/1.1 414"].contains(&&*refused), "{refused}");
    let headers = [("authorization", &*user.bearer), ("content-type", "application/json")];
    for body in [
        "[".repeat(500_000),
        "{\"email\":".repeat(100_000),
        format!("{{\"email\": 1{}}}", "0".repeat(500_000)),
        format!("{{\"email\": 1e{}}}", "9".repeat(500_000)),
    ] {
        let began = Instant::now();
        let reply = house.send("POST", "/api/v1/auth/register", &headers, &body).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_connection_beyond_the_limit_is_served_when_another_ends() {
    let house = TestHouse::with_flags(&["--gateway-max-connections", "2"]).await;
    let ask = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    let addr = house.rest;
    let first = TcpStream::connect(addr).await.unwrap();
    let second = TcpStream::connect(addr).await.unwrap();
    let mut third = TcpStream::connect(addr).await.unwrap();
    third.write_all(ask.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let early = timeout(Duration::from_millis(500), third.read_exact(&mut answer)).await;
    assert!(early.is_err(), "three connections are served where two may be");

    drop((first, second));
    let late = timeout(Duration::from_secs(10), third.read_exact(&mut answer)).await;
    late.expect("served when there is room").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn an_old_connection_is_renewed_and_no_call_is_lost() {
    let house = TestHouse::with_flags(&[
        "--auth-max-connection-age",
        "200ms",
        "--gateway-max-connection-age",
        "200ms",
    ])
    .await;
    let admin = house.admin().await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        assert_eq!(admin.get("/api/v1/auth/user").await.status, 200);
    }

    assert_eq!(goodbye(house.auth, Duration::from_secs(10)).await, Some(0));
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused() {
    use proto::auth::v1::{LoginRequest, auth_service_client::AuthServiceClient};
    let house = TestHouse::with_flags(&["--auth-max-message-bytes", "2048"]).await;
    let mut auth = AuthServiceClient::new(house.channel(house.auth).await);
    let login = |size: usize| LoginRequest {
        email: "nobody@example.com".into(),
        password: "x".repeat(size),
    };
    assert_eq!(auth.login(login(100)).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(auth.login(login(3_000)).await.unwrap_err().code(), Code::OutOfRange);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_beyond_the_limit_are_refused_at_once_and_tokens_are_verified_as_ever() {
    let house = TestHouse::with_flags(&["--auth-max-calls", "2"]).await;
    let admin = house.admin().await;
    let login = json!({"email": "nobody@example.com", "password": "correct horse battery staple"}).to_string();
    let logins = join_all((0..30).map(|_| house.send("POST", "/api/v1/auth/login", &[], &login)));
    let reads = async {
        for _ in 0..20 {
            assert_eq!(admin.get("/api/v1/widgets").await.status, 200);
        }
    };
    let (replies, ()) = tokio::join!(logins, reads);

    let refused: Vec<_> = replies.iter().filter(|reply| reply.reason() == "OVERLOADED").collect();
    assert!(
        !refused.is_empty() && refused.len() < replies.len(),
        "{} refused",
        refused.len()
    );
    for reply in refused {
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["retry-after"]),
            (429, &"1".parse().unwrap())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_too_refuses_calls_beyond_its_limit() {
    let house = TestHouse::with_flags(&["--gateway-max-calls", "2"]).await;
    let login = json!({"email": "nobody@example.com", "password": "correct horse battery staple"}).to_string();
    let replies = join_all((0..30).map(|_| house.send("POST", "/api/v1/auth/login", &[], &login))).await;

    let refused = replies.iter().filter(|reply| reply.reason() == "OVERLOADED").count();
    assert!(refused > 0 && refused < replies.len(), "{refused} refused");
}
