//! Forged, altered, stale and odd tokens, each with the exact answer it has to get.
//!
//! The table is built for a [`TokenMint`] whose key the tested service trusts, so it can be played against a verifier,
//! over gRPC and over REST alike.

mod claims;
mod forms;
mod headers;
mod odd;
mod requests;
mod signatures;
mod staged;

use access_token::Claims;
use serde_json::{Map, Value, json};
use tonic::Code;

pub use odd::{Oddity, oddities};
pub use staged::{Staged, staged_attacks};

use crate::TokenMint;

/// A request that must be refused.
#[derive(Clone, Debug)]
pub struct Attack {
    /// What is wrong with it.
    pub name: String,
    /// The values of its Authorization headers.
    pub authorization: Vec<Vec<u8>>,
    /// The canonical code of the answer.
    pub code: Code,
    /// The reason in its ErrorInfo.
    pub reason: &'static str,
    /// The whole of its `www-authenticate`.
    pub www_authenticate: &'static str,
    /// Whether it is only refused by a clock that stands still at the table's `now`.
    pub exact_clock: bool,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug)]
struct Answer(Code, &'static str, &'static str);

const MISSING: Answer = Answer(Code::Unauthenticated, "TOKEN_MISSING", r#"Bearer realm="gatehouse""#);
const AMBIGUOUS: Answer = Answer(
    Code::InvalidArgument,
    "TOKEN_MALFORMED",
    r#"Bearer realm="gatehouse", error="invalid_request", error_description="more than one Authorization header""#,
);
const EMPTY: Answer = Answer(
    Code::InvalidArgument,
    "TOKEN_MALFORMED",
    r#"Bearer realm="gatehouse", error="invalid_request", error_description="the token is empty""#,
);
const MALFORMED: Answer = Answer(
    Code::Unauthenticated,
    "TOKEN_MALFORMED",
    r#"Bearer realm="gatehouse", error="invalid_token", error_description="the token is malformed""#,
);
const INVALID: Answer = Answer(
    Code::Unauthenticated,
    "TOKEN_INVALID",
    r#"Bearer realm="gatehouse", error="invalid_token", error_description="the token is not valid""#,
);
const EXPIRED: Answer = Answer(
    Code::Unauthenticated,
    "TOKEN_EXPIRED",
    r#"Bearer realm="gatehouse", error="invalid_token", error_description="the token has expired""#,
);
const REVOKED: Answer = Answer(
    Code::Unauthenticated,
    "TOKEN_REVOKED",
    r#"Bearer realm="gatehouse", error="invalid_token", error_description="the token was revoked""#,
);

impl Attack {
    fn raw(name: impl Into<String>, authorization: Vec<Vec<u8>>, Answer(code, reason, challenge): Answer) -> Self {
        Self {
            name: name.into(),
            authorization,
            code,
            reason,
            www_authenticate: challenge,
            exact_clock: false,
        }
    }

    fn token(name: impl Into<String>, token: impl AsRef<[u8]>, answer: Answer) -> Self {
        Self::raw(name, vec![[b"Bearer ", token.as_ref()].concat()], answer)
    }

    fn exact(self) -> Self {
        Self {
            exact_clock: true,
            ..self
        }
    }

    /// Whether it arrives over HTTP/1.1 as it was sent: white space at the ends of a header's value is cut off there.
    pub fn survives_http1(&self) -> bool {
        self.authorization.iter().all(|value| value.trim_ascii() == value)
    }
}

/// All attacks that need no revocation, for a mint whose key is trusted, at a time (seconds since the epoch). `trap` is a
/// URL that tokens tell the verifier to fetch keys from: nothing may ever connect to it.
pub fn attacks(mint: &TokenMint, now: i64, trap: &str) -> Vec<Attack> {
    let bench = Bench { mint, now, trap };
    let mut attacks = requests::attacks(&bench);
    attacks.extend(forms::attacks(&bench));
    attacks.extend(headers::attacks(&bench));
    attacks.extend(signatures::attacks(&bench));
    attacks.extend(claims::attacks(&bench));
    attacks
}

/// What attacks are made of.
struct Bench<'a> {
    mint: &'a TokenMint,
    now: i64,
    trap: &'a str,
}

impl Bench<'_> {
    fn claims(&self) -> Claims {
        self.mint.claims(self.now)
    }

    fn good(&self) -> String {
        self.mint.sign(&self.claims())
    }

    /// A good header, as JSON.
    fn header(&self) -> Map<String, Value> {
        object(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.mint.key.kid()}))
    }

    /// Good claims, as JSON.
    fn payload(&self) -> Map<String, Value> {
        object(serde_json::to_value(self.claims()).expect("claims are JSON"))
    }

    /// A token whose header has some members replaced, or taken away by null; signed by the mint's key.
    fn with_header(&self, changes: Value) -> String {
        let header = changed(self.header(), changes);
        self.mint
            .raw(header.to_string(), Value::Object(self.payload()).to_string())
    }

    /// A token whose claims have some members replaced, or taken away by null; signed by the mint's key.
    fn with_payload(&self, changes: Value) -> String {
        let payload = changed(self.payload(), changes);
        self.mint
            .raw(Value::Object(self.header()).to_string(), payload.to_string())
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn changed(mut members: Map<String, Value>, changes: Value) -> Value {
    for (name, value) in object(changes) {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    Value::Object(members)
}
