use access_token::{Standing, SyncOutcome, TrustConfig};
use proto::auth::v1::{SyncResponse, revocation::Subject};
use test_kit::TokenMint;
use tokio::time::advance;
use uuid::Uuid;

use crate::kit::{House, ms, pass, revoked, settle, token, with};

fn of_epoch(epoch: i64, mint: &TokenMint) -> SyncResponse {
    SyncResponse {
        epoch,
        ..mint.sync_response()
    }
}

#[tokio::test(start_paused = true)]
async fn a_higher_epoch_replaces_the_view_once_it_was_asked_for_from_the_beginning() {
    let mut house = House::ready().await;
    let old = Uuid::new_v4();
    let new_mint = TokenMint::of_seed(8);
    let _first = house.arrive().await;
    house
        .answer(with(house.mint.sync_response(), vec![token(50, old)]))
        .await;
    pass(ms(2)).await;
    let request = house.arrive().await;

    house
        .answer(with(of_epoch(2, &new_mint), vec![token(60, Uuid::new_v4())]))
        .await;
    assert!(
        !request.is_over(),
        "the answer to a cursor of another epoch was taken for whole"
    );
    pass(ms(2)).await;
    let call = house.call().await;
    assert_eq!((call.request.epoch, call.request.cursor), (2, 0));
    call.answer(with(of_epoch(2, &new_mint), vec![token(1, Uuid::new_v4())]));

    let view = request.view().await.unwrap();
    assert_eq!(view.epoch(), 2);
    assert!(!view.is_revoked(&old));
    let kids: Vec<_> = view.keys().map(|key| key.kid.to_string()).collect();
    assert_eq!(kids, [new_mint.key.kid()]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_of_a_lower_epoch_changes_and_decides_nothing() {
    let mut house = House::new();
    house.answer(of_epoch(3, &house.mint)).await;
    advance(ms(100)).await;
    let request = house.arrive().await;
    let before = house.trust.latest();

    house
        .answer(with(
            of_epoch(2, &TokenMint::of_seed(8)),
            vec![token(9, Uuid::new_v4())],
        ))
        .await;

    assert!(!request.is_over());
    assert_eq!(house.trust.latest(), before);
    assert_eq!(house.trust.stats().syncs(SyncOutcome::OldEpoch), 1);
    request.view().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn after_history_was_lost_nothing_is_accepted_until_a_higher_epoch() {
    let mut house = House::ready().await;
    let lost = SyncResponse {
        history_lost: true,
        ..house.mint.sync_response()
    };
    let request = house.arrive().await;
    house.answer(lost).await;
    assert_eq!(house.trust.latest().standing(), Standing::HistoryLost);
    assert!(!request.is_over());

    house.next_call().await.answer(house.mint.sync_response());
    settle().await;
    assert!(
        !request.is_over(),
        "a reply of the epoch whose history was lost was believed"
    );
    request.view().await.unwrap_err();
    while house.begun().await.is_some() {}

    house.next_call().await.answer(of_epoch(2, &house.mint));
    settle().await;
    assert_eq!(house.trust.latest().standing(), Standing::Current);
    advance(ms(5)).await;
    let request = house.arrive().await;
    house.answer(of_epoch(2, &house.mint)).await;
    request.view().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_retired_key_dies_within_one_sync_and_never_comes_back_by_a_late_reply() {
    let mut house = House::ready().await;
    let other = TokenMint::of_seed(8);
    let mut both = house.mint.sync_response();
    both.keys.push(other.verifying_key());
    let _first = house.arrive().await;
    let late = house.call().await;
    advance(ms(5)).await;
    let second = house.arrive().await;
    let retirement = revoked(1, Subject::Key(other.key.kid().to_owned()));

    house.answer(with(both.clone(), vec![retirement])).await;
    let view = second.view().await.unwrap();
    assert_eq!(view.keys().count(), 1);
    late.answer(both);
    settle().await;

    let view = house.trust.latest();
    assert!(view.is_retired(other.key.kid()));
    assert_eq!(view.keys().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_history_was_lost_no_allowed_staleness_helps() {
    let config = TrustConfig {
        max_staleness: ms(60_000),
        ..TrustConfig::default()
    };
    let mut house = House::ready_with(1, config).await;
    house.arrive().await.view().await.unwrap();
    let mut lost = house.mint.sync_response();
    lost.history_lost = true;

    house.next_call().await.answer(lost);
    settle().await;

    house.arrive().await.view().await.unwrap_err();
    assert_eq!(house.trust.view_age(), None);
}
