//! Keyset pages: sizes and tokens (AIP-158).
//!
//! A token says where a page begins. It is opaque, carries a checksum over the position and the query that it belongs
//! to, and needs no shared key: it grants nothing that the query itself would not.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// What `page_size` 0 means.
pub const DEFAULT_SIZE: u32 = 50;
/// The most that one page holds.
pub const MAX_SIZE: u32 = 1_000;

const CHECKSUM: usize = 12;
const INT: u8 = b'i';
const TEXT: u8 = b't';

/// The page size that a request asks for: 0 is 50, above 1,000 is 1,000.
///
/// # Errors
/// What to say of a negative one.
pub fn size(requested: i32) -> Result<u32, &'static str> {
    match u32::try_from(requested) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MAX_SIZE)),
        Err(_) => Err("must be 0 (for 50) or more"),
    }
}

/// Which way a page lies from its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The page begins after the position.
    Forward,
    /// The page ends before the position.
    Backward,
}

/// One part of a sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A number, such as microseconds since the epoch.
    Int(i64),
    /// A text, such as a name.
    Text(String),
}

/// The sort key at the edge of a page, and where the page lies from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Before or after.
    pub direction: Direction,
    /// The sort key.
    pub key: Vec<Part>,
}

/// A token that is damaged or belongs to another query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is damaged or belongs to another query; leave it out to begin with the first page")]
pub struct InvalidToken;

impl Position {
    /// The token of this position in a query. `query` is everything that the token must be used with again: the order
    /// and the filters, not the page size.
    pub fn to_token(&self, query: &[&str]) -> String {
        let mut bytes = vec![match self.direction {
            Direction::Forward => b'f',
            Direction::Backward => b'b',
        }];
        for part in &self.key {
            match part {
                Part::Int(int) => put(&mut bytes, INT, &int.to_be_bytes()),
                Part::Text(text) => put(&mut bytes, TEXT, text.as_bytes()),
            }
        }
        let checksum = checksum(query, &bytes);
        bytes.extend_from_slice(&checksum);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token back for the same query.
    ///
    /// # Errors
    /// When it is damaged or was made for another query.
    pub fn from_token(token: &str, query: &[&str]) -> Result<Self, InvalidToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken)?;
        let at = bytes.len().checked_sub(CHECKSUM).ok_or(InvalidToken)?;
        let (body, sum) = bytes.split_at(at);
        if checksum(query, body) != sum {
            return Err(InvalidToken);
        }
        let (first, mut rest) = body.split_first().ok_or(InvalidToken)?;
        let direction = match first {
            b'f' => Direction::Forward,
            b'b' => Direction::Backward,
            _ => return Err(InvalidToken),
        };
        let mut key = Vec::new();
        while !rest.is_empty() {
            let (part, after) = get(rest).ok_or(InvalidToken)?;
            key.push(part);
            rest = after;
        }
        Ok(Self { direction, key })
    }
}

fn put(bytes: &mut Vec<u8>, tag: u8, content: &[u8]) {
    bytes.push(tag);
    bytes.extend_from_slice(&(content.len() as u32).to_be_bytes());
    bytes.extend_from_slice(content);
}

fn get(bytes: &[u8]) -> Option<(Part, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (content, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let part = match *tag {
        INT => Part::Int(i64::from_be_bytes(content.try_into().ok()?)),
        TEXT => Part::Text(String::from_utf8(content.to_vec()).ok()?),
        _ => return None,
    };
    Some((part, rest))
}

fn checksum(query: &[&str], body: &[u8]) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in query {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(&u64::MAX.to_be_bytes());
    hash.update(body);
    hash.finish().as_ref()[..CHECKSUM].to_vec()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::{
        prelude::{Rng, RngExt},
        test_runner::{RngAlgorithm, TestRng},
    };

    use super::{Direction, InvalidToken, Part, Position, checksum, size};

    fn position() -> Position {
        Position {
            direction: Direction::Backward,
            key: vec![Part::Int(-7), Part::Text("sprocket-9".into())],
        }
    }

    #[test]
    fn a_token_comes_back_as_it_went() {
        let token = position().to_token(&["name desc", "spr"]);

        assert_eq!(Position::from_token(&token, &["name desc", "spr"]), Ok(position()));
    }

    #[test]
    fn a_token_is_refused_with_another_query() {
        let token = position().to_token(&["name desc", "spr"]);

        for query in [
            &["name", "spr"] as &[&str],
            &["name desc", "sp"],
            &["name desc"],
            &["name descspr", ""],
        ] {
            assert_eq!(Position::from_token(&token, query), Err(InvalidToken));
        }
    }

    #[test]
    fn every_damage_to_a_token_is_noticed() {
        let token = position().to_token(&[]);

        for at in 0..token.len() {
            let mut damaged = token.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert_eq!(Position::from_token(&damaged, &[]), Err(InvalidToken), "{damaged}");
            assert_eq!(Position::from_token(&token[..at], &[]), Err(InvalidToken));
        }
    }

    #[test]
    fn sizes_have_a_default_and_a_cap() {
        assert_eq!(
            [size(0), size(1), size(1_000), size(1_001)],
            [Ok(50), Ok(1), Ok(1_000), Ok(1_000)]
        );
        assert!(size(-1).is_err());
    }

    const CASES: usize = 100_000;

    fn rng() -> TestRng {
        TestRng::deterministic_rng(RngAlgorithm::ChaCha)
    }

    fn bytes(rng: &mut TestRng, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; rng.random_range(0..=most)];
        rng.fill_bytes(&mut bytes);
        bytes
    }

    fn any_position(rng: &mut TestRng) -> Position {
        let direction = [Direction::Forward, Direction::Backward][rng.random_range(0..2)];
        let parts = rng.random_range(0..4);
        let part = |_| match rng.random_range(0..2) {
            0 => Part::Int(rng.random()),
            _ => Part::Text(String::from_utf8_lossy(&bytes(rng, 12)).into_owned()),
        };
        let key = (0..parts).map(part).collect();
        Position { direction, key }
    }

    #[test]
    fn any_position_comes_back_and_a_damaged_token_never_does() {
        let mut rng = rng();
        for _ in 0..CASES {
            let position = any_position(&mut rng);
            let token = position.to_token(&["q"]);
            assert_eq!(Position::from_token(&token, &["q"]), Ok(position));

            let mut damaged = token.clone().into_bytes();
            let at = rng.random_range(0..damaged.len());
            let end = rng.random_range(at..=damaged.len());
            damaged.splice(at..end, bytes(&mut rng, 3));
            if let Ok(damaged) = String::from_utf8(damaged)
                && damaged != token
            {
                assert_eq!(Position::from_token(&damaged, &["q"]), Err(InvalidToken), "{damaged}");
            }
        }
    }

    /// Behind a good checksum, as somebody could make one who knows how: it needs no key.
    #[test]
    fn any_bytes_are_read_or_refused_and_read_in_one_way_only() {
        let mut rng = rng();
        let mut read = 0;
        for _ in 0..CASES {
            let mut body = bytes(&mut rng, 30);
            for byte in &mut body {
                *byte = match rng.random_range(0..3) {
                    0 => [b'f', b'b', b'i', b't'][rng.random_range(0..4)],
                    1 => rng.random_range(0..9),
                    _ => *byte,
                };
            }
            let sealed = URL_SAFE_NO_PAD.encode([&*body, &checksum(&["q"], &body)].concat());
            if let Ok(position) = Position::from_token(&sealed, &["q"]) {
                read += 1;
                assert_eq!(position.to_token(&["q"]), sealed);
            }
        }
        assert!(read > 100, "{read} were read");
    }
}
