//! A token that is used at every door without a pause while its session ends.

use std::time::{Duration, Instant};

use crate::{
    door::{Answer, Door},
    load::{Call, Load},
};

/// How many at each door go on and on.
const LOOPS: usize = 2;

/// How many calls are sent the moment that the end is known.
const SALVO: usize = 140;

/// How soon after the reply a call counts as sent at once.
const AT_ONCE: Duration = Duration::from_millis(50);

/// What became of a session's calls.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Accepted, begun before the reply.
    pub before: usize,
    /// Begun after the reply.
    pub after: usize,
    /// Of those, begun within [`AT_ONCE`].
    pub at_once: usize,
    /// Begun after the reply, and accepted.
    pub accepted: usize,
    /// Begun after the reply, when it could not be told.
    pub unavailable: usize,
    /// Answers that nobody should get.
    pub odd: Vec<String>,
}

/// Uses a token until so many calls were begun after `end` had its reply.
pub async fn under_fire(doors: &[Door], token: &str, calls: usize, end: impl Future<Output = ()>) -> Tally {
    let callers = doors.iter().map(|door| door.caller(token)).collect();
    let mut load = Load::start(callers, LOOPS);
    load.until_each("each door accepts", LOOPS, |answer| *answer == Answer::Accepted)
        .await;

    end.await;
    let replied = Instant::now();

    load.salvo(SALVO);
    load.until("enough calls", |all| {
        all.iter().filter(|call| call.began >= replied).count() >= calls
    })
    .await;
    Tally::of(&load.stop().await, replied)
}

impl Tally {
    fn of(calls: &[Call<Answer>], replied: Instant) -> Self {
        let mut tally = Self::default();
        for call in calls {
            let late = call.began >= replied;
            tally.after += usize::from(late);
            tally.at_once += usize::from(late && call.began <= replied + AT_ONCE);
            match &call.answer {
                Answer::Accepted if late => tally.accepted += 1,
                Answer::Accepted => tally.before += 1,
                Answer::Unavailable if late => tally.unavailable += 1,
                Answer::Refused | Answer::Unavailable => {}
                odd => tally.odd.push(format!("{odd:?}")),
            }
        }
        tally
    }

    /// Those of several sessions together.
    pub fn add(&mut self, other: Self) {
        self.before += other.before;
        self.after += other.after;
        self.at_once += other.at_once;
        self.accepted += other.accepted;
        self.unavailable += other.unavailable;
        self.odd.extend(other.odd);
    }
}
