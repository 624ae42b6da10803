//! The one timer of a connection.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::{activity::Activity, limits::Limits};

/// Between the two looks at a connection that seems overdue. What its client sent in time may still be on the way
/// through a process that is short of CPU: by the second look it has been read.
const SECOND_LOOK: Duration = Duration::from_millis(50);

/// Completes when a connection goes on as it is for too long. To be polled after the connection itself.
pub(super) struct Overdue {
    activity: Arc<Activity>,
    limits: Limits,
    timer: Pin<Box<Sleep>>,
    doubted: bool,
}

impl Overdue {
    pub(super) fn new(activity: Arc<Activity>, limits: Limits) -> Self {
        let first = activity.deadline(&limits).unwrap_or_else(Instant::now);
        Self {
            activity,
            limits,
            timer: Box::pin(sleep_until(first)),
            doubted: false,
        }
    }

    /// Waits until the connection is overdue. Cancelling the wait loses nothing.
    pub(super) async fn wait(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.activity.deadline(&self.limits);
            let earlier = deadline.filter(|deadline| !self.doubted && *deadline < self.timer.deadline());
            if let Some(earlier) = earlier {
                self.timer.as_mut().reset(earlier);
            }
            ready!(self.timer.as_mut().poll(context));
            let now = Instant::now();
            let is_over = deadline.is_some_and(|deadline| deadline <= now);
            if is_over && self.doubted {
                return Poll::Ready(());
            }
            self.doubted = is_over;
            self.timer.as_mut().reset(match deadline {
                Some(_) if is_over => now + SECOND_LOOK,
                Some(deadline) => deadline,
                // Busy now. A request that ends does not wake the connection: look again when it may be idle at the
                // earliest.
                None => now + self.limits.idle_timeout,
            });
        }
    }
}
