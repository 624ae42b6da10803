use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::Error;
use crate::error::Class;

/// A connection that has been idle for longer is asked whether it still lives before it is used: no server restarts
/// in so short a time. A busy pool never asks.
const TRUSTED_IDLE: Duration = Duration::from_millis(100);
const PING_LIMIT: Duration = Duration::from_secs(1);
/// How often a first connection is tried.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// Connections are replaced now and then, so that a server's address may change and its memory is given back.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);

/// Where a pool's connections come from.
pub(crate) trait Source: Send + Sync + 'static {
    type Connection: Connection;

    fn open(&self) -> impl Future<Output = Result<Self::Connection, sqlx::Error>> + Send;

    /// What connections are opened on. Those opened on something else than what is there now are not used again.
    fn target(&self) -> Result<Target, Error>;

    fn classify(error: &sqlx::Error) -> Class;
}

/// A file's device and inode; always the same for a server.
pub(crate) type Target = (u64, u64);

/// A fixed number of connections, opened when needed.
///
/// It differs from sqlx's own pool in what happens when a server goes away: one lost connection drops all idle ones at
/// once, a refused connection is an error at once, and a connection whose query was cancelled is closed instead of being
/// pinged on each return, which would cost every query a round trip.
pub(crate) struct Pool<S: Source>(Arc<Shared<S>>);

impl<S: Source> Clone for Pool<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Shared<S: Source> {
    source: S,
    size: usize,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle<S::Connection>>>,
    /// Raised when a connection is lost. Connections of an older generation are closed instead of used.
    generation: AtomicU64,
}

struct Idle<C> {
    connection: C,
    origin: Origin,
    since: Instant,
}

#[derive(Clone, Copy)]
struct Origin {
    generation: u64,
    target: Target,
    opened: Instant,
}

impl<S: Source> Pool<S> {
    pub(crate) fn new(source: S, size: usize) -> Self {
        let size = size.max(1);
        Self(Arc::new(Shared {
            source,
            size,
            permits: Arc::new(Semaphore::new(size)),
            idle: Mutex::new(Vec::with_capacity(size)),
            generation: AtomicU64::new(0),
        }))
    }

    /// Opens a first connection, and waits for a server that is still starting up or a file that is busy.
    pub(crate) async fn open_first(&self, deadline: Instant) -> Result<(), Error> {
        let target = self.0.source.target()?;
        loop {
            let error = match timeout_at(deadline, self.0.source.open()).await {
                Ok(Ok(connection)) => {
                    self.0.put_idle(
                        connection,
                        Origin {
                            generation: 0,
                            target,
                            opened: Instant::now(),
                        },
                    );
                    return Ok(());
                }
                Ok(Err(error)) => error,
                Err(_) => return Err(Error::unavailable("no connection could be opened in time")),
            };
            let class = S::classify(&error);
            if class == Class::Other || Instant::now() + RETRY_AFTER >= deadline {
                return Err(class.error(error));
            }
            sleep(RETRY_AFTER).await;
        }
    }

    pub(crate) fn source(&self) -> &S {
        &self.0.source
    }

    /// A connection of one's own, for as long as the lease lives. Those who wait are served in their order.
    pub(crate) async fn acquire(&self, deadline: Instant) -> Result<Lease<S>, Error> {
        let permit = timeout_at(deadline, Arc::clone(&self.0.permits).acquire_owned())
            .await
            .map_err(|_| Error::unavailable("no connection came free in time"))?
            .map_err(Error::unavailable)?;
        let target = self.0.source.target()?;
        let generation = self.0.generation.load(Ordering::Acquire);
        while let Some(idle) = self.0.pop_idle() {
            if let ControlFlow::Break((connection, origin)) = self.0.examine(idle, target).await {
                return Ok(Lease::new(self.clone(), permit, connection, origin, true));
            }
        }
        let connection = timeout_at(deadline, self.0.source.open())
            .await
            .map_err(|_| Error::unavailable("no connection could be opened in time"))?
            .map_err(|error| cannot_connect::<S>(error))?;
        let origin = Origin {
            generation,
            target,
            opened: Instant::now(),
        };
        Ok(Lease::new(self.clone(), permit, connection, origin, false))
    }

    pub(crate) fn idle(&self) -> usize {
        self.0.idle().len()
    }

    pub(crate) fn used(&self) -> usize {
        self.0.size.saturating_sub(self.0.permits.available_permits())
    }
}

/// Whatever keeps a connection from opening (a wrong password included) is for the operator to mend.
fn cannot_connect<S: Source>(error: sqlx::Error) -> Error {
    match S::classify(&error) {
        Class::Gone => Class::Gone.error(error),
        _ => Class::Busy.error(error),
    }
}

impl<S: Source> Shared<S> {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle<S::Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_idle(&self, connection: S::Connection, origin: Origin) {
        self.idle().push(Idle {
            connection,
            origin,
            since: Instant::now(),
        });
    }

    fn pop_idle(&self) -> Option<Idle<S::Connection>> {
        self.idle().pop()
    }

    /// Breaks with the connection when it can be used, and drops it otherwise.
    async fn examine(&self, mut idle: Idle<S::Connection>, target: Target) -> ControlFlow<(S::Connection, Origin)> {
        let origin = idle.origin;
        if !self.is_current(&origin) || origin.target != target || origin.opened.elapsed() > LONGEST_LIFE {
            return ControlFlow::Continue(());
        }
        if idle.since.elapsed() <= TRUSTED_IDLE {
            return ControlFlow::Break((idle.connection, origin));
        }
        match timeout(PING_LIMIT, idle.connection.ping()).await {
            Ok(Ok(())) => ControlFlow::Break((idle.connection, origin)),
            _ => {
                self.distrust(&origin);
                ControlFlow::Continue(())
            }
        }
    }

    fn is_current(&self, origin: &Origin) -> bool {
        origin.generation == self.generation.load(Ordering::Acquire)
    }

    /// Drops every idle connection as old as this one. Only the first of many that fail together does so.
    fn distrust(&self, origin: &Origin) {
        let next = origin.generation + 1;
        let first = self
            .generation
            .compare_exchange(origin.generation, next, Ordering::AcqRel, Ordering::Acquire);
        if first.is_ok() {
            self.idle().clear();
        }
    }
}

/// A connection that goes back to its pool when the lease is dropped, unless it is lost or in the middle of a statement.
pub(crate) struct Lease<S: Source> {
    connection: Option<S::Connection>,
    origin: Origin,
    reused: bool,
    state: State,
    pool: Pool<S>,
    _permit: OwnedSemaphorePermit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    /// A statement is under way; if its future is dropped now, nobody knows where the connection stands.
    Busy,
    Lost,
}

impl<S: Source> Lease<S> {
    fn new(
        pool: Pool<S>,
        permit: OwnedSemaphorePermit,
        connection: S::Connection,
        origin: Origin,
        reused: bool,
    ) -> Self {
        Self {
            connection: Some(connection),
            origin,
            reused,
            state: State::Ready,
            pool,
            _permit: permit,
        }
    }

    /// The connection, to run one statement on. [`Lease::settle`] has to be told how that went.
    pub(crate) fn start(&mut self) -> Result<&mut S::Connection, Error> {
        self.state = State::Busy;
        self.connection
            .as_mut()
            .ok_or_else(|| Error::unavailable("the connection is closed"))
    }

    pub(crate) fn settle<T, E>(&mut self, outcome: Result<Result<T, sqlx::Error>, E>) -> Result<T, Error> {
        let Ok(outcome) = outcome else {
            // Not a sign that the others are lost: this one may wait for a lock.
            self.state = State::Lost;
            return Err(Error::unavailable("the statement took too long"));
        };
        outcome.inspect(|_| self.state = State::Ready).map_err(|error| {
            let class = S::classify(&error);
            self.state = if class == Class::Gone {
                State::Lost
            } else {
                State::Ready
            };
            if class == Class::Gone {
                self.pool.0.distrust(&self.origin);
            }
            class.error(error)
        })
    }

    /// Whether the connection had been idle before this lease and has turned out to be dead: a fresh one may do.
    pub(crate) fn was_stale(&self) -> bool {
        self.reused && self.state == State::Lost
    }

    /// From now on the connection is closed instead of going back to its pool, until another statement succeeds.
    pub(crate) fn close_unless_settled(&mut self) {
        self.state = State::Busy;
    }

    /// Whether the connection stands between two statements, ready for the next.
    pub(crate) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }
}

impl<S: Source> Drop for Lease<S> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let shared = &self.pool.0;
        if self.state == State::Ready && shared.is_current(&self.origin) {
            shared.idle().push(Idle {
                connection,
                origin: self.origin,
                since: Instant::now(),
            });
        }
    }
}
