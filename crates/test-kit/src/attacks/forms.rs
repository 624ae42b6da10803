use access_token::Claims;
use serde_json::{Value, json};

use super::{Attack, Bench, MALFORMED};

/// Tokens that are no JWS in compact form, or hold no JSON objects with unique names.
pub(super) fn attacks(bench: &Bench<'_>) -> Vec<Attack> {
    let mut rows = parts(bench);
    rows.extend(long(bench));
    rows.extend(header_text(bench));
    rows.extend(payload_text(bench));
    rows.into_iter()
        .map(|(name, token)| Attack::token(name, token, MALFORMED))
        .collect()
}

type Row = (&'static str, Vec<u8>);

fn parts(bench: &Bench<'_>) -> Vec<Row> {
    let token = bench.good();
    let (signed, signature) = token.rsplit_once('.').expect("a token has dots");
    let (header, payload) = signed.split_once('.').expect("a token has dots");
    let text = |text: String| text.into_bytes();
    vec![
        ("one word", text("garbage".to_owned())),
        ("two parts", text(signed.to_owned())),
        ("four parts", text(format!("{token}.{signature}"))),
        (
            "five parts, like a JWE",
            text(format!("{header}..{payload}.{signature}.{signature}")),
        ),
        ("dots alone", text("..".to_owned())),
        ("an empty header", text(format!(".{payload}.{signature}"))),
        ("a dot at the front", text(format!(".{token}"))),
        ("a dot at the end", text(format!("{token}."))),
        ("a padded header", text(format!("{header}=.{payload}.{signature}"))),
        ("a padded payload", text(format!("{header}.{payload}==.{signature}"))),
        ("a padded signature", text(format!("{token}=="))),
        ("a space before the signature", text(format!("{signed}. {signature}"))),
        ("a space at the end", text(format!("{token} "))),
        ("a tab at the end", text(format!("{token}\t"))),
        (
            "the alphabet of plain base64",
            text(format!("{signed}.{}+/", &signature[..84])),
        ),
        ("loose bits at the end", text(format!("{}B", &token[..token.len() - 1]))),
        ("a percent sign", text(token.replacen('.', "%2E", 1))),
        ("quotes around it", text(format!("\"{token}\""))),
        ("two tokens and a comma", text(format!("{token}, Bearer {token}"))),
        ("a byte that is no ASCII", [token.as_bytes(), b"\xff"].concat()),
        ("letters beyond ASCII", text(format!("{signed}.\u{e9}{signature}"))),
        (
            "JSON instead of base64",
            text(r#"{"alg":"none"}.{"sub":"x"}."#.to_owned()),
        ),
    ]
}

/// Tokens past 4 KiB, with good signatures.
fn long(bench: &Bench<'_>) -> Vec<Row> {
    let padded = |length: usize| {
        let claims = bench.with_payload(json!({"pad": "x".repeat(length)}));
        claims.into_bytes()
    };
    let just_over = (2000..4000).map(padded).find(|token| token.len() > 4096);
    vec![
        ("just over 4 KiB", just_over.expect("some padding is enough")),
        ("9 KiB", padded(6500)),
        ("9,000 dots", vec![b'.'; 9000]),
    ]
}

fn header_text(bench: &Bench<'_>) -> Vec<Row> {
    let payload = Value::Object(bench.payload()).to_string();
    let kid = bench.mint.key.kid();
    let good = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}}"#);
    let open = good.trim_end_matches('}');
    let nested = format!("{open},\"x\":{}1{}}}", "[".repeat(900), "]".repeat(900));
    let headers: Vec<(&str, Vec<u8>)> = vec![
        ("a header that is no JSON", b"alg=EdDSA".to_vec()),
        ("a header that is a list", b"[\"EdDSA\"]".to_vec()),
        ("a header that is null", b"null".to_vec()),
        ("a header with text after it", format!("{good} x").into_bytes()),
        ("a header with a comma at its end", format!("{open},}}").into_bytes()),
        (
            "a header that is no UTF-8",
            [open.as_bytes(), b",\"x\":\"\xc3\x28\"}"].concat(),
        ),
        (
            "a header with a byte order mark",
            format!("\u{feff}{good}").into_bytes(),
        ),
        ("a header nested 900 deep", nested.into_bytes()),
        ("alg twice", format!(r#"{open},"alg":"EdDSA"}}"#).into_bytes()),
        (
            "alg twice, once escaped",
            format!(r#"{open},"\u0061lg":"none"}}"#).into_bytes(),
        ),
        ("kid twice", format!(r#"{open},"kid":"{kid}"}}"#).into_bytes()),
        ("typ twice", format!(r#"{open},"typ":"JWT"}}"#).into_bytes()),
        (
            "a name twice that nobody knows",
            format!(r#"{open},"x":1,"x":2}}"#).into_bytes(),
        ),
    ];
    sign(headers, |header| bench.mint.raw(header, &payload))
}

fn payload_text(bench: &Bench<'_>) -> Vec<Row> {
    let header = Value::Object(bench.header()).to_string();
    let claims = Claims {
        admin: false,
        ..bench.claims()
    };
    let good = serde_json::to_string(&claims).expect("claims are JSON");
    let open = good.trim_end_matches('}');
    let payloads: Vec<(&str, Vec<u8>)> = vec![
        ("an empty payload", vec![]),
        ("a payload that is no JSON", b"sub=ada".to_vec()),
        ("a payload that is a list", format!("[{good}]").into_bytes()),
        ("a payload that is text", b"\"claims\"".to_vec()),
        ("a payload with text after it", format!("{good}{good}").into_bytes()),
        (
            "a payload that is no UTF-8",
            [open.as_bytes(), b",\"x\":\"\xff\"}"].concat(),
        ),
        ("admin twice", format!(r#"{open},"admin":true}}"#).into_bytes()),
        (
            "admin twice, once escaped",
            format!(r#"{open},"adm\u0069n":true}}"#).into_bytes(),
        ),
        (
            "exp twice",
            format!(r#"{open},"exp":{}}}"#, claims.expires_at).into_bytes(),
        ),
        (
            "sub twice",
            format!(r#"{open},"sub":"{}"}}"#, claims.user_id).into_bytes(),
        ),
        (
            "a claim twice that nobody knows",
            format!(r#"{open},"x":1,"x":1}}"#).into_bytes(),
        ),
        (
            "a number beyond all range",
            format!(r#"{open},"x":1e999}}"#).into_bytes(),
        ),
    ];
    sign(payloads, |payload| bench.mint.raw(&header, payload))
}

fn sign(rows: Vec<(&'static str, Vec<u8>)>, token: impl Fn(Vec<u8>) -> String) -> Vec<Row> {
    rows.into_iter()
        .map(|(name, text)| (name, token(text).into_bytes()))
        .collect()
}
