//! Clients that take their time.

use std::{
    iter::{empty, repeat},
    net::SocketAddr,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, interval, timeout},
};

use super::{
    frames::{END_HEADERS, HEADERS, frame, opening, request},
    others::{Others, served},
};
use crate::house::TestHouse;

/// So short that a test need not wait, and long enough for a busy machine.
const SHORT: &str = "1s";

/// Sends what a client begins with and then the bytes one by one, until the server hangs up; how long it took.
async fn dribble(addr: SocketAddr, begin: Vec<u8>, bytes: impl Iterator<Item = u8>) -> Duration {
    let began = Instant::now();
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.write_all(&begin).await.unwrap();
    let (mut reader, mut writer) = tcp.into_split();
    let writing = async {
        let mut beats = interval(Duration::from_millis(100));
        for byte in bytes {
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
            beats.tick().await;
        }
        std::future::pending().await
    };
    let reading = async { while matches!(reader.read(&mut [0; 1_024]).await, Ok(1..)) {} };
    let ended = timeout(Duration::from_secs(20), async {
        tokio::select! { () = writing => {}, () = reading => {} }
    });
    ended.await.unwrap_or_else(|_| panic!("{begin:?} goes on and on"));
    began.elapsed()
}

fn slow_beginnings() -> Vec<Vec<u8>> {
    let half = frame(HEADERS, END_HEADERS, 1, &request()).split_at(20).0.to_vec();
    vec![
        b"GET /api/v1/widgets HTTP/1.1\r\nhost:".to_vec(),
        b"PRI * HT".to_vec(),
        [opening(), half].concat(),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_headers_are_cut_in_time_while_64_others_are_served() {
    let house = TestHouse::with_flags(&["--gateway-header-timeout", SHORT]).await;
    let others = Others::of(&house).await;
    let clients = (0..64).map(|_| served(&others));
    let slow = slow_beginnings()
        .into_iter()
        .map(|begin| dribble(house.rest, begin, repeat(b'x')));
    let (took, _) = tokio::join!(
        futures_util::future::join_all(slow),
        futures_util::future::join_all(clients)
    );
    for took in took {
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

#[tokio::test]
async fn a_client_of_a_service_must_begin_in_time_and_may_then_be_idle() {
    let house = TestHouse::with_flags(&["--auth-header-timeout", SHORT]).await;
    let nothing = dribble(house.auth, Vec::new(), empty());
    let slowly = dribble(house.auth, Vec::new(), opening().into_iter());
    let (nothing, slowly) = tokio::join!(nothing, slowly);
    assert!(nothing.max(slowly) < Duration::from_secs(5), "{nothing:?} {slowly:?}");

    let mut idle = TcpStream::connect(house.auth).await.unwrap();
    idle.write_all(&opening()).await.unwrap();
    let waited = timeout(Duration::from_secs(3), async {
        while matches!(idle.read(&mut [0; 1_024]).await, Ok(1..)) {}
    });
    assert!(waited.await.is_err(), "an idle gRPC client was cut off");
}

#[tokio::test]
async fn a_slow_body_is_a_408() {
    let house = TestHouse::with_flags(&["--gateway-body-timeout", SHORT]).await;
    let mut tcp = TcpStream::connect(house.rest).await.unwrap();
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    tcp.write_all(head.as_bytes()).await.unwrap();

    let mut answer = [0; 12];
    let read = timeout(Duration::from_secs(10), tcp.read_exact(&mut answer));
    read.await.expect("an answer in time").unwrap();

    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn an_http1_connection_may_idle_for_longer_than_headers_may_take() {
    let house = TestHouse::with_flags(&["--gateway-header-timeout", SHORT, "--gateway-idle-timeout", "3s"]).await;
    let mut tcp = TcpStream::connect(house.rest).await.unwrap();
    let ask = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    tcp.write_all(ask).await.unwrap();
    let mut chunk = [0; 64 << 10];
    assert!(tcp.read(&mut chunk).await.unwrap() > 0);
    let idle = async { while matches!(tcp.read(&mut chunk).await, Ok(1..)) {} };
    let began = Instant::now();
    timeout(Duration::from_secs(15), idle)
        .await
        .expect("an idle connection is closed");
    let idled = began.elapsed();

    assert!(idled > Duration::from_secs(2), "cut after {idled:?}");
}

#[tokio::test]
async fn headers_after_the_first_request_are_cut_as_well() {
    let house = TestHouse::with_flags(&["--gateway-header-timeout", SHORT]).await;
    let begin = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\nGET /openapi.json HTTP/1.1\r\nhost:";
    assert!(dribble(house.rest, begin.to_vec(), repeat(b'x')).await < Duration::from_secs(5));
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut() {
    let house = TestHouse::with_flags(&["--gateway-write-timeout", SHORT]).await;
    let tcp = TcpStream::connect(house.rest).await.unwrap();
    let (reader, mut writer) = tcp.into_split();
    let ask = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(50);
    // As long as answers find room somewhere, questions are taken.
    let asking = async { while writer.write_all(&ask).await.is_ok() {} };
    timeout(Duration::from_secs(20), asking)
        .await
        .expect("the connection ends");
    drop(reader);
}
