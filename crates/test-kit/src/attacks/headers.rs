use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use super::{Attack, Bench, INVALID};
use crate::TokenMint;

/// Tokens whose headers are not ours, most of them with signatures that are good in some way.
pub(super) fn attacks(bench: &Bench<'_>) -> Vec<Attack> {
    let mut rows = algorithms(bench);
    rows.extend(symmetric(bench));
    rows.extend(types_and_keys(bench));
    rows.extend(pointers(bench));
    rows.into_iter()
        .map(|(name, token)| Attack::token(name, token, INVALID))
        .collect()
}

type Row = (String, String);

fn changed(bench: &Bench<'_>, rows: Vec<(&str, Value)>) -> Vec<Row> {
    let change = |(name, changes): (&str, Value)| (name.to_owned(), bench.with_header(changes));
    rows.into_iter().map(change).collect()
}

fn algorithms(bench: &Bench<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for alg in [
        "none", "None", "nOnE", "HS256", "RS256", "PS256", "ES256", "eddsa", "EDDSA", "Ed25519", "Ed448", "",
    ] {
        rows.push((
            format!("alg {alg:?} with a good signature"),
            bench.with_header(json!({"alg": alg})),
        ));
    }
    for alg in ["none", "EdDSA"] {
        let token = bench.with_header(json!({"alg": alg}));
        let signed = token.rsplit_once('.').expect("a token has dots").0;
        rows.push((format!("alg {alg:?} without a signature"), format!("{signed}.")));
    }
    rows.extend(changed(
        bench,
        vec![
            ("no alg", json!({"alg": null})),
            ("alg is a number", json!({"alg": 1})),
            ("alg is a list", json!({"alg": ["EdDSA"]})),
            ("alg is an object", json!({"alg": {"EdDSA": true}})),
        ],
    ));
    rows
}

/// HS256 keyed with what everybody knows: the public key.
fn symmetric(bench: &Bench<'_>) -> Vec<Row> {
    let public = bench.mint.key.public_key();
    let text = URL_SAFE_NO_PAD.encode(public);
    let keys: [(&str, &[u8]); 3] = [
        ("the public key", public),
        ("the public key's text", text.as_bytes()),
        ("nothing", b""),
    ];
    let forge = |(name, key): (&str, &[u8])| {
        let token = bench.with_header(json!({"alg": "HS256"}));
        let signed = token.rsplit_once('.').expect("a token has dots").0;
        let key = EncodingKey::from_secret(key);
        let signature = crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).expect("any text is a secret");
        (format!("HS256 keyed with {name}"), format!("{signed}.{signature}"))
    };
    keys.into_iter().map(forge).collect()
}

fn types_and_keys(bench: &Bench<'_>) -> Vec<Row> {
    let kid = bench.mint.key.kid();
    let stranger = TokenMint::of_seed(201);
    changed(
        bench,
        vec![
            ("no typ", json!({"typ": null})),
            ("typ JWT", json!({"typ": "JWT"})),
            ("typ at+JWT in capitals", json!({"typ": "AT+JWT"})),
            ("typ of another token", json!({"typ": "dpop+jwt"})),
            ("typ with a space", json!({"typ": "at+jwt "})),
            ("typ is a list", json!({"typ": ["at+jwt"]})),
            ("no kid", json!({"kid": null})),
            ("kid is a number", json!({"kid": 7})),
            ("kid is a list", json!({"kid": [kid]})),
            ("an empty kid", json!({"kid": ""})),
            ("a kid in other case", json!({"kid": kid.to_uppercase()})),
            ("a kid with a space", json!({"kid": format!("{kid} ")})),
            ("a kid that nobody published", json!({"kid": stranger.key.kid()})),
            ("a kid that is a path", json!({"kid": "../../../../dev/null"})),
            ("a kid that is SQL", json!({"kid": "' OR 1=1 --"})),
            ("a kid that is a URL", json!({"kid": bench.trap})),
            ("a kid of 2 KiB", json!({"kid": "k".repeat(2048)})),
            ("a kid with NUL", json!({"kid": format!("{kid}\0")})),
            ("an unknown crit", json!({"crit": ["x"], "x": 1})),
            ("crit of b64", json!({"crit": ["b64"], "b64": false})),
            ("crit of exp", json!({"crit": ["exp"]})),
            ("an empty crit", json!({"crit": []})),
            ("crit is text", json!({"crit": "exp"})),
        ],
    )
}

/// Tokens signed with a stranger's key that say where to find it.
fn pointers(bench: &Bench<'_>) -> Vec<Row> {
    let stranger = TokenMint::of_seed(202);
    let x = URL_SAFE_NO_PAD.encode(stranger.key.public_key());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": stranger.key.kid(), "alg": "EdDSA"});
    let mut rows = Vec::new();
    for (whose, kid) in [("its own", stranger.key.kid()), ("our", bench.mint.key.kid())] {
        for (name, pointer) in [
            ("an embedded jwk", json!({"jwk": jwk})),
            ("a jku", json!({"jku": bench.trap})),
            ("an x5u", json!({"x5u": bench.trap})),
            ("an x5c", json!({"x5c": [x]})),
        ] {
            let mut header = bench.header();
            header.insert("kid".to_owned(), kid.into());
            let header = super::changed(header, pointer).to_string();
            let token = stranger.raw(header, Value::Object(bench.payload()).to_string());
            rows.push((format!("a stranger's signature with {name} and {whose} kid"), token));
        }
    }
    rows
}
