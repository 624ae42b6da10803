use serde_json::{Value, json};

use super::{Attack, Bench, EXPIRED, INVALID};

/// Tokens of ours that say what none of ours would.
pub(super) fn attacks(bench: &Bench<'_>) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for claim in ["iss", "sub", "aud", "iat", "exp", "jti", "admin", "gen"] {
        let without = bench.with_payload(Value::Object([(claim.to_owned(), Value::Null)].into_iter().collect()));
        attacks.push(Attack::token(format!("no {claim}"), without, INVALID));
    }
    for (name, changes) in names(bench).into_iter().chain(ids(bench)).chain(numbers(bench)) {
        attacks.push(Attack::token(name, bench.with_payload(changes), INVALID));
    }
    attacks.extend(times(bench));
    attacks
}

type Row = (&'static str, Value);

fn names(bench: &Bench<'_>) -> Vec<Row> {
    vec![
        ("another issuer", json!({"iss": "https://elsewhere.example"})),
        (
            "our issuer with a slash",
            json!({"iss": format!("{}/", bench.mint.issuer)}),
        ),
        (
            "our issuer in capitals",
            json!({"iss": bench.mint.issuer.to_uppercase()}),
        ),
        ("an empty issuer", json!({"iss": ""})),
        ("a list of issuers", json!({"iss": [bench.mint.issuer]})),
        ("issuer 1", json!({"iss": 1})),
        ("another audience", json!({"aud": "elsewhere"})),
        ("an empty audience", json!({"aud": ""})),
        ("a list of audiences", json!({"aud": [bench.mint.audience]})),
        ("audience true", json!({"aud": true})),
        ("admin is text", json!({"admin": "true"})),
        ("admin is 1", json!({"admin": 1})),
        ("admin is a list", json!({"admin": [true]})),
    ]
}

fn ids(bench: &Bench<'_>) -> Vec<Row> {
    let id = bench.claims().user_id;
    vec![
        ("a sub that is an address", json!({"sub": "ada@example.com"})),
        ("a sub that is a number", json!({"sub": 1})),
        ("an empty sub", json!({"sub": ""})),
        (
            "a sub in capitals",
            json!({"sub": "A0B1C2D3-0000-4000-8000-0000000000AF"}),
        ),
        ("a sub in braces", json!({"sub": format!("{{{id}}}")})),
        ("a sub without hyphens", json!({"sub": id.simple().to_string()})),
        ("a jti that is no UUID", json!({"jti": "1"})),
        ("a jti that is a number", json!({"jti": 1})),
        ("a jti that is a URN", json!({"jti": id.urn().to_string()})),
        ("a jti with a space", json!({"jti": format!("{id} ")})),
    ]
}

fn numbers(bench: &Bench<'_>) -> Vec<Row> {
    let (now, later) = (bench.now, bench.now + 3600);
    vec![
        ("iat is text", json!({"iat": now.to_string()})),
        ("iat has a fraction", json!({"iat": now as f64 + 0.5})),
        ("iat is before 1970", json!({"iat": -1, "exp": later})),
        ("iat is a list", json!({"iat": [now]})),
        ("exp is text", json!({"exp": later.to_string()})),
        ("exp has a fraction", json!({"exp": later as f64 + 0.5})),
        ("exp is written as a float", json!({"exp": later as f64})),
        ("exp is the highest number", json!({"exp": i64::MAX})),
        ("exp is beyond the highest number", json!({"exp": u64::MAX})),
        ("exp is true", json!({"exp": true})),
        ("nbf is text", json!({"nbf": now.to_string()})),
        ("nbf is negative", json!({"nbf": -1})),
        ("gen is text", json!({"gen": "1"})),
        ("gen is negative", json!({"gen": -1})),
        ("gen has a fraction", json!({"gen": 1.5})),
        ("gen is beyond the highest number", json!({"gen": u64::MAX})),
    ]
}

fn times(bench: &Bench<'_>) -> Vec<Attack> {
    let now = bench.now;
    let day = 24 * 3600;
    let row = |name: &str, changes, answer| Attack::token(name, bench.with_payload(changes), answer);
    vec![
        row("at its exp", json!({"iat": now - 3600, "exp": now}), EXPIRED),
        row(
            "a second after its exp",
            json!({"iat": now - 3600, "exp": now - 1}),
            EXPIRED,
        ),
        row(
            "a day after its exp",
            json!({"iat": now - 2 * day, "exp": now - day}),
            EXPIRED,
        ),
        row(
            "a life of a day and a second",
            json!({"iat": now, "exp": now + day + 1}),
            INVALID,
        ),
        row(
            "a life of ten years",
            json!({"iat": now, "exp": now + 3650 * day}),
            INVALID,
        ),
        row(
            "a life that ends where it begins",
            json!({"iat": now + 30, "exp": now + 30}),
            INVALID,
        )
        .exact(),
        row(
            "a life that ends before it begins",
            json!({"iat": now + 50, "exp": now + 40}),
            INVALID,
        )
        .exact(),
        row(
            "issued 61 seconds ahead",
            json!({"iat": now + 61, "exp": now + 3600}),
            INVALID,
        )
        .exact(),
        row(
            "issued an hour ahead",
            json!({"iat": now + 3600, "exp": now + 7200}),
            INVALID,
        ),
        row("good from 61 seconds ahead", json!({"nbf": now + 61}), INVALID).exact(),
        row("good from half an hour ahead", json!({"nbf": now + 1800}), INVALID),
    ]
}
