use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Attack, Bench, EXPIRED, INVALID};
use crate::TokenMint;

/// Tokens whose signatures are not good.
pub(super) fn attacks(bench: &Bench<'_>) -> Vec<Attack> {
    let token = bench.good();
    let (signed, signature) = token.rsplit_once('.').expect("a token has dots");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
    let other = bench.good();
    let others = other.rsplit_once('.').expect("a token has dots").1;

    let mut rows = vec![
        (
            "the signature of another token".to_owned(),
            format!("{signed}.{others}"),
        ),
        ("a stranger's signature under our kid".to_owned(), by_a_stranger(bench)),
        (
            "an administrator's claims under a user's signature".to_owned(),
            promoted(bench),
        ),
        ("an expired token with a bad signature".to_owned(), expired(bench)),
        (
            "an expired token of a stranger".to_owned(),
            strange(bench, &json!({"iat": bench.now - 60, "exp": bench.now - 1})),
        ),
        (
            "a stranger's token without claims".to_owned(),
            strange(bench, &json!([])),
        ),
    ];
    for (name, bytes) in altered(&signature) {
        rows.push((name, format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes))));
    }
    let mut attacks: Vec<_> = rows
        .into_iter()
        .map(|(name, token)| Attack::token(name, token, INVALID))
        .collect();
    attacks.push(Attack::token(
        "an expired token with a good signature",
        long_expired(bench),
        EXPIRED,
    ));
    attacks
}

fn altered(signature: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut rows = vec![
        ("an empty signature".to_owned(), vec![]),
        ("a signature of zeros".to_owned(), vec![0; 64]),
        ("a signature of 63 bytes".to_owned(), signature[..63].to_vec()),
        ("a signature of 65 bytes".to_owned(), [signature, &[0]].concat()),
        ("a signature twice".to_owned(), [signature, signature].concat()),
        (
            "a signature with the group's order added".to_owned(),
            plus_order(signature),
        ),
    ];
    for bit in [0, 7, 200, 255, 256, 400, 511] {
        let mut flipped = signature.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        rows.push((format!("bit {bit} of the signature flipped"), flipped));
    }
    rows
}

/// The order of the group of Ed25519, little-endian (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The other signature that a careless verifier takes for the same message.
fn plus_order(signature: &[u8]) -> Vec<u8> {
    let mut changed = signature.to_vec();
    let mut carry = 0_u16;
    for (byte, order) in changed[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    changed
}

/// A token under a kid that nobody published: what is wrong with its claims is not told.
fn strange(bench: &Bench<'_>, payload: &Value) -> String {
    let stranger = TokenMint::of_seed(205);
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": stranger.key.kid()});
    let payload = match payload {
        Value::Object(_) => super::changed(bench.payload(), payload.clone()),
        other => other.clone(),
    };
    stranger.raw(header.to_string(), payload.to_string())
}

fn by_a_stranger(bench: &Bench<'_>) -> String {
    let header = Value::Object(bench.header()).to_string();
    let payload = Value::Object(bench.payload()).to_string();
    TokenMint::of_seed(203).raw(header, payload)
}

fn promoted(bench: &Bench<'_>) -> String {
    let mut claims = bench.claims();
    let token = bench.mint.sign(&claims);
    claims.admin = true;
    let promoted = bench.mint.sign(&claims);
    splice(&promoted, &token)
}

fn expired(bench: &Bench<'_>) -> String {
    splice(&long_expired(bench), &bench.good())
}

fn long_expired(bench: &Bench<'_>) -> String {
    bench.mint.sign(&bench.mint.claims(bench.now - 100_000))
}

/// What one token says with another's signature.
fn splice(says: &str, signed: &str) -> String {
    let says = says.rsplit_once('.').expect("a token has dots").0;
    let signature = signed.rsplit_once('.').expect("a token has dots").1;
    format!("{says}.{signature}")
}
