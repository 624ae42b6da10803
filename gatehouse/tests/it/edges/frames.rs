//! HTTP/2 frames made by hand (RFC 9113), and connections that send them.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RESET: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The preface of a client, and its empty SETTINGS.
pub fn opening() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

/// A field that is neither in a table nor goes into one (RFC 7541, section 6.2.2).
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// The field block of a request that every listener takes.
pub fn request() -> Vec<u8> {
    [
        field(":method", "POST"),
        field(":scheme", "http"),
        field(":path", "/grpc.health.v1.Health/Check"),
        field(":authority", "x"),
        field("content-type", "application/grpc"),
    ]
    .concat()
}

/// Sends the opening and then one piece after the other, reading whatever comes, until the server hangs up; how many
/// bytes that were. `None` when it goes on for longer than `most`.
pub async fn flood(addr: SocketAddr, pieces: impl Iterator<Item = Vec<u8>>, most: Duration) -> Option<usize> {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.write_all(&opening()).await.unwrap();
    let (mut reader, mut writer) = tcp.into_split();
    let sending = async {
        let mut sent = 0;
        for piece in pieces {
            if writer.write_all(&piece).await.is_err() {
                break;
            }
            sent += piece.len();
        }
        sent
    };
    let reading = async {
        // A reset is an end as good as any.
        while matches!(reader.read(&mut [0; 16 << 10]).await, Ok(1..)) {}
    };
    let ended = tokio::time::timeout(most, async { tokio::join!(sending, reading) }).await;
    ended.ok().map(|(sent, ())| sent)
}

/// Opens a connection and does nothing until the server says goodbye; its code.
pub async fn goodbye(addr: SocketAddr, most: Duration) -> Option<u32> {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.write_all(&opening()).await.unwrap();
    let mut all = Vec::new();
    let reading = async { while goaway(&all).is_none() && matches!(tcp.read_buf(&mut all).await, Ok(1..)) {} };
    tokio::time::timeout(most, reading).await.ok()?;
    goaway(&all)
}

/// The error code of the first GOAWAY among frames.
fn goaway(mut bytes: &[u8]) -> Option<u32> {
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        if *kind == GOAWAY {
            return Some(u32::from_be_bytes(rest.get(4..8)?.try_into().unwrap()));
        }
        bytes = rest.get(length..)?;
    }
    None
}
