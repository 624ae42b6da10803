//! The rules of freshness by themselves, by driving them at random.

use std::time::Duration;

use access_token::freshness::{Ended, MOST_IN_FLIGHT, Next, Schedule, Verdict, judge, needed, needed_for_unknown_key};
use proptest::prelude::*;

use crate::kit::ms;

const IDLE: Duration = ms(5000);
const TIMEOUT: Duration = ms(300);

#[test]
fn a_view_decides_exactly_the_requests_that_arrived_before_its_sync_began() {
    let judge = |need, fresh, failing, now| judge(ms(need), fresh, failing, ms(now), ms(1000));
    for (fresh, failing, now, verdict) in [
        (Some(ms(50)), None, 60, Verdict::Fresh),
        (Some(ms(49)), None, 60, Verdict::Wait),
        (None, None, 60, Verdict::Wait),
        (None, Some(ms(40)), 1039, Verdict::Wait),
        (None, Some(ms(40)), 1040, Verdict::Unavailable),
        (Some(ms(49)), Some(ms(40)), 2000, Verdict::Unavailable),
        (Some(ms(50)), Some(ms(40)), 2000, Verdict::Fresh),
    ] {
        assert_eq!(judge(50, fresh, failing, now), verdict, "{fresh:?} {failing:?} {now}");
    }
}

#[test]
fn allowed_staleness_moves_what_is_needed_back_and_not_below_the_beginning() {
    assert_eq!(needed(ms(700), ms(0)), ms(700));
    assert_eq!(needed(ms(700), ms(300)), ms(400));
    assert_eq!(needed(ms(700), ms(900)), ms(0));
}

#[test]
fn unknown_keys_move_what_is_needed_forward_once_per_idle_time() {
    assert_eq!(needed_for_unknown_key(None, ms(10), IDLE), ms(10));
    assert_eq!(needed_for_unknown_key(Some(ms(10)), ms(5009), IDLE), ms(10));
    assert_eq!(needed_for_unknown_key(Some(ms(10)), ms(5010), IDLE), ms(5010));
}

/// A schedule whose Syncs have all taken as long, the last of which began at 1,000 ms and is still under way.
fn with_round_trips_of(round_trip: Duration) -> Schedule {
    let mut schedule = Schedule::default();
    for place in 0..50 {
        schedule.begin(ms(10 * place));
        schedule.end(ms(10 * place), Ended::Complete, ms(10 * place) + round_trip, TIMEOUT);
    }
    schedule.begin(ms(1000));
    schedule
}

#[test]
fn one_begins_every_millisecond_or_every_other_where_syncs_take_longer() {
    let (now, waiting) = (ms(1001) - ms(1) / 4, Some(ms(1001) - ms(1) / 2));
    for (round_trip, turn) in [(0, 1001), (900, 1001), (1100, 1002), (2500, 1002), (300_000, 1002)] {
        let schedule = with_round_trips_of(Duration::from_micros(round_trip));
        let next = schedule.next(waiting, Some(ms(1)), now, IDLE);
        assert_eq!(next, Next::At(ms(turn)), "{round_trip} µs");
    }
}

#[test]
fn after_a_rest_a_sync_begins_at_once_however_long_syncs_take() {
    let mut schedule = with_round_trips_of(ms(300));
    schedule.end(ms(1000), Ended::Complete, ms(1300), TIMEOUT);
    assert_eq!(
        schedule.next(Some(ms(1301)), Some(ms(1000)), ms(1301), IDLE),
        Next::Begin
    );
    assert_eq!(
        schedule.next(Some(ms(999)), Some(ms(1000)), ms(1301), IDLE),
        Next::AtRest(ms(6000))
    );
}

/// What happens to a schedule, and after how many tenths of a millisecond.
#[derive(Clone, Debug)]
enum Event {
    Arrive,
    End(usize, Ended),
    Nothing,
}

fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let ended = prop_oneof![4 => Just(Ended::Complete), 1 => Just(Ended::Partial), 2 => Just(Ended::Failed)];
    let event = prop_oneof![
        3 => Just(Event::Arrive),
        3 => (0..2_usize, ended).prop_map(|(which, ended)| Event::End(which, ended)),
        1 => Just(Event::Nothing),
    ];
    prop::collection::vec((prop_oneof![4 => 0..30_u64, 1 => 0..60_000_u64], event), 1..200)
}

/// A schedule, and what a driver would know beside it.
#[derive(Default)]
struct Run {
    schedule: Schedule,
    begun: Vec<Duration>,
    need: Option<Duration>,
    fresh: Option<Duration>,
    now: Duration,
}

impl Run {
    fn next(&self) -> Next {
        self.schedule.next(self.need, self.fresh, self.now, IDLE)
    }

    /// Does what the schedule says until `time`, then lets the event happen.
    fn step(&mut self, time: Duration, event: &Event) -> Result<(), TestCaseError> {
        let until = self.now + time;
        loop {
            match self.next() {
                Next::Begin => self.begin()?,
                Next::At(at) | Next::AtRest(at) if at <= until => {
                    prop_assert!(at > self.now, "a time that has come is no time to wait for");
                    self.now = at;
                }
                _ => break,
            }
        }
        self.now = until;
        match event {
            Event::Arrive => self.need = Some(self.now),
            Event::End(which, ended) => self.end(*which, *ended),
            Event::Nothing => {}
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), TestCaseError> {
        if let Some(last) = self.begun.last() {
            prop_assert!(
                self.now.as_millis() > last.as_millis(),
                "two begin within a millisecond"
            );
        }
        self.schedule.begin(self.now);
        self.begun.push(self.now);
        prop_assert!(self.schedule.in_flight().len() <= MOST_IN_FLIGHT);
        Ok(())
    }

    fn end(&mut self, which: usize, ended: Ended) {
        let Some(started) = self.schedule.in_flight().get(which).copied() else {
            return;
        };
        self.schedule.end(started, ended, self.now, TIMEOUT);
        if ended == Ended::Complete {
            self.fresh = self.fresh.max(Some(started));
        }
    }

    /// While nothing fails, the next one begins soon after the last.
    fn nothing_is_held_back(&self) -> Result<(), TestCaseError> {
        let last = self.begun.last().copied();
        if let (Some(last), Next::At(at), None) = (last, self.next(), self.schedule.failing_since()) {
            prop_assert!(at <= last + ms(2), "{:?}", self.schedule);
        }
        Ok(())
    }

    /// Whoever waits is served by what is in flight, or something will begin in time.
    fn somebody_is_served(&self) -> Result<(), TestCaseError> {
        let Some(need) = self.need.filter(|need| self.fresh.is_none_or(|fresh| fresh < *need)) else {
            return Ok(());
        };
        let reached = self.schedule.in_flight().iter().any(|begun| *begun >= need);
        let soon = match self.next() {
            Next::Begin => true,
            Next::At(at) => at <= self.now + ms(200),
            Next::AtRest(_) => false,
            Next::AfterOneEnds => true,
        };
        prop_assert!(
            reached || soon,
            "a request waits and nothing begins: {:?}",
            self.schedule
        );
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_two_are_in_flight_at_most_one_begins_a_millisecond_and_nobody_waits_for_nothing(events in events()) {
        let mut run = Run::default();
        for (tenths, event) in events {
            run.step(Duration::from_micros(tenths * 100), &event)?;
            run.somebody_is_served()?;
            run.nothing_is_held_back()?;
        }
    }
}
