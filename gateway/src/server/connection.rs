//! One connection of a client: HTTP/1 or HTTP/2, with everything bounded.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time,
};
use tokio_rustls::TlsAcceptor;

use crate::{app::App, handler, response::guarded::Guarded};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a request's headers may take, from the connection's begin or the end of the request before.
const HEADERS: Duration = Duration::from_secs(10);

/// How long a connection may be without a request under way.
const IDLE: Duration = Duration::from_secs(120);

/// How often a connection is looked at.
const WATCH: Duration = Duration::from_secs(1);

const HEADER_BYTES: usize = 16 << 10;
const STREAMS: u32 = 256;
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_WITHIN: Duration = Duration::from_secs(20);

/// What all connections share.
pub(super) struct Serving {
    app: Arc<App>,
    tls: Option<TlsAcceptor>,
    draining: watch::Receiver<bool>,
    http: Builder<TokioExecutor>,
}

/// What a connection is doing.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    active: AtomicUsize,
    requests: AtomicU64,
    /// Milliseconds from `began` to the last begin or end of a request.
    changed: AtomicU64,
}

impl Activity {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            active: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            changed: AtomicU64::new(0),
        }
    }

    fn begin(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.touch();
    }

    /// A request's response has been sent or dropped.
    pub(crate) fn end(&self) {
        self.active.fetch_sub(1, Ordering::Relaxed);
        self.touch();
    }

    fn touch(&self) {
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.changed.store(elapsed, Ordering::Relaxed);
    }

    /// Whether nothing has been going on for too long.
    fn is_overdue(&self) -> bool {
        if self.active.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let limit = if self.requests.load(Ordering::Relaxed) == 0 {
            HEADERS
        } else {
            IDLE
        };
        let changed = Duration::from_millis(self.changed.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(changed) >= limit
    }
}

impl Serving {
    pub(super) fn new(app: Arc<App>, tls: Option<Arc<ServerConfig>>, draining: watch::Receiver<bool>) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(HEADER_BYTES)
            .keep_alive(true);
        http.http2()
            .timer(TokioTimer::new())
            .max_header_list_size(HEADER_BYTES as u32)
            .max_concurrent_streams(STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(1_024)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_WITHIN);
        Self {
            app,
            tls: tls.map(TlsAcceptor::from),
            draining,
            http,
        }
    }

    /// Serves a connection to its end.
    pub(super) async fn serve(&self, tcp: TcpStream, peer: SocketAddr) {
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%peer, %error, "a connection was gone at once");
            return;
        }
        let Some(tls) = &self.tls else {
            return self.speak(tcp, peer.ip()).await;
        };
        match time::timeout(HANDSHAKE, tls.accept(tcp)).await {
            Ok(Ok(stream)) => self.speak(stream, peer.ip()).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
        }
    }

    async fn speak<T>(&self, io: T, peer: IpAddr)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::new());
        let service = service_fn(|request: Request<Incoming>| {
            let (app, activity) = (self.app.clone(), activity.clone());
            activity.begin();
            let guard = Guard(activity);
            async move {
                let response = handler::handle(app, peer, request).await;
                Ok::<_, Infallible>(response.map(|body| Guarded::new(body, guard)))
            }
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(io), service));
        let mut draining = self.draining.clone();
        let mut closing = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "a connection ended badly");
                    }
                    return;
                }
                _ = draining.wait_for(|draining| *draining), if !closing => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = time::sleep(WATCH) => {
                    if activity.is_overdue() {
                        tracing::debug!(%peer, "an idle connection is closed");
                        return;
                    }
                }
            }
        }
    }
}

/// Counts a request as under way until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard(Arc<Activity>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.end();
    }
}
