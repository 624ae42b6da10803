use std::sync::Arc;

use access_token::{Caller, Refusal, Verified};
use test_kit::{TokenMint, attacks};
use tokio::{
    task::JoinHandle,
    time::{Instant, advance},
};

use crate::kit::{House, NOW, ms, pass, settle};

async fn authenticate(house: &House, token: String) -> JoinHandle<Result<Caller, Refusal>> {
    let authenticator = house.authenticator();
    let arrived = Instant::now();
    let task = tokio::spawn(async move { authenticator.authenticate(token.as_bytes(), arrived).await });
    settle().await;
    task
}

/// All tokens of the table of attacks that are sent as a bearer's.
fn junk(house: &House) -> Vec<String> {
    let all = attacks(&house.mint, NOW, "http://127.0.0.1:1/keys").into_iter();
    let tokens = all
        .filter(|attack| attack.authorization.len() == 1)
        .filter_map(|attack| {
            let value = String::from_utf8(attack.authorization.first()?.clone()).ok()?;
            Some(value.strip_prefix("Bearer ")?.to_owned())
        });
    tokens.collect()
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_junk_starts_no_sync_beyond_those_that_begin_anyway() {
    let mut house = House::ready().await;
    house.answer_forever(house.mint.sync_response());
    // What the table needs of unknown keys is spent here; the Sync of every five seconds begins that much later.
    let stranger = TokenMint::of_seed(9);
    authenticate(&house, stranger.user(NOW))
        .await
        .await
        .unwrap()
        .unwrap_err();
    let before = house.trust.stats().begun();

    for round in 0..40 {
        for token in junk(&house) {
            let outcome = authenticate(&house, token.clone()).await;
            assert!(outcome.is_finished(), "junk waits: {token}");
        }
        authenticate(&house, stranger.user(NOW + round)).await;
        advance(ms(100)).await;
    }

    assert_eq!(house.trust.stats().begun(), before, "in four seconds");
}

#[tokio::test(start_paused = true)]
async fn bad_signatures_under_a_known_key_start_no_sync_at_all() {
    let mut house = House::ready().await;
    let good = house.mint.user(NOW);
    let signed = good.rsplit_once('.').unwrap().0;
    for _ in 0..1000 {
        let other = house.mint.user(NOW);
        let forged = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
        let outcome = authenticate(&house, forged).await.await.unwrap();
        assert_eq!(outcome, Err(Refusal::Invalid));
    }
    assert!(house.begun().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_key_published_a_moment_ago_is_accepted() {
    let mut house = House::ready().await;
    for seed in 20..24 {
        let new = TokenMint::of_seed(seed);
        let request = authenticate(&house, new.user(NOW)).await;
        assert!(!request.is_finished());
        let mut response = house.mint.sync_response();
        response.keys.push(new.verifying_key());
        house.answer(response).await;
        request.await.unwrap().unwrap();
        advance(ms(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn requests_with_a_new_key_share_the_sync_that_looks_for_it() {
    let mut house = House::ready().await;
    let new = TokenMint::of_seed(20);
    let first = authenticate(&house, new.user(NOW)).await;
    let second = authenticate(&house, new.user(NOW)).await;
    let mut response = house.mint.sync_response();
    response.keys.push(new.verifying_key());
    house.answer(response).await;

    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn while_no_key_is_known_nothing_is_called_invalid_for_its_key() {
    let house = House::new();
    let request = authenticate(&house, house.mint.user(NOW)).await;
    assert_eq!(request.await.unwrap(), Err(Refusal::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn a_good_token_waits_for_its_view_and_a_revoked_one_is_told() {
    let mut house = House::ready().await;
    let claims = house.mint.claims(NOW);
    let token = house.mint.sign(&claims);
    let first = authenticate(&house, token.clone()).await;
    house.answer(house.mint.sync_response()).await;
    assert_eq!(first.await.unwrap().unwrap(), Caller::from(&claims));
    pass(ms(2)).await;

    let second = authenticate(&house, token).await;
    let revoked = vec![crate::kit::token(1, claims.token_id)];
    house
        .answer(crate::kit::with(house.mint.sync_response(), revoked))
        .await;

    assert_eq!(second.await.unwrap(), Err(Refusal::Revoked));
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_key_left_with_its_epoch_is_invalid_also_when_remembered() {
    let house = House::ready().await;
    let verified = Verified {
        kid: Arc::from(TokenMint::of_seed(30).key.kid()),
        caller: Caller::from(&house.mint.claims(NOW)),
    };
    assert_eq!(house.trust.latest().check(&verified, NOW), Err(Refusal::Invalid));
}
