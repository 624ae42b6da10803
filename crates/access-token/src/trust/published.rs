//! From the driver to the requests: the newest view, and an answer to each who waits for one.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use super::{
    TrustUnavailable,
    freshness::{self, Verdict},
};
use crate::View;

/// What a request gets.
pub(super) type Answer = Result<Arc<View>, TrustUnavailable>;

/// What the driver tells: the view, and since when Syncs have failed. They are one value, so nobody sees the one
/// without the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    pub(super) view: Arc<View>,
    pub(super) failing_since: Option<Duration>,
}

impl Published {
    /// The answer to a need, unless it has to wait.
    fn answer(&self, need: Duration, now: Duration, patience: Duration) -> Option<Answer> {
        match freshness::judge(need, self.view.fresh_as_of(), self.failing_since, now, patience) {
            Verdict::Fresh => Some(Ok(self.view.clone())),
            Verdict::Unavailable => Some(Err(TrustUnavailable)),
            Verdict::Wait => None,
        }
    }
}

/// A request that waits.
struct Waiter {
    need: Duration,
    answer: oneshot::Sender<Answer>,
}

type Waiters = Arc<Mutex<Vec<Waiter>>>;

fn lock(waiters: &Waiters) -> MutexGuard<'_, Vec<Waiter>> {
    waiters.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes both ends.
pub(super) fn publishing() -> (Publisher, Reader) {
    let (newest, published) = watch::channel(Published::default());
    let waiters = Waiters::default();
    let reader = Reader {
        newest: published,
        waiters: waiters.clone(),
    };
    (Publisher { newest, waiters }, reader)
}

/// The driver's end.
pub(super) struct Publisher {
    newest: watch::Sender<Published>,
    waiters: Waiters,
}

impl Publisher {
    /// Publishes, and answers those who waited for this. The others are not woken.
    pub(super) fn publish(&self, published: &Published, now: Duration, patience: Duration) {
        self.newest.send_replace(published.clone());
        let answer = |waiter: &Waiter| published.answer(waiter.need, now, patience);
        let leaves = |waiter: &mut Waiter| waiter.answer.is_closed() || answer(waiter).is_some();
        let leaving: Vec<Waiter> = lock(&self.waiters).extract_if(.., leaves).collect();
        for waiter in leaving {
            if let Some(answer) = answer(&waiter) {
                // Who has gone needs no answer.
                drop(waiter.answer.send(answer));
            }
        }
    }
}

/// The requests' end.
#[derive(Clone)]
pub(super) struct Reader {
    newest: watch::Receiver<Published>,
    waiters: Waiters,
}

impl Reader {
    /// The newest view, however old.
    pub(super) fn view(&self) -> Arc<View> {
        self.newest.borrow().view.clone()
    }

    /// The answer to a need, unless it has to wait. Nobody is held up for it.
    pub(super) fn answer(&self, need: Duration, now: Duration, patience: Duration) -> Option<Answer> {
        self.newest.borrow().answer(need, now, patience)
    }

    /// Joins those who wait. Who joins has to look again: what was published before is told to nobody.
    pub(super) fn join(&self, need: Duration) -> oneshot::Receiver<Answer> {
        let (answer, told) = oneshot::channel();
        lock(&self.waiters).push(Waiter { need, answer });
        told
    }

    /// Waits until something is published or, with an error, the driver has ended.
    pub(super) async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        self.newest.changed().await
    }
}
