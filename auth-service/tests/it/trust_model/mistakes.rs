//! The searches find what they look for: each mistake breaks the promise in a world where it holds without.

use super::{
    explorer::explore,
    setup::{Change, Fault, Setup},
    world::DEAD_TOKEN_ACCEPTED,
    worlds,
};

fn breaks_the_promise(world: &Setup) {
    explore(world).breaks(DEAD_TOKEN_ACCEPTED);
}

#[test]
fn reading_the_clock_after_sending_is_found() {
    breaks_the_promise(&worlds::plain().with(Fault::VerifierStampsAfterSending));
    breaks_the_promise(&worlds::plain().with(Fault::ReplicaStampsAfterSending));
}

#[test]
fn numbers_from_a_sequence_are_found() {
    breaks_the_promise(&worlds::two_changes().with(Fault::NumbersFromASequence));
}

#[test]
fn floors_that_are_pruned_early_are_found() {
    breaks_the_promise(&worlds::clocks_apart(150).with(Fault::FloorsPrunedEarly));
}

#[test]
fn a_replacement_instead_of_a_union_is_found() {
    breaks_the_promise(&worlds::plain().with(Fault::ReplacedInsteadOfUnited));
}

#[test]
fn a_late_reply_of_an_epoch_that_is_over_is_found_if_it_is_taken() {
    breaks_the_promise(&worlds::two_epochs().with(Fault::OldEpochTaken));
}

#[test]
fn a_page_that_is_taken_for_the_end_of_the_history_is_found() {
    breaks_the_promise(&worlds::small_pages().with(Fault::PageTakenForTheEnd));
}

#[test]
fn a_replica_that_answers_without_asking_the_database_is_found() {
    breaks_the_promise(&worlds::plain().with(Fault::AnsweredWithoutAsking));
}

#[test]
fn a_request_that_is_decided_by_whatever_view_there_is_is_found() {
    breaks_the_promise(&worlds::plain().with(Fault::DecidedByAnyView));
}

#[test]
fn clocks_that_are_further_apart_are_outside_the_promise() {
    breaks_the_promise(&worlds::clocks_apart(151));
}

/// SECURITY.md says so: whoever had not heard of a logout cannot know that it is missing.
#[test]
fn a_restored_database_that_serves_before_it_is_recovered_is_outside_the_promise() {
    breaks_the_promise(&Setup {
        changes: vec![Change::Logout(0), Change::Restore],
        in_order: true,
        ..worlds::plain()
    });
}
