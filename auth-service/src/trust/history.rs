use std::collections::VecDeque;

use proto::auth::v1::{self as pb, revocation::Subject as PbSubject};

use crate::store::{RevocationRow, StoredKey, Subject, SyncRead};

/// What the database said so far, in the order of numbers: the revocations of one epoch, and the keys that verify.
///
/// It has no gaps: a number that is missing was pruned or never used. A plain value, so that a model can step through
/// every order of what happens to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History {
    epoch: i64,
    counter: i64,
    lost: bool,
    keys: Vec<pb::VerifyingKey>,
    rows: VecDeque<RevocationRow>,
}

impl History {
    /// Takes over what one statement read for this replica's own view, which stood at `request`, and answers the view.
    /// `limit` is how many revocations the statement read at most.
    pub fn take(&mut self, request: pb::SyncRequest, read: &SyncRead, limit: usize) -> pb::SyncResponse {
        let cursor = if request.epoch == read.epoch { request.cursor } else { 0 };
        if cursor > read.counter {
            self.lose(read.epoch);
            return lost(read.epoch, cursor);
        }
        self.append(read);
        pb::SyncResponse {
            epoch: read.epoch,
            next_cursor: read.revocations.last().map_or(cursor, |row| row.number),
            complete: read.revocations.len() < limit,
            history_lost: false,
            keys: read.keys.iter().map(verifying_key).collect(),
            revocations: read.revocations.iter().map(revocation).collect(),
        }
    }

    /// The reply to a verifier that stands at `request`: a page of revocations, from the beginning if it comes from
    /// another epoch. `fresh` is the epoch of the view that made this history current: a history that has gone on to
    /// the next epoch since may still be loading.
    pub fn reply(&self, request: pb::SyncRequest, fresh: i64, page: usize) -> pb::SyncResponse {
        let cursor = if request.epoch == self.epoch { request.cursor } else { 0 };
        if self.lost || cursor > self.counter {
            return lost(self.epoch, cursor);
        }
        let from = self.rows.partition_point(|row| row.number <= cursor);
        let rows: Vec<&RevocationRow> = self.rows.range(from..).take(page).collect();
        pb::SyncResponse {
            epoch: self.epoch,
            next_cursor: rows.last().map_or(cursor, |row| row.number),
            complete: fresh == self.epoch && from + rows.len() == self.rows.len(),
            history_lost: false,
            keys: self.keys.clone(),
            revocations: rows.into_iter().map(revocation).collect(),
        }
    }

    /// Drops what may be forgotten at a time, in microseconds since the epoch, and gives its memory back.
    pub fn prune(&mut self, now: i64) {
        self.rows.retain(|row| row.expires_at.is_none_or(|due| due.get() > now));
        if self.rows.capacity() > 2 * self.rows.len() + 1024 {
            self.rows.shrink_to_fit();
        }
    }

    /// Whether the database knows less than it once said. Only a higher epoch ends this.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// How many revocations are held.
    pub fn held(&self) -> usize {
        self.rows.len()
    }

    /// Takes over what the database said to someone whose cursor this history has reached.
    fn append(&mut self, read: &SyncRead) {
        if read.epoch < self.epoch {
            return;
        }
        if read.epoch > self.epoch {
            *self = Self {
                epoch: read.epoch,
                ..Self::default()
            };
        }
        let last = self.rows.back().map_or(0, |row| row.number);
        let later = read.revocations.iter().filter(|row| row.number > last);
        self.rows.extend(later.cloned());
        self.counter = self.counter.max(read.counter);
        self.keys = read.keys.iter().map(verifying_key).collect();
    }

    fn lose(&mut self, epoch: i64) {
        if epoch >= self.epoch {
            self.epoch = epoch;
            self.lost = true;
        }
    }
}

/// The reply that stops a verifier until the next epoch.
fn lost(epoch: i64, cursor: i64) -> pb::SyncResponse {
    pb::SyncResponse {
        epoch,
        next_cursor: cursor,
        history_lost: true,
        ..Default::default()
    }
}

fn verifying_key(key: &StoredKey) -> pb::VerifyingKey {
    pb::VerifyingKey {
        kid: key.kid.clone(),
        public_key: key.public_key.clone(),
    }
}

fn revocation(row: &RevocationRow) -> pb::Revocation {
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

    fn numbers(history: &History, epoch: i64, cursor: i64) -> Vec<i64> {
        history
            .reply(pb::SyncRequest { epoch, cursor }, epoch, 10_000)
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
        let mut history = History::default();
        history.append(&read(1, [1, 2, 5]));
        history.append(&read(1, [1, 2]));
        history.append(&read(1, [2, 5, 6]));

        assert_eq!(numbers(&history, 1, 0), [1, 2, 5, 6]);
        assert_eq!(numbers(&history, 1, 2), [5, 6]);
    }

    #[test]
    fn long_histories_come_in_pages() {
        let mut history = History::default();
        history.append(&read(1, 1..=25_000));

        let mut cursor = 0;
        let sizes: Vec<(usize, bool)> = (0..3)
            .map(|_| {
                let reply = history.reply(pb::SyncRequest { epoch: 1, cursor }, 1, 10_000);
                cursor = reply.next_cursor;
                (reply.revocations.len(), reply.complete)
            })
            .collect();
        assert_eq!(sizes, [(10_000, false), (10_000, false), (5_000, true)]);
        assert_eq!(cursor, 25_000);
    }

    #[test]
    fn a_cursor_beyond_the_counter_is_told_that_history_is_lost() {
        let mut history = History::default();
        history.append(&read(1, [1, 2]));

        assert!(
            history
                .reply(pb::SyncRequest { epoch: 1, cursor: 3 }, 1, 10_000)
                .history_lost
        );
        assert!(
            !history
                .reply(pb::SyncRequest { epoch: 1, cursor: 2 }, 1, 10_000)
                .history_lost
        );
        let other_epoch = history.reply(pb::SyncRequest { epoch: 2, cursor: 9 }, 1, 10_000);
        assert_eq!((other_epoch.epoch, other_epoch.history_lost), (1, false));
    }

    #[test]
    fn a_history_that_loads_the_next_epoch_is_not_called_complete() {
        let mut history = History::default();
        history.append(&read(1, [1, 2]));
        history.append(&read(2, 1..=10_000));

        assert!(
            !history
                .reply(pb::SyncRequest { epoch: 1, cursor: 2 }, 1, 10_000)
                .complete
        );
        assert!(
            history
                .reply(pb::SyncRequest { epoch: 1, cursor: 2 }, 2, 10_000)
                .complete
        );
    }

    #[test]
    fn history_stays_lost_until_the_next_epoch() {
        let mut history = History::default();
        history.append(&read(1, [1, 2]));
        history.lose(1);
        history.append(&read(1, [1, 2, 3]));
        assert!(
            history
                .reply(pb::SyncRequest { epoch: 1, cursor: 0 }, 1, 10_000)
                .history_lost
        );

        history.append(&read(2, [7]));
        assert_eq!(numbers(&history, 1, 2), [7]);
    }

    #[test]
    fn what_expired_is_dropped_and_nothing_else() {
        let mut history = History::default();
        history.append(&read(1, [10, 20, 30]));
        history.prune(20);

        assert_eq!(numbers(&history, 1, 0), [30]);
        history.append(&read(1, [30, 40]));
        assert_eq!(numbers(&history, 1, 0), [30, 40]);
    }
}
