//! How many tokens a verifier remembers, and which.

use access_token::{Claims, Verifier, VerifierConfig};
use test_kit::{AUDIENCE, ISSUER, TokenMint, fixed_now};

use crate::kit::{House, NOW};

fn verifier(cache: usize) -> Verifier {
    let config = VerifierConfig {
        cache,
        ..VerifierConfig::new(ISSUER, AUDIENCE)
    };
    Verifier::new(config, fixed_now(NOW))
}

fn tokens(mint: &TokenMint, count: usize) -> Vec<String> {
    (0..count).map(|_| mint.user(NOW)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_verifier_remembers_no_more_tokens_than_it_may() {
    let house = House::ready().await;
    let view = house.trust.latest();
    let tokens = tokens(&house.mint, 500);
    for (capacity, most) in [(0, 0), (64, 64), (10_000, 500)] {
        let verifier = verifier(capacity);
        for token in tokens.iter().chain(&tokens) {
            verifier.verify(token.as_bytes(), &view).unwrap();
        }
        // Backwards, so that those remembered last are asked for first and none is pushed out before.
        let before = verifier.cache_stats().hits();
        for token in tokens.iter().rev() {
            verifier.verify(token.as_bytes(), &view).unwrap();
        }
        let hits = verifier.cache_stats().hits() - before;
        assert!(hits <= most, "{hits} of {capacity}");
        assert!(hits >= most / 4, "only {hits} of {capacity}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_in_use_stays_remembered_while_others_come_and_go() {
    let house = House::ready().await;
    let view = house.trust.latest();
    let verifier = verifier(64);
    let kept = house.mint.user(NOW);
    verifier.verify(kept.as_bytes(), &view).unwrap();

    let mut uses = 0;
    for token in tokens(&house.mint, 500) {
        verifier.verify(token.as_bytes(), &view).unwrap();
        verifier.verify(kept.as_bytes(), &view).unwrap();
        uses += 1;
    }

    assert_eq!(verifier.cache_stats().hits(), uses);
}

#[tokio::test(start_paused = true)]
async fn a_remembered_token_says_the_same_as_a_new_one() {
    let house = House::ready().await;
    let view = house.trust.latest();
    let claims = Claims {
        admin: true,
        generation: 41,
        ..house.mint.claims(NOW)
    };
    let token = house.mint.sign(&claims);

    let first = house.verifier.verify(token.as_bytes(), &view).unwrap();
    let second = house.verifier.verify(token.as_bytes(), &view).unwrap();

    assert_eq!(first, second);
    assert_eq!(
        (first.caller.admin, first.caller.generation, first.caller.user_id),
        (true, 41, claims.user_id)
    );
    assert_eq!(house.verifier.cache_stats().hits(), 1);
}
