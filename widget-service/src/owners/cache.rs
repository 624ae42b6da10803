use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// What was learnt about addresses of late: within 30 s, for at most 10,000 users.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: HashMap<Uuid, Entry>,
    failed_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Entry {
    /// `None` when there is no such user.
    email: Option<String>,
    asked_at: DateTime<Utc>,
}

impl Cache {
    const LIFETIME: TimeDelta = TimeDelta::seconds(30);
    const CAPACITY: usize = 10_000;
    /// How long nobody is asked after nobody answered, so that an absent auth service does not slow down every list.
    const PAUSE: TimeDelta = TimeDelta::seconds(1);

    /// Whether a user's address, or that there is none, is still known.
    pub(super) fn knows(&self, id: &Uuid, now: DateTime<Utc>) -> bool {
        self.entries.get(id).is_some_and(|entry| entry.is_fresh(now))
    }

    /// A user's address, if it is still known.
    pub(super) fn email(&self, id: &Uuid, now: DateTime<Utc>) -> Option<&str> {
        self.entries
            .get(id)
            .filter(|entry| entry.is_fresh(now))?
            .email
            .as_deref()
    }

    /// Takes in the answer to a question that was asked at `now`: users that it leaves out do not exist.
    pub(super) fn learn(&mut self, asked: &[Uuid], found: &HashMap<Uuid, String>, now: DateTime<Utc>) {
        self.failed_at = None;
        self.entries.retain(|_, entry| entry.is_fresh(now));
        if self.entries.len() + asked.len() > Self::CAPACITY {
            self.entries.clear();
        }
        for id in asked.iter().take(Self::CAPACITY) {
            let email = found.get(id).cloned();
            self.entries.insert(*id, Entry { email, asked_at: now });
        }
    }

    /// Forgets a user.
    pub(super) fn forget(&mut self, id: &Uuid) {
        self.entries.remove(id);
    }

    /// Notes that nobody answered.
    pub(super) fn fail(&mut self, now: DateTime<Utc>) {
        self.failed_at = Some(now);
    }

    /// Whether it makes sense to ask.
    pub(super) fn may_ask(&self, now: DateTime<Utc>) -> bool {
        self.failed_at
            .is_none_or(|failed_at| !(failed_at..failed_at + Self::PAUSE).contains(&now))
    }
}

impl Entry {
    /// A clock that is set back makes nothing live longer.
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        (self.asked_at..self.asked_at + Cache::LIFETIME).contains(&now)
    }
}
