//! The primary, and what the statements read and write.

use std::{fmt, num::NonZeroI64};

use auth_service::store::{CLOCK_SKEW, FLOOR_LIFETIME, RevocationRow, StoredKey, Subject, SyncRead, TrustMark};
use proto::auth::v1::SyncRequest;

use super::setup::{Change, Fault, Place, Setup, USER, key, token_id};

const MICROS: i64 = 1_000_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Database {
    pub epoch: i64,
    pub counter: i64,
    /// Those that are not retired.
    keys: Vec<usize>,
    rows: Vec<RevocationRow>,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            epoch: 1,
            counter: 0,
            keys: vec![0],
            rows: Vec::new(),
        }
    }
}

impl Database {
    /// What the short statement says.
    pub fn mark(&self) -> TrustMark {
        let kids = || self.keys.iter().map(|number| key(*number).kid().to_owned());
        TrustMark {
            primary: true,
            epoch: self.epoch,
            counter: self.counter,
            keys: (self.keys.len() as i64, kids().min(), kids().max()),
        }
    }

    /// What the statement says that reads revocations.
    pub fn read(&self, request: SyncRequest, limit: usize) -> SyncRead {
        let cursor = if request.epoch == self.epoch { request.cursor } else { 0 };
        let later = self.rows.iter().filter(|row| row.number > cursor);
        SyncRead {
            primary: true,
            epoch: self.epoch,
            counter: self.counter,
            keys: self.keys.iter().map(|number| stored(*number)).collect(),
            revocations: later.take(limit).cloned().collect(),
        }
    }

    /// Commits a change whose number was drawn before.
    pub fn commit(&mut self, change: Change, number: i64, setup: &Setup, moment: usize) {
        self.counter = self.counter.max(number);
        match change {
            Change::Logout(token) => {
                let due = setup.tokens[token].expires_at * MICROS + CLOCK_SKEW;
                self.insert(number, Subject::Token(token_id(token)), Some(due));
            }
            Change::LogoutEverywhere(replica) => {
                let early = i64::from(setup.has(Fault::FloorsPrunedEarly)) * CLOCK_SKEW;
                let at = setup.clock(Place::Replica(replica), moment) * MICROS;
                self.insert(number, Subject::User(USER, 2), Some(at + FLOOR_LIFETIME - early));
            }
            Change::Publish(new) => self.keys.push(new),
            Change::Retire(old) => self.retire(old),
            Change::Restore => *self = Self::default(),
            Change::Recover(new) => self.recover(new),
            Change::RestoreAndRecover(new) => {
                // An epoch is the time of its beginning: none comes twice.
                let last = self.epoch;
                *self = Self::default();
                self.epoch = last;
                self.recover(new);
            }
        }
    }

    /// Deletes what may go by a time in microseconds, and says whether anything was there.
    pub fn prune(&mut self, now: i64) -> bool {
        let before = self.rows.len();
        self.rows.retain(|row| row.expires_at.is_none_or(|due| due.get() > now));
        self.rows.len() < before
    }

    fn recover(&mut self, new: usize) {
        self.epoch += 1;
        for old in self.keys.clone() {
            self.counter += 1;
            self.retire(old);
        }
        self.keys.push(new);
    }

    fn retire(&mut self, old: usize) {
        self.keys.retain(|number| *number != old);
        self.insert(self.counter, Subject::Key(key(old).kid().into()), None);
    }

    fn insert(&mut self, number: i64, subject: Subject, due: Option<i64>) {
        self.rows.push(RevocationRow {
            number,
            subject,
            expires_at: due.and_then(NonZeroI64::new),
        });
        self.rows.sort_unstable_by_key(|row| row.number);
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.epoch, self.counter)
    }
}

fn stored(number: usize) -> StoredKey {
    let key = key(number);
    StoredKey {
        kid: key.kid().to_owned(),
        public_key: key.public_key().to_vec(),
        private_key: None,
        created_at: 0,
        signs_from: 0,
        retired_at: None,
    }
}
