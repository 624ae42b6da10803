//! The server itself: limits, protocols, CORS, drain, metrics.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::kit::{Answer, Client, House, Setup};

/// Sends raw bytes and reads until the gateway hangs up or there is nothing for a while.
async fn raw(house: &House, bytes: &[u8]) -> String {
    let mut tcp = TcpStream::connect(house.client.addr).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(Ok(count @ 1..)) = tokio::time::timeout(Duration::from_millis(700), tcp.read(&mut chunk)).await {
        answer.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn http2_without_tls_is_spoken_too() {
    let house = House::start().await;
    let client = Client::http2(house.client.addr);
    assert_eq!(client.post("/whole", r#"{"text": "x"}"#).await.json()["text"], "x");
    let head = client.send("HEAD", "/query", &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn headers_have_a_limit() {
    let house = House::start().await;
    let long = |size: usize| format!("GET /query HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(size));
    assert!(raw(&house, long(8 << 10).as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(raw(&house, long(17 << 10).as_bytes()).await.starts_with("HTTP/1.1 431"));
    let slashes = |count: usize| format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", "/".repeat(count));
    assert!(
        raw(&house, slashes(15_000).as_bytes())
            .await
            .starts_with("HTTP/1.1 404")
    );
    let many = raw(&house, slashes(64_000).as_bytes()).await;
    assert!(
        many.starts_with("HTTP/1.1 431") || many.starts_with("HTTP/1.1 414"),
        "{many}"
    );
}

/// Long enough for a busy machine, and short enough to wait for.
const SHORT: [&str; 2] = ["--gateway-header-timeout", "1s"];

/// Sends a beginning and then, if it is to be slow and not silent, a byte now and then, until the server hangs up.
async fn is_cut(addr: SocketAddr, begin: &[u8], slow: bool) {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.write_all(begin).await.unwrap();
    let (mut reader, mut writer) = tcp.into_split();
    let writing = tokio::spawn(async move {
        while slow && writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Dropping it would end the connection from this side.
        writer
    });
    let reading = async { while matches!(reader.read(&mut [0; 256]).await, Ok(1..)) {} };
    let ended = tokio::time::timeout(Duration::from_secs(8), reading).await;
    assert!(ended.is_ok(), "{begin:?}, slow: {slow}");
    writing.abort();
}

#[tokio::test]
async fn clients_that_do_not_ask_in_time_are_cut() {
    let house = House::with(&SHORT).await;
    let begins = [
        &b"GET /query HTTP/1.1\r\nhost:"[..],
        b"",
        b"PRI * HT",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ];
    let clients = begins
        .iter()
        .flat_map(|begin| [true, false].map(|slow| is_cut(house.client.addr, begin, slow)));
    futures_util::future::join_all(clients).await;
}

#[tokio::test]
async fn the_operators_pages_do_not_wait_for_slow_clients_either() {
    let house = House::with(&SHORT).await;
    is_cut(house.ops, b"GET /livez HTT", true).await;
    assert_eq!(Client::new(house.ops).get("/livez").await.status, 200);
}

const REQUEST: &[u8] = b"GET /query HTTP/1.1\r\nhost: x\r\n\r\n";

/// Sends a request and is told that it was the last of its connection.
async fn is_served_once_more(mut tcp: TcpStream) {
    tcp.write_all(REQUEST).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

async fn until_nobody_listens(addr: SocketAddr) {
    while TcpStream::connect(addr).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_drain_serves_who_is_connected_already_and_says_that_it_closes() {
    let mut house = House::start().await;
    let tcp = TcpStream::connect(house.client.addr).await.unwrap();
    house.stop();
    // The gateway has not been polled since: the connection waits in the listener's queue.
    is_served_once_more(tcp).await;
    house.ended().await;
}

#[tokio::test]
async fn a_drain_answers_the_next_request_of_a_kept_connection_and_says_that_it_closes() {
    let mut house = House::start().await;
    let mut tcp = TcpStream::connect(house.client.addr).await.unwrap();
    tcp.write_all(REQUEST).await.unwrap();
    let mut first = [0; 16 << 10];
    let mut length = 0;
    while !first[..length].ends_with(b"}") {
        length += tcp.read(&mut first[length..]).await.unwrap();
    }

    house.stop();
    until_nobody_listens(house.client.addr).await;
    is_served_once_more(tcp).await;
    house.ended().await;
}

#[tokio::test]
async fn cors_is_off_unless_origins_are_listed() {
    let preflight = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    let origin = [("origin", "https://app.example")];
    for (flags, allowed) in [
        (vec![], None),
        (vec!["--gateway-cors-origins", "*"], Some("*")),
        (
            vec!["--gateway-cors-origins", "https://app.example,http://localhost:3000"],
            Some("https://app.example"),
        ),
        (vec!["--gateway-cors-origins", "https://other.example"], None),
    ] {
        let house = House::with(&flags).await;
        let asked = house.client.send("OPTIONS", "/guarded", &preflight, "").await;
        assert_eq!(
            (asked.status, asked.header("access-control-allow-origin")),
            (204, allowed),
            "{flags:?}"
        );
        assert_eq!(
            asked.headers.contains_key("access-control-allow-headers"),
            allowed.is_some()
        );
        for (method, path) in [("GET", "/query"), ("GET", "/nowhere"), ("POST", "/guarded")] {
            let response = house.client.send(method, path, &origin, "").await;
            assert_eq!(
                response.header("access-control-allow-origin"),
                allowed,
                "{flags:?} {path}"
            );
            assert!(response.header("access-control-allow-credentials").is_none());
            if allowed.is_some() {
                let exposed = response.header("access-control-expose-headers").unwrap();
                for name in [
                    "WWW-Authenticate",
                    "Location",
                    "Link",
                    "ETag",
                    "Retry-After",
                    "RateLimit,",
                    "RateLimit-Policy",
                    "X-Request-Id",
                ] {
                    assert!(exposed.contains(name), "{exposed}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_drain_lets_requests_finish_and_takes_no_more() {
    drain(House::start().await).await;
}

#[tokio::test]
async fn threads_of_its_own_drain_like_the_runtime_of_the_caller() {
    drain(on_cores().await).await;
}

async fn on_cores() -> House {
    let setup = Setup {
        on_cores: true,
        ..Setup::default()
    };
    setup.start().await
}

async fn drain(mut house: House) {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    house.fake.answer(move |_| {
        Answer::Stream(
            receiver.lock().unwrap().take().unwrap(),
            vec![("grpc-status", "0".into())],
        )
    });
    let client = house.client.clone();
    let slow = tokio::spawn(async move { client.post("/whole", "{}").await });
    while house.fake.under_way() == 0 {
        tokio::task::yield_now().await;
    }

    house.stop();
    until_nobody_listens(house.client.addr).await;
    let not_ready = Client::new(house.ops).get("/readyz").await;
    assert_eq!(not_ready.status, 503);
    sender.send(bytes::Bytes::new()).await.unwrap();
    drop(sender);
    assert_eq!(slow.await.unwrap().status, 200);
    house.ended().await;
}

#[tokio::test]
async fn each_core_has_a_connection_to_the_service_of_its_own() {
    let house = on_cores().await;
    let cores = std::thread::available_parallelism().unwrap().get();
    // A client that keeps one connection, for each core and one more.
    for _ in 0..=cores {
        let client = Client::new(house.client.addr);
        for _ in 0..3 {
            assert_eq!(client.post("/whole", r#"{"text": "x"}"#).await.json()["text"], "x");
        }
    }
    assert_eq!(house.fake.connections(), cores);
    assert_eq!(house.fake.calls().len(), 3 * (cores + 1));
}

#[tokio::test]
async fn requests_are_measured_by_their_route() {
    let house = House::start().await;
    house.client.get("/path/string/secret-name").await;
    house.client.get("/nowhere/at/all").await;
    house.client.send("BREW", "/whole", &[], "").await;
    let metrics = Client::new(house.ops).get("/metrics").await;
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    let count = |labels: &str| text.contains(&format!("http_server_request_duration_seconds_count{{{labels}}} 1"));
    assert!(
        count(r#"method="GET",route="/path/string/{text}",status="200""#),
        "{text}"
    );
    assert!(count(r#"method="GET",route="none",status="404""#), "{text}");
    assert!(count(r#"method="other",route="none",status="405""#), "{text}");
    assert!(!text.contains("secret-name"));
}
