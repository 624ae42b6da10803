//! A burst of calls that change something, let through a few at a time.
//!
//! Tasks run in the order in which they became ready: behind the work of five hundred logins that arrive at once, a read
//! would wait for all of it. In turns, it waits for that of a few.

use std::{pin::pin, time::Duration};

use tokio::{runtime::Handle, sync::Semaphore, time};

/// How many calls are let through at once, for each thread of the runtime.
const TURNS: usize = 8;

/// How long a call keeps the next from its turn. One that takes longer waits for something, and is in nobody's way.
const TURN: Duration = Duration::from_millis(2);

/// Who is let through to one service.
#[derive(Debug)]
pub(super) struct Turns {
    free: Semaphore,
    length: Duration,
}

impl Turns {
    /// For the runtime of the caller.
    pub(super) fn here() -> Self {
        Self::new(TURNS * Handle::current().metrics().num_workers(), TURN)
    }

    fn new(number: usize, length: Duration) -> Self {
        let free = Semaphore::new(number);
        Self { free, length }
    }

    /// Makes a call when it is its turn.
    pub(super) async fn take<T>(&self, call: impl Future<Output = T>) -> T {
        // Nobody closes the semaphore.
        let turn = self.free.acquire().await;
        let mut call = pin!(call);
        if let Ok(outcome) = time::timeout(self.length, call.as_mut()).await {
            return outcome;
        }
        drop(turn);
        call.await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use futures_util::future::join_all;
    use tokio::task::yield_now;

    use super::Turns;

    #[tokio::test]
    async fn a_burst_is_let_through_a_few_at_a_time() {
        let turns = Turns::new(3, Duration::from_secs(3_600));
        let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let call = || async {
            most.fetch_max(under_way.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            yield_now().await;
            under_way.fetch_sub(1, Ordering::Relaxed);
        };

        join_all([(); 30].map(|()| turns.take(call()))).await;

        assert_eq!(most.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn calls_that_take_their_time_hold_nobody_up() {
        let turns = Turns::new(3, Duration::from_millis(1));
        let slow = join_all([(); 3].map(|()| turns.take(pending::<()>())));

        let outcome = tokio::select! {
            biased;
            _ = slow => "they never end",
            answer = turns.take(async { "answered" }) => answer,
        };

        assert_eq!(outcome, "answered");
    }
}
