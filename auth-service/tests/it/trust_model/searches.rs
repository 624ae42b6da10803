//! In no order of events is a request accepted that began after the reply, is a live token refused, or does anybody
//! wait for a Sync that nobody begins.

use super::{
    explorer::{
        Landmark::{
            Accepted, Expired, HistoryLost, NothingNew, OldEpochDropped, PageCame, ReplicaGaveUp, ReplicaPassedOver,
            ReplyOvertaken, RequestDied, RevocationDeleted, Revoked, TwoCallsInFlight, TwoReadingsInFlight,
            Unavailable, UnknownKey, ViewForgot,
        },
        explore,
    },
    worlds,
};

#[test]
fn the_promise_holds_with_two_syncs_in_flight_everywhere() {
    let landmarks = [
        Accepted,
        Revoked,
        TwoCallsInFlight,
        TwoReadingsInFlight,
        ReplyOvertaken,
        NothingNew,
    ];
    explore(&worlds::cold()).holds(&landmarks);
    explore(&worlds::idle()).holds(&landmarks);
    explore(&worlds::plain()).holds(&landmarks);
}

#[test]
fn the_promise_holds_when_calls_replies_and_statements_get_lost() {
    explore(&worlds::lossy()).holds(&[Accepted, Revoked, Unavailable, ReplicaGaveUp, TwoCallsInFlight]);
}

#[test]
fn the_promise_holds_when_processes_are_killed_at_any_time() {
    explore(&worlds::mortal()).holds(&[Accepted, Revoked, RequestDied, ReplyOvertaken]);
}

#[test]
fn the_promise_holds_when_another_replica_takes_over() {
    explore(&worlds::two_replicas()).holds(&[Accepted, Revoked, ReplicaPassedOver, TwoCallsInFlight]);
}

#[test]
fn the_promise_holds_for_what_a_replica_decides_itself() {
    explore(&worlds::deciding_replica()).holds(&[Accepted, Revoked, Unavailable, RequestDied, TwoReadingsInFlight]);
}

#[test]
fn the_promise_holds_for_changes_at_the_same_time() {
    explore(&worlds::two_changes()).holds(&[Accepted, Revoked, TwoCallsInFlight, ReplyOvertaken]);
}

#[test]
fn the_promise_holds_when_revocations_come_in_pages() {
    explore(&worlds::small_pages()).holds(&[Accepted, Revoked, PageCame, TwoCallsInFlight, ReplyOvertaken]);
}

#[test]
fn the_promise_holds_for_a_retired_key() {
    explore(&worlds::two_keys()).holds(&[Accepted, Revoked, TwoCallsInFlight]);
}

#[test]
fn the_promise_holds_across_epochs() {
    let landmarks = [Accepted, UnknownKey, OldEpochDropped, TwoCallsInFlight];
    explore(&worlds::two_epochs()).holds(&landmarks);
    explore(&worlds::reused_numbers()).holds(&[Accepted, Revoked, OldEpochDropped]);
}

#[test]
fn nothing_dead_is_accepted_from_a_database_that_knows_less_than_everybody_else() {
    explore(&worlds::forgetful_database()).holds(&[Accepted, Revoked, UnknownKey, HistoryLost]);
}

#[test]
fn the_promise_holds_while_clocks_that_are_ten_minutes_apart_in_sum_let_revocations_go() {
    let landmarks = [Accepted, Revoked, Expired, RevocationDeleted, ViewForgot];
    explore(&worlds::clocks_apart(150)).holds(&landmarks);
}
