use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use access_token::{SyncOutcome, TrustConfig};
use tokio::time::{Instant, advance};
use uuid::Uuid;

use crate::kit::{House, ms, pass, settle, token, with};

#[tokio::test(start_paused = true)]
async fn a_request_is_decided_only_by_a_sync_that_began_after_it_arrived() {
    let mut house = House::ready().await;
    let revoked = Uuid::new_v4();

    let request = house.arrive().await;
    assert!(!request.is_over(), "the view of an earlier Sync decided");
    let call = house.call().await;
    advance(ms(5)).await;
    let later = house.arrive().await;
    call.answer(with(house.mint.sync_response(), vec![token(1, revoked)]));
    settle().await;

    let view = request.view().await.unwrap();
    assert!(view.is_revoked(&revoked));
    assert!(
        !later.is_over(),
        "a Sync that began before the request arrived decided it"
    );
    house.answer(house.mint.sync_response()).await;
    later.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_share_the_next_sync() {
    let mut house = House::ready().await;
    let mut requests = Vec::new();
    for _ in 0..64 {
        requests.push(house.arrive().await);
    }

    house.answer(house.mint.sync_response()).await;

    for request in requests {
        request.view().await.unwrap();
    }
    assert_eq!(house.trust.stats().begun(), 2, "one at the start and one for all");
}

#[tokio::test(start_paused = true)]
async fn a_second_sync_begins_while_an_older_one_is_in_flight_and_never_a_third() {
    let mut house = House::ready().await;
    let first = house.arrive().await;
    let old = house.call().await;
    advance(ms(5)).await;
    let second = house.arrive().await;
    let new = house.call().await;
    advance(ms(5)).await;
    let third = house.arrive().await;
    assert!(house.begun().await.is_none(), "three in flight");

    new.answer(house.mint.sync_response());
    settle().await;
    first.view().await.unwrap();
    second.view().await.unwrap();
    assert!(!third.is_over());

    house.answer(house.mint.sync_response()).await;
    third.view().await.unwrap();
    assert!(!old.is_given_up(), "the oldest is still under way");
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_takes_nothing_back() {
    let mut house = House::ready().await;
    let revoked = Uuid::new_v4();
    let _first = house.arrive().await;
    let old = house.call().await;
    advance(ms(5)).await;
    let second = house.arrive().await;
    house
        .answer(with(house.mint.sync_response(), vec![token(1, revoked)]))
        .await;
    let fresh = second.view().await.unwrap();

    old.answer(house.mint.sync_response());
    settle().await;

    let view = house.trust.latest();
    assert!(view.is_revoked(&revoked));
    assert_eq!(view.cursor(), 1);
    assert_eq!(view.fresh_as_of(), fresh.fresh_as_of());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_cancels_nothing() {
    let mut house = House::ready().await;
    let first = house.arrive().await;
    let call = house.call().await;
    let second = house.arrive().await;

    first.hang_up().await;

    assert!(!call.is_given_up());
    call.answer(house.mint.sync_response());
    second.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn at_most_one_sync_begins_in_a_millisecond_and_the_first_after_a_pause_at_once() {
    let mut house = House::ready().await;
    let began = Instant::now();
    let mut begun = Vec::new();
    for _ in 0..200 {
        let request = house.arrive().await;
        while let Some(call) = house.begun().await {
            begun.push(call.begun);
            call.answer(house.mint.sync_response());
        }
        drop(request);
        advance(ms(1) / 10).await;
    }

    assert_eq!(begun[0], began, "the first waited");
    for pair in begun.windows(2) {
        assert!(pair[1] - pair[0] >= ms(1), "{:?} apart", pair[1] - pair[0]);
    }
    assert!(begun.len() >= 9, "only {} began in 20 ms", begun.len());
}

#[tokio::test(start_paused = true)]
async fn a_frozen_sync_holds_the_next_up_for_two_milliseconds_at_most() {
    let mut house = House::ready().await;
    for _ in 0..20 {
        let request = house.arrive().await;
        let call = house.call().await;
        advance(ms(40)).await;
        call.answer(house.mint.sync_response());
        request.view().await.unwrap();
    }
    let _first = house.arrive().await;
    let frozen = house.call().await;
    advance(ms(1)).await;

    let request = house.arrive().await;
    let next = house.next_call().await;

    assert_eq!(next.begun - frozen.begun, ms(2));
    next.answer(house.mint.sync_response());
    request.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_is_woken_by_its_own_answer_and_by_nobody_elses() {
    let mut house = House::ready().await;
    let first = house.arrive().await;
    let old = house.call().await;
    advance(ms(5)).await;
    let polls = Arc::new(AtomicUsize::new(0));
    let (trust, counted, arrived) = (house.trust.clone(), polls.clone(), Instant::now());
    let second = tokio::spawn(async move {
        let mut fresh = pin!(trust.fresh(arrived));
        poll_fn(|context| {
            counted.fetch_add(1, Ordering::Relaxed);
            fresh.as_mut().poll(context)
        })
        .await
    });
    let new = house.call().await;

    old.answer(house.mint.sync_response());
    first.view().await.unwrap();
    settle().await;
    assert_eq!(polls.load(Ordering::Relaxed), 1, "woken for nothing");

    new.answer(house.mint.sync_response());
    second.await.unwrap().unwrap();
    assert_eq!(polls.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn with_nobody_waiting_a_sync_begins_every_five_seconds() {
    let mut house = House::ready().await;
    let mut last = Instant::now() - ms(100);
    for _ in 0..3 {
        let call = house.next_call().await;
        assert_eq!(call.begun - last, ms(5000));
        last = call.begun;
        call.answer(house.mint.sync_response());
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_sync_asks_only_for_what_is_new() {
    let mut house = House::ready().await;
    let _waiting = house.arrive().await;
    house
        .answer(with(house.mint.sync_response(), vec![token(7, Uuid::new_v4())]))
        .await;

    let call = house.next_call().await;

    assert_eq!((call.request.epoch, call.request.cursor), (1, 7));
}

#[tokio::test(start_paused = true)]
async fn a_view_within_the_allowed_staleness_decides_without_a_sync() {
    let config = TrustConfig {
        max_staleness: ms(2000),
        ..TrustConfig::default()
    };
    let mut house = House::ready_with(1, config).await;

    house.arrive().await.view().await.unwrap();
    advance(ms(1900)).await;
    house.arrive().await.view().await.unwrap();
    assert!(house.begun().await.is_none());

    advance(ms(1)).await;
    let request = house.arrive().await;
    assert!(!request.is_over(), "older than allowed");
    house.answer(house.mint.sync_response()).await;
    request.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_house_is_ready_from_its_first_complete_view_on_and_stays_so() {
    let mut house = House::new();
    let mut page = house.mint.sync_response();
    page.complete = false;
    assert!(!house.trust.ready());
    house.answer(page).await;
    assert!(!house.trust.ready(), "ready with a part of the view");
    assert_eq!(house.trust.view_age(), None);

    pass(ms(2)).await;
    house.answer(house.mint.sync_response()).await;
    assert!(house.trust.ready());
    house.trust.until_ready().await;
    advance(ms(40)).await;
    assert_eq!(house.trust.view_age(), Some(ms(41)));

    house.next_call().await.fail(tonic::Code::Unavailable);
    settle().await;
    assert!(house.trust.ready());
    assert_eq!(house.trust.stats().syncs(SyncOutcome::Failed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_view_in_pages_is_fresh_as_of_the_start_of_the_call_that_answered_complete() {
    let mut house = House::ready().await;
    let early = house.arrive().await;
    let first = house.call().await;
    let mut page = with(house.mint.sync_response(), vec![token(10_000, Uuid::new_v4())]);
    page.complete = false;
    first.answer(page);
    let between = house.arrive().await;
    pass(ms(2)).await;
    let second = house.call().await;
    assert_eq!(second.request.cursor, 10_000);
    advance(ms(3)).await;
    let late = house.arrive().await;

    second.answer(with(house.mint.sync_response(), vec![token(10_001, Uuid::new_v4())]));
    settle().await;

    early.view().await.unwrap();
    assert_eq!(between.view().await.unwrap().cursor(), 10_001);
    assert!(!late.is_over());
}

#[tokio::test(start_paused = true)]
async fn the_driver_ends_with_the_last_trust() {
    let house = House::ready().await;
    let (trust, driver) = access_token::Trust::start(Vec::new(), TrustConfig::default(), test_kit::fixed_now(0));
    let clone = trust.clone();
    drop(trust);
    settle().await;
    assert!(!driver.is_finished());
    drop(clone);
    driver.await.unwrap();
    drop(house);
}
