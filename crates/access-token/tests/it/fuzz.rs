//! Random text and mutated tokens.

use access_token::MAX_LIFETIME;
use proptest::{
    prelude::{Rng, RngExt},
    test_runner::{RngAlgorithm, TestRng},
};

use crate::kit::{House, NOW};

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_..=";

fn rng() -> TestRng {
    TestRng::deterministic_rng(RngAlgorithm::ChaCha)
}

fn bytes(rng: &mut TestRng, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; rng.random_range(0..=most)];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn letters(rng: &mut TestRng, most: usize) -> Vec<u8> {
    let length = rng.random_range(0..=most);
    (0..length)
        .map(|_| ALPHABET[rng.random_range(0..ALPHABET.len())])
        .collect()
}

/// Replaces, takes out or puts in something, once or a few times.
fn mutated(rng: &mut TestRng, good: &[u8]) -> Vec<u8> {
    let mut text = good.to_vec();
    for _ in 0..rng.random_range(1..4) {
        let place = rng.random_range(0..=text.len());
        let end = (place + rng.random_range(0..30)).min(text.len());
        let new = match rng.random_range(0..4) {
            0 => Vec::new(),
            1 => bytes(rng, 10),
            2 => letters(rng, end - place),
            _ => text[rng.random_range(0..=place)..place].to_vec(),
        };
        text.splice(place..end, new);
    }
    text
}

#[tokio::test(start_paused = true)]
async fn no_random_or_mutated_token_of_100_000_panics_or_verifies() {
    let house = House::ready().await;
    let good = house.mint.user(NOW).into_bytes();
    let view = house.trust.latest();
    let mut rng = rng();

    for round in 0..100_000 {
        let token = match round % 10 {
            0 => bytes(&mut rng, 300),
            1 => letters(&mut rng, 400),
            _ => mutated(&mut rng, &good),
        };
        let verified = token != good && house.verifier.verify(&token, &view).is_ok();
        assert!(!verified, "{:?} verifies", String::from_utf8_lossy(&token));
    }
}

#[tokio::test(start_paused = true)]
async fn mutated_headers_and_claims_under_a_good_signature_never_panic_and_keep_the_rules_if_they_verify() {
    let house = House::ready().await;
    let view = house.trust.latest();
    let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{}"}}"#, house.mint.key.kid());
    let claims = serde_json::to_vec(&house.mint.claims(NOW)).unwrap();
    let mut rng = rng();
    let mut verified = 0;

    for round in 0..4000 {
        let token = if round % 2 == 0 {
            house.mint.raw(mutated(&mut rng, header.as_bytes()), &claims)
        } else {
            house.mint.raw(&header, mutated(&mut rng, &claims))
        };
        if let Ok(good) = house.verifier.verify(token.as_bytes(), &view) {
            verified += 1;
            assert_eq!(&*good.kid, house.mint.key.kid());
            assert!(good.caller.expires_at > NOW && good.caller.generation >= 0);
            assert!((1..=MAX_LIFETIME).contains(&(good.caller.expires_at - good.caller.issued_at)));
        }
    }
    assert!(verified < 1000, "{verified} of 4000 verify");
}
