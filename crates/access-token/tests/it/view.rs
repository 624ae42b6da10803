//! Merging, forgetting and size of views.

use std::{collections::BTreeMap, time::Duration};

use access_token::{Caller, Merge, Refusal, Reply, Verified, View};
use proptest::prelude::*;
use prost_types::Timestamp;
use proto::auth::v1::{Revocation, SyncResponse};
use test_kit::TokenMint;
use uuid::Uuid;

use crate::kit::{NOW, floor, ms, token, with};

fn complete(view: &View, response: SyncResponse) -> View {
    let reply = Reply {
        started: ms(1),
        request: view.request(),
        response,
    };
    match view.merge(reply) {
        Merge::Complete(view) => view,
        other => panic!("not complete: {other:?}"),
    }
}

fn until(mut revocation: Revocation, seconds: i64, nanos: i32) -> Revocation {
    revocation.expires_at = Some(Timestamp { seconds, nanos });
    revocation
}

#[test]
fn floors_only_rise() {
    let user = Uuid::new_v4();
    let response = TokenMint::default().sync_response();
    let high = complete(&View::default(), with(response.clone(), vec![floor(2, user, 9)]));
    let low = complete(&high, with(response.clone(), vec![floor(1, user, 4)]));
    assert_eq!((low.floor(&user), low.cursor()), (Some(9), 2));
    assert!(!low.is_deleted(&user));

    let deleted = complete(&low, with(response, vec![floor(3, user, i64::MAX)]));
    assert!(deleted.is_deleted(&user));
}

#[test]
fn a_token_is_refused_below_its_users_floor_and_not_at_it() {
    let mint = TokenMint::default();
    let claims = mint.claims(NOW);
    let verified = Verified {
        kid: mint.key.kid().into(),
        caller: Caller::from(&claims),
    };
    for (generation, outcome) in [(0, Ok(())), (1, Ok(())), (2, Err(Refusal::Revoked))] {
        let response = with(mint.sync_response(), vec![floor(1, claims.user_id, generation)]);
        let view = complete(&View::default(), response);
        assert_eq!(view.check(&verified, NOW), outcome, "floor {generation}");
    }
}

#[test]
fn a_revocation_is_kept_until_it_expires_and_for_ever_without_an_end() {
    let (brief, rounded, endless) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let revocations = vec![
        until(token(1, brief), NOW, 0),
        until(token(2, rounded), NOW, 1),
        token(3, endless),
        until(floor(4, brief, 7), NOW + 60, 0),
    ];
    let view = complete(
        &View::default(),
        with(TokenMint::default().sync_response(), revocations),
    );

    assert_eq!(view.pruned(NOW - 1), None);
    let pruned = view.pruned(NOW).unwrap();
    assert!(!pruned.is_revoked(&brief) && pruned.is_revoked(&rounded) && pruned.is_revoked(&endless));
    assert_eq!(pruned.floor(&brief), Some(7));
    let last = pruned.pruned(NOW + 10_000_000).unwrap();
    assert_eq!(last.revocations(), 1);
    assert!(last.is_revoked(&endless));
    assert_eq!(
        (last.cursor(), last.fresh_as_of()),
        (4, view.fresh_as_of()),
        "forgetting changes nothing else"
    );
}

#[test]
fn of_two_ends_of_one_revocation_the_later_holds() {
    let id = Uuid::new_v4();
    let response = TokenMint::default().sync_response();
    for ends in [[NOW + 50, NOW], [NOW, NOW + 50]] {
        let mut view = View::default();
        for end in ends {
            view = complete(&view, with(response.clone(), vec![until(token(1, id), end, 0)]));
        }
        assert!(view.pruned(NOW + 49).is_none(), "{ends:?}");
    }
}

#[test]
fn subjects_of_a_wrong_size_are_left_out() {
    let mut short = token(1, Uuid::nil());
    short.subject = Some(proto::auth::v1::revocation::Subject::Token(vec![1, 2, 3]));
    let view = complete(
        &View::default(),
        with(TokenMint::default().sync_response(), vec![short]),
    );
    assert_eq!((view.revocations(), view.cursor()), (0, 1));
}

#[test]
fn a_hundred_thousand_revocations_are_all_found_and_all_forgotten() {
    let ids: Vec<_> = (0..100_000).map(|_| Uuid::new_v4()).collect();
    let mut view = View::default();
    for (page, chunk) in (0..).zip(ids.chunks(10_000)) {
        let revocations = (page * 10_000 + 1..)
            .zip(chunk)
            .map(|(number, id)| until(token(number, *id), NOW, 0));
        view = complete(&view, with(TokenMint::default().sync_response(), revocations.collect()));
    }

    assert_eq!(view.revocations(), ids.len());
    assert!(ids.iter().all(|id| view.is_revoked(id)));
    assert!(!view.is_revoked(&Uuid::new_v4()));
    assert_eq!(view.pruned(NOW).unwrap().revocations(), 0);
}

/// What the auth service knows at some time.
#[derive(Clone)]
struct History {
    epoch: i64,
    tokens: Vec<Uuid>,
}

/// What happens between an auth service and a verifier.
#[derive(Clone, Debug)]
enum Event {
    Revoke,
    /// A Sync begins, with pages of so many.
    Begin(usize),
    /// A Sync in flight reaches the auth service.
    Reach(usize),
    /// An answer arrives.
    Arrive(usize),
    Recover,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => Just(Event::Revoke),
        4 => (1..4_usize).prop_map(Event::Begin),
        4 => (0..4_usize).prop_map(Event::Reach),
        4 => (0..4_usize).prop_map(Event::Arrive),
        1 => Just(Event::Recover),
    ];
    prop::collection::vec(event, 1..150)
}

struct Flight {
    page: usize,
    reply: Reply,
    answered: bool,
}

impl History {
    /// Answers as TrustService.Sync does, except that it takes a cursor of any epoch at its word.
    fn answer(&self, flight: &mut Flight) {
        let cursor = usize::try_from(flight.reply.request.cursor)
            .unwrap()
            .min(self.tokens.len());
        let numbered = (1..).zip(&self.tokens).skip(cursor).take(flight.page);
        let response = SyncResponse {
            epoch: self.epoch,
            complete: cursor + flight.page >= self.tokens.len(),
            next_cursor: flight.reply.request.cursor,
            ..SyncResponse::default()
        };
        flight.reply.response = with(response, numbered.map(|(number, id)| token(number, *id)).collect());
        flight.answered = true;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_view_as_of_a_moment_holds_all_that_was_revoked_before_it(events in events()) {
        let mut history = History { epoch: 1, tokens: Vec::new() };
        let mut past: BTreeMap<Duration, History> = BTreeMap::new();
        let mut flights: Vec<Flight> = Vec::new();
        let mut view = View::default();
        for (now, event) in (1..).map(Duration::from_millis).zip(events) {
            past.insert(now, history.clone());
            match event {
                Event::Revoke => history.tokens.push(Uuid::new_v4()),
                Event::Recover => history = History { epoch: history.epoch + 1, tokens: history.tokens.split_off(history.tokens.len() / 2) },
                Event::Begin(page) => flights.push(Flight {
                    page,
                    reply: Reply { started: now, request: view.request(), response: SyncResponse::default() },
                    answered: false,
                }),
                Event::Reach(which) => if let Some(flight) = flights.get_mut(which) {
                    history.answer(flight);
                },
                Event::Arrive(which) => {
                    let answered = flights.get(which).is_some_and(|flight| flight.answered);
                    let merged = answered.then(|| view.merge(flights.swap_remove(which).reply));
                    if let Some(Merge::Complete(next) | Merge::Partial(next)) = merged {
                        prop_assert!(next.epoch() > view.epoch() || next.cursor() >= view.cursor());
                        view = next;
                    }
                }
            }
            let Some(as_of) = view.fresh_as_of() else { continue };
            let then = &past[&as_of];
            prop_assert!(view.epoch() >= then.epoch);
            if view.epoch() == then.epoch {
                prop_assert!(then.tokens.iter().all(|id| view.is_revoked(id)), "a revocation is missing");
            }
        }
    }
}
