//! Calling services: balance, retry, reconnect, deadlines, and clients that go away.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::kit::{Answer, Client, Fake, House};

fn url(fake: &Fake) -> String {
    format!("http://{}", fake.addr)
}

/// Waits until something holds.
async fn until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never came to hold");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_read_passes_a_burst_of_changes() {
    const CHANGES: usize = 200;
    let house = House::start().await;
    let mut clients = JoinSet::new();
    for _ in 0..CHANGES {
        let client = house.client.clone();
        clients.spawn(async move { client.post("/whole", "{}").await.status });
    }
    let client = house.client.clone();
    clients.spawn(async move { client.get("/query").await.status });
    assert!(clients.join_all().await.iter().all(|status| *status == 200));

    let calls = house.fake.calls();
    let before = calls.iter().position(|call| call.path.ends_with("/Query"));
    assert!(before.is_some_and(|changes| changes < CHANGES / 2), "{before:?}");
}

#[tokio::test]
async fn several_urls_share_the_calls_and_a_dead_one_is_passed_over() {
    let (first, second) = (Fake::start().await, Fake::start().await);
    let urls = format!("{}|{}", url(&first), url(&second));
    let house = House::before(first, &urls, &[]).await;
    for _ in 0..20 {
        assert_eq!(house.client.get("/query").await.status, 200);
    }
    let (one, other) = (house.fake.calls().len(), second.calls().len());
    assert!(one >= 5 && other >= 5, "{one} and {other}");

    second.kill().await;
    for _ in 0..50 {
        assert_eq!(house.client.get("/query").await.status, 200);
        assert_eq!(
            house.client.post("/whole", "{}").await.status / 100,
            2,
            "refused connections are retried"
        );
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_503_until_it_is_back() {
    let house = House::start().await;
    let House {
        client, fake, ops: _, ..
    } = &house;
    assert_eq!(client.get("/query").await.status, 200);
    let addr = fake.addr;
    let client = client.clone();
    let house = {
        let mut house = house;
        let fake = std::mem::replace(&mut house.fake, Fake::start().await);
        fake.kill().await;
        house
    };

    let away = client.get("/query").await;
    assert_eq!(
        (away.status, away.reason().as_str(), away.header("retry-after")),
        (503, "UNAVAILABLE", Some("1"))
    );

    let back = Fake::at(addr).await;
    let mut last = 0;
    let began = Instant::now();
    while last != 200 {
        assert!(began.elapsed() < Duration::from_secs(5), "{last}");
        last = client.get("/query").await.status;
    }
    assert!(!back.calls().is_empty());
    drop(house);
}

#[tokio::test]
async fn a_restart_is_not_seen_by_safe_calls() {
    let house = House::start().await;
    assert_eq!(house.client.get("/query").await.status, 200);
    let mut house = house;
    let other = Fake::start().await;
    let addr = std::mem::replace(&mut house.fake, other).kill().await;
    let _back = Fake::at(addr).await;
    assert_eq!(house.client.get("/query").await.status, 200);
}

/// Accepts connections, speaks HTTP/2 and breaks off every call in the given way.
async fn breaking(
    how: impl Fn(
        &mut h2::server::Connection<tokio::net::TcpStream, bytes::Bytes>,
        h2::server::SendResponse<bytes::Bytes>,
    ) -> bool
    + Send
    + Sync
    + 'static,
) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let (count, how) = (seen.clone(), Arc::new(how));
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (count, how) = (count.clone(), how.clone());
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(tcp).await.unwrap();
                while let Some(Ok((_, respond))) = connection.accept().await {
                    count.fetch_add(1, Ordering::SeqCst);
                    if !how(&mut connection, respond) {
                        return;
                    }
                }
            });
        }
    });
    (format!("http://{addr}"), seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_answers_before_it_has_read_the_request_is_heard() {
    let (hasty, _) = breaking(|_, mut respond| {
        let refusal = http::Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "16");
        respond.send_response(refusal.body(()).unwrap(), true).unwrap();
        true
    })
    .await;
    let house = Arc::new(House::before(Fake::start().await, &hasty, &[]).await);
    let mut clients = JoinSet::new();
    for _ in 0..16 {
        let house = house.clone();
        clients.spawn(async move {
            for _ in 0..250 {
                let refused = house.client.post("/whole", "{}").await;
                assert_eq!((refused.status, refused.reason().as_str()), (401, "UNAUTHENTICATED"));
            }
        });
    }
    clients.join_all().await;
}

#[tokio::test]
async fn what_was_provably_not_processed_is_retried_for_any_method() {
    let (refusing, seen) = breaking(|_, mut respond| {
        respond.send_reset(h2::Reason::REFUSED_STREAM);
        true
    })
    .await;
    let good = Fake::start().await;
    let urls = format!("{refusing}|{}", url(&good));
    let house = House::before(good, &urls, &[]).await;
    for _ in 0..20 {
        assert_eq!(house.client.post("/whole", "{}").await.status, 200);
    }
    assert!(seen.load(Ordering::SeqCst) >= 5);
    assert_eq!(house.fake.calls().len(), 20);
}

#[tokio::test]
async fn what_may_have_been_processed_is_retried_only_where_it_is_safe() {
    for (method, path, all_good) in [("GET", "/query", true), ("POST", "/whole", false)] {
        let (breaking, _) = breaking(|_, mut respond| {
            respond.send_reset(h2::Reason::INTERNAL_ERROR);
            true
        })
        .await;
        let good = Fake::start().await;
        let urls = format!("{breaking}|{}", url(&good));
        let house = House::before(good, &urls, &[]).await;
        let mut failed = 0;
        for _ in 0..20 {
            failed += usize::from(house.client.send(method, path, &[], "").await.status == 503);
        }
        assert_eq!(failed == 0, all_good, "{method}: {failed} failed");
    }
}

#[tokio::test]
async fn both_tries_share_the_deadline() {
    const HELD: Duration = Duration::from_millis(300);
    let (slow, _) = breaking(|_, mut respond| {
        tokio::spawn(async move {
            tokio::time::sleep(HELD).await;
            respond.send_reset(h2::Reason::REFUSED_STREAM);
        });
        true
    })
    .await;
    let good = Fake::start().await;
    let urls = format!("{slow}|{}", url(&good));
    let house = House::before(good, &urls, &[]).await;
    let mut left = Vec::new();
    while left.iter().all(|left| *left > 5_000_000 - HELD.as_micros()) {
        assert!(left.len() < 20, "no call was made twice: {left:?}");
        let timeout = [("grpc-timeout", "5S")];
        assert_eq!(house.client.send("GET", "/query", &timeout, "").await.status, 200);
        let sent = house.fake.call().headers["grpc-timeout"].to_str().unwrap().to_owned();
        left.push(sent.strip_suffix('u').unwrap().parse::<u128>().unwrap());
    }
}

#[tokio::test]
async fn a_stream_is_not_begun_again_once_a_message_has_come() {
    let (broken, seen) = breaking(|_, mut respond| {
        let response = http::Response::builder().header("content-type", "application/grpc");
        let mut body = respond.send_response(response.body(()).unwrap(), false).unwrap();
        body.send_data(bytes::Bytes::from_static(&[0, 0, 0, 0, 0]), false)
            .unwrap();
        tokio::spawn(async move {
            // The message must be on its way before the stream breaks.
            tokio::time::sleep(Duration::from_millis(100)).await;
            body.send_reset(h2::Reason::INTERNAL_ERROR);
        });
        true
    })
    .await;
    let house = House::before(Fake::start().await, &broken, &[]).await;
    let response = house.client.get("/watch").await;
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    let lines: Vec<_> = body.lines().map(crate::kit::json).collect();
    assert_eq!(response.status, 200);
    assert_eq!((lines.len(), &lines[1]["error"]["reason"]), (2, &"UNAVAILABLE".into()));
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_status_of_the_service_is_never_retried() {
    let house = House::start().await;
    house.fake.refuse(14, "busy");
    assert_eq!(house.client.get("/query").await.status, 503);
    assert_eq!(house.fake.calls().len(), 1);
}

#[tokio::test]
async fn a_connection_that_goes_away_is_replaced_without_a_failed_call() {
    let (leaving, seen) = breaking(|connection, mut respond| {
        let response = http::Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "0");
        let mut body = respond.send_response(response.body(()).unwrap(), false).unwrap();
        body.send_data(bytes::Bytes::from_static(&[0, 0, 0, 0, 0]), false)
            .unwrap();
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        body.send_trailers(trailers).unwrap();
        connection.graceful_shutdown();
        true
    })
    .await;
    let house = House::before(Fake::start().await, &leaving, &[]).await;
    for turn in 0..10 {
        let response = house.client.post("/whole", "{}").await;
        assert!(
            matches!(response.status, 200 | 502 | 503),
            "{turn}: {:?}",
            response.body
        );
    }
    assert!(seen.load(Ordering::SeqCst) >= 5);
}

#[tokio::test]
async fn a_service_that_takes_connections_and_says_nothing_is_not_called() {
    // Its kernel does what a hanging process's does.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let good = Fake::start().await;
    let urls = format!("http://{}|{}", silent.local_addr().unwrap(), url(&good));
    let house = House::before(good, &urls, &[]).await;
    for _ in 0..20 {
        let response = house
            .client
            .send("POST", "/whole", &[("grpc-timeout", "2S")], "{}")
            .await;
        assert_eq!(response.status, 200, "no call that is not safe to repeat goes there");
    }
}

/// Where a service hangs.
#[derive(Debug, Clone, Copy)]
enum Hangs {
    BeforeItAnswers,
    AfterTheHeaders,
}

/// Answers pings until its first call, and then nothing any more.
async fn hanging(place: Hangs) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(tcp).await.unwrap();
        let call = connection.accept().await;
        let _answer = call.filter(|_| matches!(place, Hangs::AfterTheHeaders)).map(|call| {
            let response = http::Response::builder().header("content-type", "application/grpc");
            call.unwrap().1.send_response(response.body(()).unwrap(), false)
        });
        // What there is to send is sent, and nothing is read.
        let once = |context: &mut std::task::Context<'_>| Poll::Ready(connection.poll_accept(context).is_ready());
        poll_fn(once).await;
        // Neither the connection nor the listener is looked at again, and both stay open.
        std::future::pending::<()>().await;
        drop(listener);
    });
    format!("http://{addr}")
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_and_its_safe_calls_go_elsewhere() {
    for place in [Hangs::BeforeItAnswers, Hangs::AfterTheHeaders] {
        let hanging = hanging(place).await;
        let good = Fake::start().await;
        let urls = format!("{hanging}|{}", url(&good));
        let house = House::before(good, &urls, &[]).await;
        for turn in 0..20 {
            assert_eq!(house.client.get("/query").await.status, 200, "{place:?} {turn}");
        }
        assert_eq!(house.fake.calls().len(), 20);
    }
}

/// Hangs up on so many clients, then serves.
async fn late(fake: &Fake, clients: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, behind) = (listener.local_addr().unwrap(), fake.addr);
    tokio::spawn(async move {
        for _ in 0..clients {
            drop(listener.accept().await.unwrap());
        }
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut inner = TcpStream::connect(behind).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut tcp, &mut inner).await;
            });
        }
    });
    format!("http://{addr}")
}

#[tokio::test]
async fn while_one_hangs_another_that_comes_back_is_found() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let good = Fake::start().await;
    let urls = format!("http://{}|{}", silent.local_addr().unwrap(), late(&good, 8).await);
    let house = House::before(good, &urls, &[]).await;
    assert_eq!(house.client.post("/whole", "{}").await.status, 200);
}

#[tokio::test]
async fn a_service_that_was_restarted_is_connected_to_once() {
    let mut house = House::start().await;
    let addr = house.fake.addr;
    for round in 0..20 {
        // They hear of its end before the connection is seen to be over.
        house.fake.answer(|_| Answer::Hang);
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let client = house.client.clone();
            calls.spawn(async move { client.get("/query").await.status });
        }
        until(|| house.fake.under_way() == 20).await;
        std::mem::replace(&mut house.fake, Fake::start().await).kill().await;
        assert_eq!(calls.join_all().await, [503; 20]);
        house.fake = Fake::at(addr).await;
        while house.client.get("/query").await.status != 200 {}
        assert_eq!(house.client.get("/query").await.status, 200);
        assert_eq!(house.fake.connections(), 1, "{round}");
    }
}

#[tokio::test]
async fn when_all_of_a_service_hangs_the_caller_hears_so_soon() {
    let urls = format!(
        "{}|{}",
        hanging(Hangs::BeforeItAnswers).await,
        hanging(Hangs::BeforeItAnswers).await
    );
    let house = House::before(Fake::start().await, &urls, &[]).await;
    for turn in 0..3 {
        let began = Instant::now();
        let response = house.client.get("/query").await;
        assert_eq!(response.status, 503, "{turn}");
        // A second, and what a busy machine adds.
        assert!(
            began.elapsed() < Duration::from_millis(1_700),
            "{turn}: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn deadlines_are_kept_and_sent_on() {
    let house = House::start().await;
    house.client.get("/query").await;
    let default = house.fake.call().headers["grpc-timeout"].to_str().unwrap().to_owned();
    let micros: u64 = default.strip_suffix('u').unwrap().parse().unwrap();
    assert!((9_000_000..=10_000_000).contains(&micros), "{default}");

    house.fake.answer(|_| Answer::Hang);
    let began = Instant::now();
    let late = house
        .client
        .send("GET", "/query", &[("grpc-timeout", "200m")], "")
        .await;
    assert_eq!((late.status, late.reason().as_str()), (504, "DEADLINE_EXCEEDED"));
    assert!(began.elapsed() < Duration::from_secs(3));
    let timeout = house.fake.call().headers["grpc-timeout"].to_str().unwrap().to_owned();
    assert!(
        timeout.strip_suffix('u').unwrap().parse::<u64>().unwrap() <= 200_000,
        "{timeout}"
    );

    house.fake.answer(|_| Answer::Echo);
    for bad in ["", "5", "S", "123456789S", "1s", "-1S", "1.5S", " 1S"] {
        let response = house.client.send("GET", "/query", &[("grpc-timeout", bad)], "").await;
        assert_eq!(response.status, if bad == " 1S" { 200 } else { 400 }, "{bad:?}");
    }
    for good in ["99999999H", "1S", "1M", "500000u", "99999999n"] {
        assert_eq!(
            house
                .client
                .send("GET", "/query", &[("grpc-timeout", good)], "")
                .await
                .status,
            200,
            "{good}"
        );
    }
}

#[tokio::test]
async fn only_allowed_headers_go_up() {
    let house = House::start().await;
    let headers = [
        ("authorization", "Bearer a"),
        ("authorization", "Bearer b"),
        ("accept-language", "de"),
        ("user-agent", "me/1"),
        ("x-request-id", "r-1"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-user-id", "root"),
        ("x-forwarded-for", "6.6.6.6"),
        ("cookie", "a=b"),
        ("grpc-metadata-x", "y"),
        ("grpc-encoding", "gzip"),
    ];
    let response = house.client.send("GET", "/query", &headers, "").await;
    let up = house.fake.call().headers;
    let all: Vec<_> = up
        .get_all("authorization")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(all, ["Bearer a", "Bearer b"]);
    assert_eq!(
        (&up["accept-language"], &up["user-agent"], &up["x-request-id"]),
        (
            &"de".parse().unwrap(),
            &"me/1".parse().unwrap(),
            &"r-1".parse().unwrap()
        )
    );
    assert!(
        up["traceparent"]
            .to_str()
            .unwrap()
            .starts_with("00-0af7651916cd43dd8448eb211c80319c-")
    );
    assert_eq!(up["x-forwarded-for"], "127.0.0.1");
    for absent in ["x-user-id", "cookie", "grpc-metadata-x", "grpc-encoding"] {
        assert!(!up.contains_key(absent), "{absent}");
    }
    assert_eq!(response.header("x-request-id"), Some("r-1"));

    let behind = House::with(&["--gateway-trusted-proxies", "127.0.0.0/8"]).await;
    behind
        .client
        .send("GET", "/query", &[("x-forwarded-for", "6.6.6.6, 203.0.113.9")], "")
        .await;
    assert_eq!(behind.fake.call().headers["x-forwarded-for"], "203.0.113.9");
}

/// Sends a request and hangs up at once.
async fn abort(client: &Client) {
    let mut tcp = tokio::net::TcpStream::connect(client.addr).await.unwrap();
    tcp.write_all(b"GET /query HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // A reset, not a farewell: as when a client's process dies.
    tcp.set_zero_linger().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_aborts_10_000_requests_does_not_disturb_its_neighbour() {
    let house = House::start().await;
    let aborted = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..20 {
        let (client, aborted) = (house.client.clone(), aborted.clone());
        clients.spawn(async move {
            for _ in 0..500 {
                abort(&client).await;
                aborted.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let mut calls = 0;
    while aborted.load(Ordering::Relaxed) < 10_000 {
        let response = house.client.post("/whole", r#"{"text": "neighbour"}"#).await;
        assert_eq!(response.status, 200, "after {calls} calls: {:?}", response.body);
        calls += 1;
    }
    clients.join_all().await;
    assert!(calls > 20, "{calls}");
    until(|| house.fake.under_way() == 0).await;
}

#[tokio::test]
async fn abandoned_calls_end_by_their_deadline() {
    let house = House::start().await;
    house.fake.answer(|_| Answer::Hang);
    for _ in 0..50 {
        let mut tcp = tokio::net::TcpStream::connect(house.client.addr).await.unwrap();
        tcp.write_all(b"GET /query HTTP/1.1\r\nhost: x\r\ngrpc-timeout: 300m\r\n\r\n")
            .await
            .unwrap();
        until(|| house.fake.under_way() > 0).await;
        drop(tcp);
    }
    until(|| house.fake.under_way() == 0).await;
}
