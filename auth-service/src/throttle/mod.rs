//! Slowing down those who guess passwords, without ever locking anybody out.

mod backoff;
mod failures;
mod network;
mod quota;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::hmac;
use service_kit::{clock::SharedClock, rate_limit::RateLimit};

pub(crate) use self::network::Network;
use self::{failures::FailureWindow, quota::Quota};
use crate::{
    error::Error,
    store::{Entry, FailureRow, Store},
};

/// How long failures of an account are remembered after the last one, in microseconds: a day.
pub(crate) const FAILURES_KEPT: i64 = 24 * 3_600 * 1_000_000;

/// For how long a network counts as one that an account is used from, in microseconds: 30 days.
pub(crate) const NETWORK_KEPT: i64 = 30 * 24 * 3_600 * 1_000_000;

/// Decides when the next attempt with a password may be made.
///
/// Accounts are named by their canonical address, registered or not, and kept under a keyed hash: of accounts in the
/// database, for all replicas; of networks in this replica's memory, bounded.
pub(crate) struct Throttle {
    store: Store,
    clock: SharedClock,
    key: hmac::Key,
    networks: Mutex<FailureWindow>,
    registrations: Mutex<Quota>,
}

/// What one network has left of something. Times are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    remaining: u64,
    /// How long until there is more.
    reset: i64,
}

/// An attempt that was admitted.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    account: Vec<u8>,
    /// The account seen from the network.
    pair: Vec<u8>,
    network: Network,
    failed_before: bool,
}

impl Throttle {
    /// A throttle that knows no network yet. `registrations` is how many one network gets in 10 minutes, 0 for any
    /// number.
    pub(crate) fn new(store: Store, clock: SharedClock, key: &[u8], registrations: u32) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            networks: Mutex::default(),
            registrations: Mutex::new(Quota::new(registrations)),
        })
    }

    /// Asks for an attempt on an account from an address.
    ///
    /// # Errors
    /// [`Error::Throttled`] with the time to wait. Such an attempt does not count.
    pub(crate) async fn admit(&self, account: &str, client: IpAddr) -> Result<Attempt, Error> {
        let now = self.now();
        let network = Network::of(client);
        let limit = self.failures_left(client);
        if limit.remaining == 0 {
            return Err(Error::Throttled(limit));
        }
        let attempt = Attempt {
            account: self.hash(&[b"account", account.as_bytes()]),
            pair: self.hash(&[b"pair", account.as_bytes(), &network.to_bytes()]),
            network,
            failed_before: false,
        };
        let [pair, whole] = self.store.failures(&attempt.pair, &attempt.account).await?;
        self.take_turn(&attempt.pair, pair, backoff::from_one_network(pair.failures), now)
            .await?;
        let from_anywhere = backoff::from_anywhere(whole.failures);
        if from_anywhere > 0 && !self.store.is_known_network(&attempt.pair, now - NETWORK_KEPT).await? {
            self.take_turn(&attempt.account, whole, from_anywhere, now).await?;
        }
        Ok(Attempt {
            failed_before: pair.failures + whole.failures > 0,
            ..attempt
        })
    }

    /// What to write after an attempt with a wrong password.
    pub(crate) fn failed(&self, attempt: &Attempt) -> [Entry; 2] {
        let at = self.now();
        lock(&self.networks).record(attempt.network, at);
        [attempt.account.clone(), attempt.pair.clone()].map(|key| Entry::Failure { key, at })
    }

    /// What to write after an attempt with the right password.
    pub(crate) fn succeeded(&self, attempt: &Attempt) -> Vec<Entry> {
        let network = Entry::Network {
            key: attempt.pair.clone(),
            at: self.now(),
        };
        let forgotten = [attempt.account.clone(), attempt.pair.clone()].map(|key| Entry::Forget { key });
        let forgotten = forgotten.into_iter().filter(|_| attempt.failed_before);
        forgotten.chain([network]).collect()
    }

    /// Asks for a registration from an address, and counts it.
    ///
    /// # Errors
    /// [`Error::TooManyRegistrations`] with the time to wait.
    pub(crate) fn admit_registration(&self, client: IpAddr) -> Result<(), Error> {
        let mut registrations = lock(&self.registrations);
        let quota = registrations.limit();
        let taken = registrations.take(Network::of(client), self.now());
        taken.map_err(|left| Error::TooManyRegistrations(limit("registrations", quota.into(), quota::SPAN, left)))
    }

    /// What the network of an address may still fail at, here.
    pub(crate) fn failures_left(&self, client: IpAddr) -> RateLimit {
        let left = lock(&self.networks).left(Network::of(client), self.now());
        limit("network", failures::LIMIT as u64, failures::SPAN, left)
    }

    /// How often the network of an address may still register, here. `None` is any number of times.
    pub(crate) fn registrations_left(&self, client: IpAddr) -> Option<RateLimit> {
        let registrations = lock(&self.registrations);
        let quota = registrations.limit();
        let left = registrations.left(Network::of(client), self.now());
        (quota > 0).then(|| limit("registrations", quota.into(), quota::SPAN, left))
    }

    /// While there is a delay, one attempt is let through each time it has passed, of however many that come at once.
    async fn take_turn(&self, key: &[u8], row: FailureRow, delay: i64, now: i64) -> Result<(), Error> {
        if delay == 0 {
            return Ok(());
        }
        let wait = row.last_attempt_at + delay - now;
        if wait > 0 {
            return Err(one_in(delay, wait.min(delay)));
        }
        match self.store.take_attempt(key, row, now).await? {
            true => Ok(()),
            false => Err(one_in(delay, delay)),
        }
    }

    fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign().as_ref().to_vec()
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle").finish_non_exhaustive()
    }
}

/// After failures in a row there is one attempt in so long a time.
fn one_in(delay: i64, wait: i64) -> Error {
    let left = Left {
        remaining: 0,
        reset: wait,
    };
    Error::Throttled(limit("account", 1, delay, left))
}

fn limit(policy: &'static str, quota: u64, window: i64, left: Left) -> RateLimit {
    RateLimit {
        policy,
        quota,
        window: micros(window),
        remaining: left.remaining,
        reset: micros(left.reset),
    }
}

fn micros(wait: i64) -> Duration {
    Duration::from_micros(u64::try_from(wait).unwrap_or_default())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
