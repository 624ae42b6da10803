use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderMap, header::AUTHORIZATION};
use subtle::{Choice, ConstantTimeEq};

use super::Refusal;

/// The bearer token of a request (RFC 6750 section 2.1), whatever it may be worth.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::Missing)?.as_bytes();
    if values.next().is_some() {
        return Err(Refusal::Ambiguous);
    }
    let scheme = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(scheme);
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Refusal::Missing);
    }
    let token = rest
        .iter()
        .position(|byte| *byte != b' ')
        .map_or(&[][..], |start| &rest[start..]);
    if token.is_empty() {
        Err(Refusal::Empty)
    } else {
        Ok(token)
    }
}

/// The tokens by which services know each other. Only their digests are kept, and they are never printed.
#[derive(Clone, Default)]
pub struct ServiceTokens(Vec<[u8; 32]>);

impl ServiceTokens {
    /// Accepts these tokens. Empty ones are left out: nothing opens nothing.
    pub fn new<T: AsRef<[u8]>>(tokens: impl IntoIterator<Item = T>) -> Self {
        let held = tokens.into_iter().filter(|token| !token.as_ref().is_empty());
        Self(held.map(|token| sha256(token.as_ref())).collect())
    }

    /// Whether this is one of them. The time it takes tells nothing about how much of it is right.
    pub fn accept(&self, token: &[u8]) -> bool {
        let shown = sha256(token);
        let found = self
            .0
            .iter()
            .fold(Choice::from(0), |found, held| found | held.ct_eq(&shown));
        found.into()
    }
}

impl fmt::Debug for ServiceTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ServiceTokens({} redacted)", self.0.len())
    }
}

fn sha256(token: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token).as_ref());
    bytes
}
