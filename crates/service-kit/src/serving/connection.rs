//! One connection of a client: HTTP/1 or HTTP/2, with everything bounded.

use std::{convert::Infallible, error::Error, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Version, header};
use http_body::Body;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::{self, Instant},
};
use tokio_rustls::TlsAcceptor;

use super::{
    activity::Activity,
    guarded::Guarded,
    limits::{Limits, Protocol},
    listener::Accepted,
    overdue::Overdue,
    watched::Watched,
};

const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// A gateway's calls for all its clients share a connection to a service. Small bodies that come after their call was
/// refused weigh on it, and `h2` ends a connection on which they weigh half of its window.
const SHARED_CONNECTION_WINDOW: u32 = 8 << 20;

/// Streams that the client resets before they are looked at.
const RESETS_IN_WAITING: usize = 20;

/// Streams of a connection's whole life that are reset for what the client does wrong. A body that comes after its
/// request was refused counts as well, so that these are not few.
const RESETS_FOR_MISTAKES: usize = 10_000;

/// How long a client may take to ask, when the listener is about to end: one that has just connected, and one that
/// keeps a connection of HTTP/1, for a response that says that it is the last.
const LAST_CHANCE: Duration = Duration::from_millis(500);

/// How long a client may take to hang up after it was told that the connection ends.
const GOODBYE: Duration = Duration::from_secs(1);

/// Serves accepted connections within limits.
pub struct Connections {
    limits: Limits,
    tls: Option<TlsAcceptor>,
    draining: watch::Receiver<bool>,
    http: Builder<TokioExecutor>,
}

impl Connections {
    /// With TLS, or without. Once `draining` says so, connections take no more requests.
    pub fn new(limits: Limits, tls: Option<Arc<ServerConfig>>, draining: watch::Receiver<bool>) -> Self {
        Self {
            limits,
            tls: tls.map(TlsAcceptor::from),
            draining,
            http: protocols(&limits),
        }
    }

    /// Serves a connection to its end. `answer` answers a request.
    pub async fn serve<A, F, B>(&self, accepted: Accepted, answer: A)
    where
        A: Fn(Request<Incoming>) -> F,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Accepted { tcp, peer, at, place } = accepted;
        let opened = TcpStream::from_std(tcp).and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp));
        let tcp = match opened {
            Ok(tcp) => tcp,
            Err(error) => return tracing::debug!(%peer, %error, "a connection was gone at once"),
        };
        match &self.tls {
            None => self.speak(tcp, peer, at, answer).await,
            Some(tls) => match time::timeout_at(at + self.limits.header_timeout, tls.accept(tcp)).await {
                Ok(Ok(stream)) => self.speak(stream, peer, at, answer).await,
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            },
        }
        drop(place);
    }

    async fn speak<T, A, F, B>(&self, io: T, peer: SocketAddr, at: Instant, answer: A)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        A: Fn(Request<Incoming>) -> F,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let activity = Activity::new(at);
        let service = service_fn(|request: Request<Incoming>| {
            let version = request.version();
            let under_way = activity.begin(version);
            let (draining, activity) = (self.draining.clone(), activity.clone());
            let answered = answer(request);
            async move {
                let mut response = answered.await;
                if version < Version::HTTP_2 && (*draining.borrow() || activity.is_retired()) {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                Ok::<_, Infallible>(response.map(|body| Guarded::new(body, under_way)))
            }
        });
        let io = TokioIo::new(Watched::new(io, activity.clone()));
        let mut connection = pin!(self.http.serve_connection(io, service));
        let mut closing = pin!(self.closing(at, peer, &activity));
        let mut overdue = Overdue::new(activity.clone(), self.limits);
        let mut is_closing = false;
        // The connection comes first: it is overdue only if nothing that arrived in time changes that.
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "a connection ended badly");
                    }
                    return;
                }
                () = closing.as_mut(), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = overdue.wait() => break,
            }
        }
        tracing::debug!(%peer, "a connection is closed: its client kept it waiting");
        if activity.is_idle() {
            connection.as_mut().graceful_shutdown();
            // It is over either way.
            let _ = time::timeout(GOODBYE, connection).await;
        }
    }

    async fn drained(&self) {
        // Without the sender there is nobody left to serve for.
        drop(self.draining.clone().wait_for(|draining| *draining).await);
    }

    /// Completes when the connection is to take no more requests, and has had its chance of one.
    async fn closing(&self, at: Instant, peer: SocketAddr, activity: &Activity) {
        let mut drained = pin!(self.drained());
        tokio::select! {
            () = drained.as_mut() => {}
            () = retirement(self.limits.connection_age, at, peer) => {
                // To close while the client sends its next request would be to lose it.
                if activity.retire() {
                    drained.await;
                }
            }
        }
        // Nobody listens to the outcome: either way the time has come.
        let _ = time::timeout(LAST_CHANCE, activity.closable()).await;
    }
}

fn protocols(limits: &Limits) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        // One timer for headers and for idling is not enough: both are watched here.
        .header_read_timeout(None)
        .max_buf_size((limits.header_bytes as usize).max(Limits::LEAST_HEADER_BYTES as usize))
        .keep_alive(true);
    http.http2()
        .timer(TokioTimer::new())
        .max_header_list_size(limits.header_bytes)
        .max_concurrent_streams(limits.streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_pending_accept_reset_streams(RESETS_IN_WAITING)
        .max_local_error_reset_streams(RESETS_FOR_MISTAKES)
        .keep_alive_interval(limits.keepalive)
        .keep_alive_timeout(limits.keepalive);
    match limits.protocol {
        Protocol::Http => http,
        Protocol::Grpc => {
            http.http2().initial_connection_window_size(SHARED_CONNECTION_WINDOW);
            http.http2_only()
        }
    }
}

/// When a connection is old. Those that came together do not all go together: they are spread over a fifth of the age
/// by their clients' ports.
async fn retirement(age: Duration, at: Instant, peer: SocketAddr) {
    if age.is_zero() {
        return std::future::pending().await;
    }
    let spread = age / 500 * u32::from(peer.port() % 100);
    time::sleep_until(at + age - spread).await;
}
