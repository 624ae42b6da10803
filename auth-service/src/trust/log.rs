//! What the database said so far, in the order of numbers, to answer Sync from memory.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use proto::auth::v1::{self as pb, revocation::Subject as PbSubject};

use crate::store::{RevocationRow, StoredKey, Subject, SyncRead};

/// The most revocations in one reply.
const PAGE: usize = 10_000;

/// The revocations of one epoch and the keys that verify. It has no gaps: a number that is missing was pruned or never
/// used.
#[derive(Debug, Default)]
pub(crate) struct RevocationLog(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    epoch: i64,
    counter: i64,
    history_lost: bool,
    keys: Vec<pb::VerifyingKey>,
    rows: VecDeque<RevocationRow>,
}

impl RevocationLog {
    /// Takes over what the database said to someone whose cursor this log has reached.
    pub(crate) fn append(&self, read: &SyncRead) {
        let mut state = self.lock();
        if read.epoch < state.epoch {
            return;
        }
        if read.epoch > state.epoch {
            *state = State {
                epoch: read.epoch,
                ..State::default()
            };
        }
        let last = state.rows.back().map_or(0, |row| row.number);
        let later = read.revocations.iter().filter(|row| row.number > last);
        state.rows.extend(later.cloned());
        state.counter = state.counter.max(read.counter);
        state.keys = read.keys.iter().map(verifying_key).collect();
    }

    /// Notes that the database knows less than it once said. Only a higher epoch ends this.
    pub(crate) fn lose_history(&self, epoch: i64) {
        let mut state = self.lock();
        if epoch >= state.epoch {
            state.epoch = epoch;
            state.history_lost = true;
        }
    }

    /// Whether the database knows less than it once said.
    pub(crate) fn history_lost(&self) -> bool {
        self.lock().history_lost
    }

    /// The reply to a verifier that stands at `request`: at most 10,000 revocations, from the beginning if it comes from
    /// another epoch. `fresh` is the epoch of the view that made this log current: a log that has gone on to the next
    /// one since may still be loading.
    pub(crate) fn reply(&self, request: pb::SyncRequest, fresh: i64) -> pb::SyncResponse {
        let state = self.lock();
        let cursor = if request.epoch == state.epoch {
            request.cursor
        } else {
            0
        };
        if state.history_lost || cursor > state.counter {
            return lost(state.epoch, cursor);
        }
        let from = state.rows.partition_point(|row| row.number <= cursor);
        let page: Vec<&RevocationRow> = state.rows.range(from..).take(PAGE).collect();
        pb::SyncResponse {
            epoch: state.epoch,
            next_cursor: page.last().map_or(cursor, |row| row.number),
            complete: fresh == state.epoch && from + page.len() == state.rows.len(),
            history_lost: false,
            keys: state.keys.clone(),
            revocations: page.into_iter().map(revocation).collect(),
        }
    }

    /// Drops what may be forgotten at a time, in microseconds since the epoch, and gives its memory back.
    pub(crate) fn prune(&self, now: i64) {
        let mut state = self.lock();
        state
            .rows
            .retain(|row| row.expires_at.is_none_or(|due| due.get() > now));
        if state.rows.capacity() > 2 * state.rows.len() + 1024 {
            state.rows.shrink_to_fit();
        }
    }

    /// How many revocations are held.
    pub(crate) fn held(&self) -> usize {
        self.lock().rows.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reply that stops a verifier until the next epoch.
pub(super) fn lost(epoch: i64, cursor: i64) -> pb::SyncResponse {
    pb::SyncResponse {
        epoch,
        next_cursor: cursor,
        history_lost: true,
        ..Default::default()
    }
}

pub(super) fn verifying_key(key: &StoredKey) -> pb::VerifyingKey {
    pb::VerifyingKey {
        kid: key.kid.clone(),
        public_key: key.public_key.clone(),
    }
}

pub(super) fn revocation(row: &RevocationRow) -> pb::Revocation {
    let subject = match &row.subject {
        Subject::Token(id) => PbSubject::Token(id.as_bytes().to_vec()),
        Subject::User(id, generation) => PbSubject::User(pb::GenerationFloor {
            user_id: id.as_bytes().to_vec(),
            generation: *generation,
        }),
        Subject::Key(kid) => PbSubject::Key(kid.to_string()),
    };
    pb::Revocation {
        number: row.number,
        subject: Some(subject),
        expires_at: row.expires_at.map(|due| crate::time::timestamp_of_micros(due.get())),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroI64;

    use super::*;
    use uuid::Uuid;

    fn read(epoch: i64, numbers: impl IntoIterator<Item = i64>) -> SyncRead {
        let revocations: Vec<_> = numbers
            .into_iter()
            .map(|number| RevocationRow {
                number,
                subject: Subject::Token(Uuid::from_u128(number as u128)),
                expires_at: NonZeroI64::new(number),
            })
            .collect();
        SyncRead {
            primary: true,
            epoch,
            counter: revocations.last().map_or(0, |row| row.number),
            keys: Vec::new(),
            revocations,
        }
    }

    fn numbers(log: &RevocationLog, epoch: i64, cursor: i64) -> Vec<i64> {
        log.reply(pb::SyncRequest { epoch, cursor }, epoch)
            .revocations
            .iter()
            .map(|r| r.number)
            .collect()
    }

    #[test]
    fn a_million_revocations_take_less_than_60_mb() {
        assert!(size_of::<RevocationRow>() <= 48);
    }

    #[test]
    fn a_late_reply_adds_nothing_twice() {
        let log = RevocationLog::default();
        log.append(&read(1, [1, 2, 5]));
        log.append(&read(1, [1, 2]));
        log.append(&read(1, [2, 5, 6]));

        assert_eq!(numbers(&log, 1, 0), [1, 2, 5, 6]);
        assert_eq!(numbers(&log, 1, 2), [5, 6]);
    }

    #[test]
    fn long_histories_come_in_pages() {
        let log = RevocationLog::default();
        log.append(&read(1, 1..=25_000));

        let mut cursor = 0;
        let sizes: Vec<(usize, bool)> = (0..3)
            .map(|_| {
                let reply = log.reply(pb::SyncRequest { epoch: 1, cursor }, 1);
                cursor = reply.next_cursor;
                (reply.revocations.len(), reply.complete)
            })
            .collect();
        assert_eq!(sizes, [(10_000, false), (10_000, false), (5_000, true)]);
        assert_eq!(cursor, 25_000);
    }

    #[test]
    fn a_cursor_beyond_the_counter_is_told_that_history_is_lost() {
        let log = RevocationLog::default();
        log.append(&read(1, [1, 2]));

        assert!(log.reply(pb::SyncRequest { epoch: 1, cursor: 3 }, 1).history_lost);
        assert!(!log.reply(pb::SyncRequest { epoch: 1, cursor: 2 }, 1).history_lost);
        let other_epoch = log.reply(pb::SyncRequest { epoch: 2, cursor: 9 }, 1);
        assert_eq!((other_epoch.epoch, other_epoch.history_lost), (1, false));
    }

    #[test]
    fn a_log_that_loads_the_next_epoch_is_not_called_complete() {
        let log = RevocationLog::default();
        log.append(&read(1, [1, 2]));
        log.append(&read(2, 1..=10_000));

        assert!(!log.reply(pb::SyncRequest { epoch: 1, cursor: 2 }, 1).complete);
        assert!(log.reply(pb::SyncRequest { epoch: 1, cursor: 2 }, 2).complete);
    }

    #[test]
    fn history_stays_lost_until_the_next_epoch() {
        let log = RevocationLog::default();
        log.append(&read(1, [1, 2]));
        log.lose_history(1);
        log.append(&read(1, [1, 2, 3]));
        assert!(log.reply(pb::SyncRequest { epoch: 1, cursor: 0 }, 1).history_lost);

        log.append(&read(2, [7]));
        assert_eq!(numbers(&log, 1, 2), [7]);
    }

    #[test]
    fn what_expired_is_dropped_and_nothing_else() {
        let log = RevocationLog::default();
        log.append(&read(1, [10, 20, 30]));
        log.prune(20);

        assert_eq!(numbers(&log, 1, 0), [30]);
        log.append(&read(1, [30, 40]));
        assert_eq!(numbers(&log, 1, 0), [30, 40]);
    }
}
