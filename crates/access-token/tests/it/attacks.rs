use std::net::TcpListener;

use access_token::{Refusal, Rejection};
use test_kit::{Attack, TokenMint, attacks, oddities, staged_attacks};
use tonic::Code;
use tonic_types::StatusExt;

use crate::kit::{House, NOW, send};

const USER: &str = "/auth.v1.AuthService/GetCurrentUser";

async fn assert_refused(house: &House, rows: &[Attack]) {
    let layer = house.layer();
    for row in rows {
        let reply = send(&layer, USER, &row.authorization).await;

        let name = &row.name;
        assert_eq!(reply.status.code(), row.code, "{name}");
        let info = reply
            .status
            .get_details_error_info()
            .unwrap_or_else(|| panic!("{name}: no ErrorInfo"));
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            (row.reason, "gatehouse"),
            "{name}"
        );
        let challenges: Vec<_> = reply.response.headers().get_all("www-authenticate").iter().collect();
        assert_eq!(challenges, [row.www_authenticate], "{name}");
    }
}

/// A listener that nothing may connect to.
fn trap() -> (TcpListener, String) {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", trap.local_addr().unwrap());
    (trap, url)
}

#[tokio::test(start_paused = true)]
async fn every_attack_gets_its_exact_answer() {
    let mut house = House::ready().await;
    house.answer_forever(house.mint.sync_response());
    let (trap, url) = trap();
    let rows = attacks(&house.mint, NOW, &url);
    assert!(rows.len() >= 80, "only {} rows", rows.len());

    assert_refused(&house, &rows).await;

    assert!(trap.accept().is_err(), "a token made somebody connect");
}

#[tokio::test(start_paused = true)]
async fn an_attack_gets_the_same_answer_when_it_is_repeated() {
    let mut house = House::ready().await;
    house.answer_forever(house.mint.sync_response());
    let rows = attacks(&house.mint, NOW, "http://127.0.0.1:1/keys");

    assert_refused(&house, &rows).await;
    assert_refused(&house, &rows).await;
    assert_eq!(house.verifier.cache_stats().hits(), 0, "something bad was remembered");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_good_once_is_refused_as_revoked_or_expired() {
    let mut house = House::ready().await;
    let staged = staged_attacks(&house.mint, NOW);
    house.answer_forever(staged.response);

    assert_refused(&house, &staged.attacks).await;
    assert_refused(&house, &staged.attacks).await;
}

#[tokio::test(start_paused = true)]
async fn odd_but_good_tokens_are_let_through_and_fetch_nothing() {
    let mut house = House::ready().await;
    house.answer_forever(house.mint.sync_response());
    let (trap, url) = trap();
    let layer = house.layer();

    for row in oddities(&house.mint, NOW, &url) {
        let reply = send(&layer, USER, &[row.authorization.into_bytes()]).await;
        assert_eq!(reply.status.code(), Code::Ok, "{}: {:?}", row.name, reply.status);
    }

    assert!(trap.accept().is_err(), "a token made somebody connect");
}

#[tokio::test(start_paused = true)]
async fn every_flipped_bit_of_a_token_makes_it_bad() {
    let mut house = House::ready().await;
    house.answer_forever(house.mint.sync_response());
    let token = house.mint.user(NOW).into_bytes();
    let view = house.trust.latest();
    assert!(house.verifier.verify(&token, &view).is_ok());

    for bit in 0..token.len() * 8 {
        let mut flipped = token.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            house.verifier.verify(&flipped, &view).is_err(),
            "bit {bit} may be flipped"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_accepted_until_a_second_before_exp_and_refused_at_exp_also_when_remembered() {
    let mut house = House::ready().await;
    house.answer_forever(house.mint.sync_response());
    let layer = house.layer();
    let token = vec![format!("Bearer {}", house.mint.user(NOW)).into_bytes()];

    for (now, code) in [
        (0, Code::Ok),
        (3599, Code::Ok),
        (3600, Code::Unauthenticated),
        (3601, Code::Unauthenticated),
    ] {
        house.set_clock(NOW + now);
        assert_eq!(
            send(&layer, USER, &token).await.status.code(),
            code,
            "{now} s after iat"
        );
    }
    assert_eq!(house.verifier.cache_stats().misses(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_that_is_remembered_waits_for_no_view() {
    let house = House::ready().await;
    let token = house.mint.user(NOW).into_bytes();
    let view = house.trust.latest();
    house.verifier.verify(&token, &view).unwrap();

    house.set_clock(NOW + 3600);

    let expired = Err(Rejection::Refused(Refusal::Expired));
    assert_eq!(house.verifier.verify(&token, &view), expired);
    assert_eq!(house.verifier.cache_stats().hits(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_never_published_opens_nothing_even_under_a_published_id() {
    let mut house = House::new();
    let stranger = TokenMint::of_seed(9);
    let mut response = house.mint.sync_response();
    // An id that is not the key's thumbprint is not taken, whatever the key.
    response.keys[0].public_key = stranger.key.public_key().to_vec();
    house.answer(response).await;

    assert_eq!(house.trust.latest().keys().count(), 0);
}
