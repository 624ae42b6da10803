//! The services behind the gateway: calling them, balancing, reconnecting.
//!
//! A call runs in a task of its own. A client that goes away takes only its interest in the reply with it: the call
//! ends by itself or by its deadline. Were each disappearing client to reset its stream, the h2 server would answer
//! the flood with a GOAWAY and so hang up on everybody who shares the connection.

mod balance;
mod call;
mod connection;
mod endpoint;
mod status;
mod traffic;
mod turns;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, uri::PathAndQuery};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::Instant,
};

pub use service_kit::resolver::{Resolver, SystemResolver};

pub(crate) use self::{
    balance::{Service, Upstream},
    status::{Code, Status},
};

/// How long a call that nobody waits for any longer may go on behind its deadline, so that the service can end it.
const GRACE: Duration = Duration::from_secs(1);

/// A unary or server-streaming call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) path: PathAndQuery,
    pub(crate) headers: HeaderMap,
    pub(crate) message: Bytes,
    /// When the answer, of a stream the first message, must be there.
    pub(crate) deadline: Instant,
    /// The deadline that the service is told of; a stream has one only if the caller said so.
    pub(crate) until: Option<Instant>,
    /// Whether the call may be made twice when it is not known whether the first was processed.
    pub(crate) repeatable: bool,
}

/// A service's answer to a unary call.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The initial metadata, and the trailing of a refusal.
    pub(crate) metadata: HeaderMap,
    /// The message, or why there is none.
    pub(crate) outcome: Result<Bytes, Status>,
}

/// A service's answer to a streaming call, once it has begun.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) metadata: HeaderMap,
    /// The messages; after the last there may be the status that ended the stream.
    pub(crate) messages: mpsc::Receiver<Result<Bytes, Status>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No connection, or one that broke.
    #[error("the service cannot be reached: {0}")]
    Transport(String),
    /// The deadline came first.
    #[error("the deadline passed")]
    Deadline,
    /// The answer is no gRPC.
    #[error("the service's answer is not valid: {0}")]
    Invalid(&'static str),
    /// Too many calls are under way.
    #[error("too many calls are under way")]
    Overloaded,
}

/// Makes calls, each detached from whoever asks for it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    places: Arc<Semaphore>,
}

impl Caller {
    /// With so many calls under way at once, those that were abandoned included.
    pub(crate) fn new(calls: u32) -> Self {
        Self {
            places: Arc::new(Semaphore::new(calls as usize)),
        }
    }

    /// Makes a unary call.
    pub(crate) async fn unary(&self, upstream: Arc<Upstream>, call: Call) -> Result<Reply, Failure> {
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| Failure::Overloaded)?;
        let (tell, told) = oneshot::channel();
        let deadline = call.deadline;
        tokio::spawn(async move {
            let answered = async {
                match call.repeatable {
                    true => call::unary(&upstream, call).await,
                    false => upstream.turns.take(call::unary(&upstream, call)).await,
                }
            };
            let outcome = tokio::time::timeout_at(deadline + GRACE, answered).await;
            // Nobody may be listening any more.
            let _ = tell.send(outcome.unwrap_or(Err(Failure::Deadline)));
            drop(place);
        });
        match tokio::time::timeout_at(deadline, told).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Failure::Transport("the call was dropped".to_owned())),
            Err(_) => Err(Failure::Deadline),
        }
    }

    /// Makes a streaming call; gives the stream once its first message or its status is there.
    pub(crate) async fn stream(&self, upstream: Arc<Upstream>, call: Call) -> Result<Stream, Failure> {
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| Failure::Overloaded)?;
        let (tell, told) = oneshot::channel();
        let deadline = call.deadline;
        tokio::spawn(async move {
            call::stream(&upstream, call, tell).await;
            drop(place);
        });
        match tokio::time::timeout_at(deadline, told).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Failure::Transport("the call was dropped".to_owned())),
            Err(_) => Err(Failure::Deadline),
        }
    }
}
