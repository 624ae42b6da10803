use std::sync::Arc;

use access_token::{SyncFuture, SyncOutcome, SyncSource, Trust, TrustConfig, TrustUnavailable};
use proto::auth::v1::{SyncRequest, SyncResponse};
use tokio::time::{Instant, advance};
use tonic::Code;

use crate::kit::{House, ms, settle};

#[tokio::test(start_paused = true)]
async fn after_a_failed_sync_the_next_source_is_asked_ten_milliseconds_later() {
    let mut house = House::ready_with(2, TrustConfig::default()).await;
    let request = house.arrive().await;
    let call = house.call().await;
    assert_eq!(call.source, 0);
    let failed = Instant::now();
    call.fail(Code::Unavailable);

    let next = house.next_call().await;
    assert_eq!(next.source, 1);
    assert_eq!(next.begun - failed, ms(10));
    next.answer(house.mint.sync_response());
    request.view().await.unwrap();
    advance(ms(5)).await;

    let request = house.arrive().await;
    let call = house.call().await;
    assert_eq!(call.source, 1, "the good source is kept");
    call.answer(house.mint.sync_response());
    request.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn two_syncs_that_fail_at_one_source_move_on_by_one() {
    let mut house = House::ready_with(3, TrustConfig::default()).await;
    let _first = house.arrive().await;
    let old = house.call().await;
    advance(ms(5)).await;
    let _second = house.arrive().await;
    let new = house.call().await;
    assert_eq!((old.source, new.source), (0, 0));

    old.fail(Code::Unavailable);
    new.fail(Code::Unavailable);

    assert_eq!(house.next_call().await.source, 1);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_sync_is_given_up_after_300_milliseconds_and_the_next_source_asked() {
    let mut house = House::ready_with(2, TrustConfig::default()).await;
    let arrived = Instant::now();
    let request = house.arrive().await;
    let frozen = house.call().await;

    let next = house.next_call().await;

    assert!(frozen.is_given_up());
    assert_eq!((next.source, next.begun - arrived), (1, ms(310)));
    next.answer(house.mint.sync_response());
    request.view().await.unwrap();
    assert_eq!(house.trust.stats().syncs(SyncOutcome::Timeout), 1);
}

#[tokio::test(start_paused = true)]
async fn failures_are_followed_by_pauses_that_double_up_to_200_milliseconds() {
    let mut house = House::ready().await;
    let _request = house.arrive().await;
    let mut pauses = Vec::new();
    house.call().await.fail(Code::Unavailable);
    for _ in 0..7 {
        let failed = Instant::now();
        let call = house.next_call().await;
        pauses.push((call.begun - failed).as_millis());
        call.fail(Code::Unavailable);
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 200, 200]);
}

#[tokio::test(start_paused = true)]
async fn a_request_fails_a_second_after_it_arrived_when_auth_is_frozen() {
    let mut house = House::ready().await;
    let arrived = Instant::now();

    let request = house.arrive().await;
    let outcome = request.view().await;

    assert_eq!(outcome, Err(TrustUnavailable));
    assert_eq!(arrived.elapsed(), ms(1000));
    assert!(house.begun().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn while_no_sync_has_succeeded_for_a_second_a_request_fails_at_once() {
    let house = House::ready().await;
    house.arrive().await.view().await.unwrap_err();

    let arrived = Instant::now();
    let outcome = house.arrive().await.view().await;

    assert_eq!(outcome, Err(TrustUnavailable));
    assert_eq!(arrived.elapsed(), ms(0));
    assert!(house.trust.ready(), "a service stays ready meanwhile");
}

#[tokio::test(start_paused = true)]
async fn after_a_time_in_which_the_process_was_frozen_requests_are_served() {
    let mut house = House::ready().await;
    let _before = house.arrive().await;
    let under_way = house.call().await;
    advance(ms(7000)).await;
    settle().await;
    assert!(under_way.is_given_up());

    let request = house.arrive().await;
    assert!(!request.is_over());
    house.next_call().await.answer(house.mint.sync_response());
    request.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn when_auth_is_back_requests_are_served_again_unaided() {
    let mut house = House::ready().await;
    house.arrive().await.view().await.unwrap_err();
    while house.begun().await.is_some() {}

    let back = house.next_call().await;
    back.answer(house.mint.sync_response());
    settle().await;
    advance(ms(5)).await;

    let request = house.arrive().await;
    house.answer(house.mint.sync_response()).await;
    request.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn syncs_are_tried_on_while_auth_is_away_though_nobody_waits() {
    let mut house = House::ready().await;
    house.next_call().await.fail(Code::Unavailable);
    let failed = Instant::now();
    for _ in 0..20 {
        house.next_call().await.fail(Code::Unavailable);
    }
    let took = failed.elapsed();
    assert!(took <= ms(20 * 200), "{took:?} for 20 attempts");
}

#[tokio::test(start_paused = true)]
async fn a_long_rest_is_no_failure() {
    let mut house = House::ready().await;
    advance(ms(4800)).await;

    let request = house.arrive().await;
    assert!(!request.is_over());
    house.answer(house.mint.sync_response()).await;
    request.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failed_sync_does_not_stop_the_one_that_began_after_it() {
    let mut house = House::ready().await;
    let first = house.arrive().await;
    let old = house.call().await;
    advance(ms(5)).await;
    let second = house.arrive().await;
    let new = house.call().await;

    old.fail(Code::Internal);
    settle().await;
    assert!(!first.is_over() && !second.is_over());
    new.answer(house.mint.sync_response());

    first.view().await.unwrap();
    second.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_service_token_is_counted_as_what_it_is() {
    let mut house = House::new();
    house.call().await.fail(Code::Unauthenticated);
    house.next_call().await.fail(Code::PermissionDenied);
    settle().await;
    assert_eq!(house.trust.stats().syncs(SyncOutcome::Denied), 2);
    assert!(!house.trust.ready());
}

struct Answering(SyncResponse);

impl SyncSource for Answering {
    fn sync(&self, _: SyncRequest) -> SyncFuture<'_> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

struct Panicking;

impl SyncSource for Panicking {
    fn sync(&self, _: SyncRequest) -> SyncFuture<'_> {
        panic!("as the test wants")
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_has_failed_and_the_next_is_asked() {
    let answering = Answering(test_kit::TokenMint::default().sync_response());
    let sources: Vec<Arc<dyn SyncSource>> = vec![Arc::new(Panicking), Arc::new(answering)];

    let (trust, _driver) = Trust::start(sources, TrustConfig::default(), test_kit::fixed_now(0));

    trust.fresh(Instant::now()).await.unwrap();
    assert_eq!(trust.stats().syncs(SyncOutcome::Failed), 1);
}
