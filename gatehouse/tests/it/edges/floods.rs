//! Floods of HTTP/2 frames: each ends its own connection, and nobody else notices.

use std::{net::SocketAddr, time::Duration};

use super::{
    frames::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RESET, SETTINGS, WINDOW_UPDATE, flood,
        frame, request,
    },
    others::{Others, served},
};
use crate::house::TestHouse;

/// How long a flood may go on.
const MOST: Duration = Duration::from_secs(30);

type Pieces = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// Frames without end, some hundred in a piece.
fn endless(one: Vec<u8>) -> Pieces {
    Box::new(std::iter::repeat(one.repeat(200)))
}

/// For each stream of a client in turn.
fn each_stream(frames: impl Fn(u32) -> Vec<u8> + Send + 'static) -> Pieces {
    let piece = move |first: u32| (0..100).flat_map(|n| frames(first + 2 * n)).collect();
    Box::new((0..10_000_u32).map(|n| 1 + 200 * n).map(piece))
}

fn floods() -> Vec<(&'static str, Pieces)> {
    let continued = frame(HEADERS, END_STREAM, 1, &request());
    let more = frame(CONTINUATION, 0, 1, &super::frames::field("x", &"y".repeat(100)));
    let empty = frame(HEADERS, END_STREAM, 1, &request());
    let opened = frame(HEADERS, END_HEADERS, 1, &request());
    vec![
        ("SETTINGS", endless(frame(SETTINGS, 0, 0, &[]))),
        ("PING", endless(frame(PING, 0, 0, &[7; 8]))),
        ("PRIORITY", endless(frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]))),
        ("unknown frames", endless(frame(0xfa, 0, 0, &[]))),
        (
            "rapid reset",
            each_stream(|stream| {
                let asked = frame(HEADERS, END_HEADERS | END_STREAM, stream, &request());
                [asked, frame(RESET, 0, stream, &8_u32.to_be_bytes())].concat()
            }),
        ),
        (
            "resets that the server must make",
            each_stream(|stream| {
                let asked = frame(HEADERS, END_HEADERS, stream, &request());
                // More than a window may hold is a mistake of the stream, not of the connection.
                [asked, frame(WINDOW_UPDATE, 0, stream, &0x7fff_ffff_u32.to_be_bytes())].concat()
            }),
        ),
        (
            "CONTINUATION",
            Box::new(std::iter::once(continued).chain(endless(more))),
        ),
        (
            "empty CONTINUATION",
            Box::new(std::iter::once(empty).chain(endless(frame(CONTINUATION, 0, 1, &[])))),
        ),
        (
            "empty DATA",
            Box::new(std::iter::once(opened).chain(endless(frame(DATA, 0, 1, &[])))),
        ),
    ]
}

async fn every_flood_ends_at(addr: SocketAddr, others: &Others) {
    for (name, pieces) in floods() {
        let (ended, ()) = tokio::join!(flood(addr, pieces, MOST), served(others));
        assert!(ended.is_some(), "{name} goes on and on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_end_their_connection_to_the_gateway_and_nothing_else() {
    let house = TestHouse::start().await;
    every_flood_ends_at(house.rest, &Others::of(&house).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_end_their_connection_to_a_service_and_nothing_else() {
    let house = TestHouse::start().await;
    every_flood_ends_at(house.auth, &Others::of(&house).await).await;
}
