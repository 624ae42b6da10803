use serde_json::json;

use super::Bench;
use crate::TokenMint;

/// A request that looks odd and must be let through.
#[derive(Clone, Debug)]
pub struct Oddity {
    /// What is odd about it.
    pub name: &'static str,
    /// The value of its Authorization header.
    pub authorization: String,
    /// Whether it is only let through by a clock that stands still at the table's `now`.
    pub exact_clock: bool,
}

/// Odd but good requests. `trap` is a URL that nothing may ever connect to.
pub fn oddities(mint: &TokenMint, now: i64, trap: &str) -> Vec<Oddity> {
    let bench = Bench { mint, now, trap };
    let day = 24 * 3600;
    let header = |changes| format!("Bearer {}", bench.with_header(changes));
    let payload = |changes| format!("Bearer {}", bench.with_payload(changes));
    let row = |name, authorization| Oddity {
        name,
        authorization,
        exact_clock: false,
    };
    let exact = |name, authorization| Oddity {
        exact_clock: true,
        ..row(name, authorization)
    };
    vec![
        row("the scheme in small letters", format!("bearer {}", bench.good())),
        row("the scheme in capitals", format!("BEARER {}", bench.good())),
        row("three spaces after the scheme", format!("Bearer   {}", bench.good())),
        row(
            "the long form of the type",
            header(json!({"typ": "application/at+jwt"})),
        ),
        row(
            "a jku, an x5u and a jwk that nobody reads",
            header(json!({"jku": trap, "x5u": trap, "jwk": {"kty": "oct"}})),
        ),
        row(
            "header members that nobody knows",
            header(json!({"x": [1, {"y": null}]})),
        ),
        row(
            "claims that nobody knows",
            payload(json!({"scope": "all", "email": "x", "roles": ["root"]})),
        ),
        row("an nbf in the past", payload(json!({"nbf": now - 10}))),
        row("generation 0", payload(json!({"gen": 0}))),
        row("the highest generation", payload(json!({"gen": i64::MAX}))),
        exact(
            "a second before its exp",
            payload(json!({"iat": now - 3599, "exp": now + 1})),
        ),
        row("a life of a whole day", payload(json!({"iat": now, "exp": now + day}))),
        row(
            "issued 60 seconds ahead",
            payload(json!({"iat": now + 60, "exp": now + 3600})),
        ),
        row("good from 60 seconds ahead", payload(json!({"nbf": now + 60}))),
    ]
}
