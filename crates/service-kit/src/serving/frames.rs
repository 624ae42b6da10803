//! Counting the frames of HTTP/2 that make work and carry none.
//!
//! `h2` bounds resets, CONTINUATIONs and empty DATA. It answers SETTINGS and PINGs as long as somebody sends them and
//! reads the answers.

use std::time::Duration;

use tokio::time::Instant;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEADER: usize = 9;

/// DATA, HEADERS, RST_STREAM, WINDOW_UPDATE and CONTINUATION belong to requests.
const CARRY_REQUESTS: [u8; 5] = [0, 1, 3, 8, 9];

/// The one that begins a request.
const HEADERS: u8 = 1;

/// So many of the others are taken in so long a time without a request in between. Busy clients send one with nearly
/// every answer, to measure the way.
const OTHERS: u32 = 1_000;
const WINDOW: Duration = Duration::from_secs(10);

/// Follows the frames of one connection.
#[derive(Debug)]
pub(super) struct Frames {
    place: Place,
    count: u32,
    since: Instant,
}

#[derive(Debug)]
enum Place {
    /// So many bytes of the preface are in.
    Preface(usize),
    /// In the header of a frame, with so many bytes of it.
    Header([u8; FRAME_HEADER], usize),
    /// So many bytes are left of a frame.
    Payload(usize),
    /// This is not HTTP/2.
    Other,
}

impl Frames {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            place: Place::Preface(0),
            count: 0,
            since: now,
        }
    }

    /// Takes note of bytes that came in. Whether the client may go on.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((first, rest)) = bytes.split_first() {
            match &mut self.place {
                Place::Other => return true,
                Place::Preface(seen) if PREFACE.get(*seen) != Some(first) => self.place = Place::Other,
                Place::Preface(seen) => {
                    *seen += 1;
                    if *seen == PREFACE.len() {
                        self.place = Place::Header([0; FRAME_HEADER], 0);
                    }
                    bytes = rest;
                }
                Place::Payload(left) => {
                    let here = bytes.len().min(*left);
                    *left -= here;
                    bytes = bytes.get(here..).unwrap_or_default();
                    if *left == 0 {
                        self.place = Place::Header([0; FRAME_HEADER], 0);
                    }
                }
                Place::Header(header, seen) => {
                    if let Some(byte) = header.get_mut(*seen) {
                        *byte = *first;
                    }
                    *seen += 1;
                    bytes = rest;
                    if *seen == FRAME_HEADER {
                        let [a, b, c, kind, ..] = *header;
                        self.place = match u32::from_be_bytes([0, a, b, c]) as usize {
                            0 => Place::Header([0; FRAME_HEADER], 0),
                            length => Place::Payload(length),
                        };
                        if !self.may_come(kind) {
                            return false;
                        }
                    }
                }
            }
        }
        true
    }

    fn may_come(&mut self, kind: u8) -> bool {
        if kind == HEADERS {
            self.count = 0;
        }
        if CARRY_REQUESTS.contains(&kind) {
            return true;
        }
        let now = Instant::now();
        if now.duration_since(self.since) > WINDOW {
            (self.count, self.since) = (0, now);
        }
        self.count += 1;
        self.count <= OTHERS
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, advance};

    use super::{Frames, HEADERS, OTHERS, PREFACE, WINDOW};

    const PING: u8 = 6;

    fn frames(kind: u8, payload: usize, count: u32) -> Vec<u8> {
        let length = u8::try_from(payload).unwrap();
        let one = [&[0, 0, length, kind, 0, 0, 0, 0, 1][..], &vec![0; payload]].concat();
        one.repeat(count as usize)
    }

    fn opened() -> Frames {
        let mut frames = Frames::new(Instant::now());
        assert!(frames.take(PREFACE));
        frames
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_noticed_however_it_is_cut_into_pieces() {
        for piece in [1, 7, 9, 17, 4_096, 1 << 20] {
            let mut followed = opened();
            let good = frames(PING, 8, OTHERS);
            assert!(good.chunks(piece).all(|piece| followed.take(piece)), "{piece}");
            assert!(
                !frames(PING, 8, 1).chunks(piece).all(|piece| followed.take(piece)),
                "{piece}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_no_flood_and_neither_are_pings_over_time() {
        let mut followed = opened();
        assert!(followed.take(&frames(HEADERS, 30, 3 * OTHERS)));
        for _ in 0..3 {
            assert!(followed.take(&frames(PING, 8, OTHERS)));
            advance(2 * WINDOW).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_client_may_measure_the_way_with_each_request() {
        let mut followed = opened();
        for _ in 0..OTHERS {
            assert!(followed.take(&frames(HEADERS, 30, 1)));
            assert!(followed.take(&frames(PING, 8, 2)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_http2_is_let_through() {
        let mut followed = Frames::new(Instant::now());
        assert!(followed.take(b"PRI"));
        assert!(followed.take(&frames(PING, 8, 3 * OTHERS)));
    }
}
