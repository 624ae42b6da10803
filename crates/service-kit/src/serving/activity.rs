//! What a connection is doing, and until when it may go on like that.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::Version;
use tokio::{sync::Notify, time::Instant};

use super::limits::{Limits, Protocol};

/// The preface of HTTP/2 and the header of the SETTINGS that must follow: who has sent them speaks it.
const OPENING: u64 = 24 + 9;

/// Deadlines are kept a little early, so that what is to be over *within* ten seconds is.
const EARLY: Duration = Duration::from_millis(200);

/// Shared by a connection, its bytes and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    asked: Notify,
}

#[derive(Debug)]
struct State {
    began: Instant,
    received: u64,
    requests: u64,
    active: usize,
    /// When the last request began or ended.
    changed: Instant,
    is_http1: bool,
    /// The first byte of the next request's headers, in HTTP/1.
    headers_since: Option<Instant>,
    /// Since when the client takes nothing.
    stalled_since: Option<Instant>,
    /// Whether the next response over HTTP/1 is the last.
    retired: bool,
}

impl Activity {
    pub(super) fn new(began: Instant) -> Arc<Self> {
        let state = State {
            began,
            received: 0,
            requests: 0,
            active: 0,
            changed: began,
            is_http1: false,
            headers_since: None,
            stalled_since: None,
            retired: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            asked: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request's headers are in. It is under way until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> UnderWay {
        let mut state = self.state();
        state.requests += 1;
        state.active += 1;
        state.changed = Instant::now();
        state.is_http1 = version < Version::HTTP_2;
        state.headers_since = None;
        drop(state);
        self.asked.notify_one();
        UnderWay(self.clone())
    }

    /// Waits until the connection can be closed without losing a request that is on its way: HTTP/2 says which was its
    /// last, HTTP/1 can say so in a response only.
    pub(super) async fn closable(&self) {
        while !self.state().is_closable() {
            self.asked.notified().await;
        }
    }

    /// Lets the next response be the last where only responses can say so. Whether that is so here.
    pub(super) fn retire(&self) -> bool {
        let mut state = self.state();
        state.retired = state.is_http1;
        state.retired
    }

    pub(super) fn is_retired(&self) -> bool {
        self.state().retired
    }

    /// Bytes came in.
    pub(super) fn received(&self, count: usize) {
        let mut state = self.state();
        state.received += count as u64;
        if state.is_http1 && state.active == 0 && state.headers_since.is_none() {
            state.headers_since = Some(Instant::now());
        }
    }

    /// The client takes nothing of what is there to be sent, or takes something again.
    pub(super) fn stalled(&self, stalled: bool) {
        self.state().stalled_since = stalled.then(Instant::now);
    }

    /// Until when the connection may go on as it is.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = self.state();
        let stalled = state.stalled_since.map(|since| since + within(limits.write_timeout));
        stalled.into_iter().chain(state.waiting(limits)).min()
    }

    /// Whether the client was served, so that it may be told that the connection ends.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        state.requests > 0 && state.active == 0 && state.headers_since.is_none() && state.stalled_since.is_none()
    }
}

impl State {
    fn is_closable(&self) -> bool {
        self.active > 0 || (self.requests > 0 && !self.is_http1)
    }

    /// Until when a client may keep a connection waiting for its next request.
    fn waiting(&self, limits: &Limits) -> Option<Instant> {
        let opened = match limits.protocol {
            Protocol::Http => self.requests > 0,
            Protocol::Grpc => self.received >= OPENING,
        };
        if !opened {
            return Some(self.began + within(limits.header_timeout));
        }
        if self.active > 0 {
            return None;
        }
        let idle = self.changed + within(limits.idle_timeout);
        let headers = self.headers_since.map(|since| since + within(limits.header_timeout));
        Some(headers.map_or(idle, |headers| headers.min(idle)))
    }
}

fn within(limit: Duration) -> Duration {
    limit - (limit / 10).min(EARLY)
}

/// Counts a request as under way until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.active -= 1;
        state.changed = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Version;
    use tokio::time::{Instant, advance};

    use super::{Activity, OPENING, within};
    use crate::serving::Limits;

    const LIMITS: Limits = Limits::GATEWAY;

    #[tokio::test(start_paused = true)]
    async fn the_first_request_is_due_whatever_comes_before_it() {
        let activity = Activity::new(Instant::now());
        let due = Instant::now() + within(LIMITS.header_timeout);
        advance(Duration::from_secs(3)).await;
        activity.received(1);

        assert_eq!(activity.deadline(&LIMITS), Some(due));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_has_no_deadline_and_then_the_idle_time_begins() {
        let activity = Activity::new(Instant::now());
        let first = activity.begin(Version::HTTP_11);
        let second = activity.begin(Version::HTTP_11);
        drop(first);
        assert_eq!(activity.deadline(&LIMITS), None);
        advance(Duration::from_secs(60)).await;
        drop(second);

        let idle = Instant::now() + within(LIMITS.idle_timeout);
        assert_eq!(activity.deadline(&LIMITS), Some(idle));
    }

    #[tokio::test(start_paused = true)]
    async fn later_headers_are_due_from_their_first_byte_in_http1_alone() {
        for (version, limit) in [
            (Version::HTTP_11, LIMITS.header_timeout),
            (Version::HTTP_2, LIMITS.idle_timeout),
        ] {
            let activity = Activity::new(Instant::now());
            drop(activity.begin(version));
            activity.received(1);
            let due = Instant::now() + within(limit);
            advance(Duration::from_secs(3)).await;
            activity.received(1);

            assert_eq!(activity.deadline(&LIMITS), Some(due), "{version:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_grpc_client_that_has_opened_the_connection_may_be_idle() {
        let limits = Limits::SERVICE;
        let activity = Activity::new(Instant::now());
        let began = Instant::now();
        activity.received(OPENING as usize - 1);
        assert_eq!(activity.deadline(&limits), Some(began + within(limits.header_timeout)));
        activity.received(1);
        assert_eq!(activity.deadline(&limits), Some(began + within(limits.idle_timeout)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_has_a_deadline_while_it_is_served() {
        let activity = Activity::new(Instant::now());
        let _request = activity.begin(Version::HTTP_2);
        activity.stalled(true);
        let due = Instant::now() + within(LIMITS.write_timeout);
        assert_eq!(activity.deadline(&LIMITS), Some(due));
        activity.stalled(false);
        assert_eq!(activity.deadline(&LIMITS), None);
    }
}
