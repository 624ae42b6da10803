//! One address of a service, kept connected.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::client::SendRequest;
use http::uri::{Authority, Scheme};
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
    time::{self, Instant},
};

use super::{
    connection::{self, Connected, Tls},
    traffic::Traffic,
};

const FIRST_BACKOFF: Duration = Duration::from_millis(10);
const LAST_BACKOFF: Duration = Duration::from_secs(1);

/// How long after a failed attempt a waiting call may cause the next.
const IMPATIENCE: Duration = Duration::from_millis(50);

/// Where a service is: one URL's host at one address.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) addr: SocketAddr,
    pub(super) tls: Option<Tls>,
}

impl Place {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.addr == other.addr && self.authority == other.authority && self.scheme == other.scheme
    }
}

/// A connection that calls can be made on.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) sender: SendRequest<Bytes>,
    pub(super) traffic: Arc<Traffic>,
    /// Which of the endpoint's connections it is.
    number: u64,
}

/// Whether an endpoint can be used.
#[derive(Debug, Clone)]
pub(super) enum State {
    Connecting,
    Ready(Link),
    /// The last attempt failed, for this reason.
    Down(Arc<str>),
}

/// A place with the task that keeps a connection to it. Dropping it ends the task; calls under way go on.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) place: Place,
    state: watch::Sender<State>,
    /// Told that a call waits for a connection.
    wanted: Arc<Notify>,
    task: AbortHandle,
}

/// What the endpoints of a service tell each other and who looks for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Alarms {
    /// An attempt to connect failed.
    pub(super) failed: Arc<Notify>,
    /// Calls wait on a connection and nothing is answered.
    pub(super) suspicion: Arc<Notify>,
}

impl Endpoint {
    /// Begins to connect.
    pub(super) fn start(place: Place, alarms: Alarms) -> Self {
        let state = watch::Sender::new(State::Connecting);
        let wanted = Arc::new(Notify::new());
        let task = tokio::spawn(maintain(place.clone(), state.clone(), wanted.clone(), alarms)).abort_handle();
        Self {
            place,
            state,
            wanted,
            task,
        }
    }

    /// The connection, if there is one now.
    pub(super) fn ready(&self) -> Option<Link> {
        match &*self.state.borrow() {
            State::Ready(link) => Some(link.clone()),
            _ => None,
        }
    }

    /// Waits for the outcome of the present attempt or, when the last one failed, of the next.
    pub(super) async fn attempt(&self) -> Result<Link, Arc<str>> {
        let mut state = self.state.subscribe();
        let is_down = matches!(&*state.borrow_and_update(), State::Down(_));
        if is_down {
            self.wanted.notify_one();
            // The sender lives in self: waiting for a change cannot fail.
            let _ = state.changed().await;
        }
        let decided = state.wait_for(|state| !matches!(state, State::Connecting)).await;
        match decided.as_deref() {
            Ok(State::Ready(link)) => Ok(link.clone()),
            Ok(State::Down(reason)) => Err(reason.clone()),
            _ => Err("the gateway is stopping".into()),
        }
    }

    /// Says that a connection takes no more calls: the service is going away. What is under way on it goes on.
    pub(super) fn renew(&self, stale: &Link) {
        self.state.send_if_modified(|state| {
            let is_it = state.is_ready(stale.number);
            if is_it {
                *state = State::Connecting;
            }
            is_it
        });
    }
}

impl State {
    fn is_ready(&self, number: u64) -> bool {
        matches!(self, Self::Ready(link) if link.number == number)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn maintain(place: Place, state: watch::Sender<State>, wanted: Arc<Notify>, alarms: Alarms) {
    let mut backoff = FIRST_BACKOFF;
    for number in 0_u64.. {
        let began = Instant::now();
        state.send_replace(State::Connecting);
        match connection::connect(place.addr, place.tls.as_ref(), &alarms.suspicion).await {
            Ok(Connected { sender, traffic, task }) => {
                tracing::debug!(authority = %place.authority, addr = %place.addr, "connected to a service");
                state.send_replace(State::Ready(Link {
                    sender,
                    traffic,
                    number,
                }));
                let mut told = state.subscribe();
                tokio::select! {
                    // A panic in it would be one of h2's.
                    _ = task => {}
                    // The sender is here: waiting cannot fail.
                    _ = told.wait_for(|state| !state.is_ready(number)) => {}
                }
                if began.elapsed() > LAST_BACKOFF {
                    backoff = FIRST_BACKOFF;
                    continue;
                }
                state.send_replace(State::Down("the connection was closed at once".into()));
            }
            Err(error) => {
                tracing::debug!(authority = %place.authority, addr = %place.addr, %error, "no connection to a service");
                state.send_replace(State::Down(error.to_string().into()));
            }
        }
        alarms.failed.notify_one();
        pause(backoff, &wanted).await;
        backoff = (backoff * 2).min(LAST_BACKOFF);
    }
}

/// Waits until the next attempt; not for long when a call waits for it.
async fn pause(backoff: Duration, wanted: &Notify) {
    let next = Instant::now() + backoff;
    let hurried = async {
        let soonest = next.min(Instant::now() + IMPATIENCE);
        wanted.notified().await;
        time::sleep_until(soonest).await;
    };
    tokio::select! {
        () = time::sleep_until(next) => {}
        () = hurried => {}
    }
}
