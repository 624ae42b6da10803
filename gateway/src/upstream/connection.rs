//! One HTTP/2 connection to a service.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{Ping, PingPong, client::SendRequest};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
    time::{self, Instant},
};
use tokio_rustls::TlsConnector;

use super::traffic::Traffic;

/// How long connecting may take, TLS and HTTP/2 handshakes and a first answer included.
const CONNECT: Duration = Duration::from_secs(2);

/// How often a connection is tried, and how long the answer may take. Not more often: servers of others hang up on
/// those who ask much.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_WITHIN: Duration = Duration::from_secs(2);

/// How often a connection is looked at. One on which calls wait and nothing was answered meanwhile is tried early, and
/// has less time: a caller is told within a second that nobody is there.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const EARLY_PING_WITHIN: Duration = Duration::from_millis(500);

const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
const HEADER_LIST: u32 = 1 << 20;

/// How to speak TLS to a service.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A connection that a service has answered on.
pub(super) struct Connected {
    pub(super) sender: SendRequest<Bytes>,
    pub(super) traffic: Arc<Traffic>,
    /// It ends when the connection does, which is when nobody holds the sender and no call is under way.
    pub(super) task: JoinHandle<()>,
}

/// Connects. A service whose kernel takes the connection and that does not answer itself (it hangs, or is about to end)
/// is not connected. `suspicion` is shared by the connections to a service: where one of them is silent, all are tried.
pub(super) async fn connect(addr: SocketAddr, tls: Option<&Tls>, suspicion: &Arc<Notify>) -> io::Result<Connected> {
    let connecting = async {
        let tcp = TcpStream::connect(addr).await?;
        tcp.set_nodelay(true)?;
        match tls {
            None => handshake(tcp, suspicion).await,
            Some(tls) => {
                let connector = TlsConnector::from(tls.config.clone());
                handshake(connector.connect(tls.name.clone(), tcp).await?, suspicion).await
            }
        }
    };
    match time::timeout(CONNECT, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn handshake<T>(io: T, suspicion: &Arc<Notify>) -> io::Result<Connected>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = h2::client::Builder::new();
    builder
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(HEADER_LIST)
        .enable_push(false);
    let (sender, mut connection) = builder.handshake::<_, Bytes>(io).await.map_err(io::Error::other)?;
    let mut pings = connection.ping_pong().ok_or(io::ErrorKind::Unsupported)?;
    tokio::select! {
        ended = &mut connection => {
            return Err(ended.err().map_or(io::ErrorKind::UnexpectedEof.into(), io::Error::other));
        }
        answered = pings.ping(Ping::opaque()) => answered.map_err(io::Error::other)?,
    };
    let traffic = Arc::new(Traffic::default());
    let (watched, suspicion) = (traffic.clone(), suspicion.clone());
    let task = tokio::spawn(async move {
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection to a service ended");
                }
            }
            () = keep_alive(pings, &watched, &suspicion) => {
                tracing::warn!("a service does not answer pings: its connection is given up");
            }
        }
    });
    Ok(Connected { sender, traffic, task })
}

/// Ends when the other side does not answer.
async fn keep_alive(mut pings: PingPong, traffic: &Traffic, suspicion: &Notify) {
    let mut seen = traffic.seen();
    let mut last_ping = Instant::now();
    // Whether a ping was answered since the last call was: the service lives and takes its time.
    let mut slow = false;
    loop {
        let suspected = time::timeout(LOOK_EVERY, suspicion.notified()).await.is_ok();
        let silent = traffic.is_silent_since(&seen);
        slow &= silent;
        seen = traffic.seen();
        let suspicious = silent && !slow;
        if suspicious {
            suspicion.notify_waiters();
        }
        let within = match suspicious || suspected {
            true => EARLY_PING_WITHIN,
            false if last_ping.elapsed() < PING_EVERY => continue,
            false => PING_WITHIN,
        };
        if !is_alive(&mut pings, traffic, within).await {
            return;
        }
        (last_ping, slow) = (Instant::now(), silent);
    }
}

/// Whether a ping is answered, in time or late while calls are.
async fn is_alive(pings: &mut PingPong, traffic: &Traffic, within: Duration) -> bool {
    let mut ping = pin!(pings.ping(Ping::opaque()));
    loop {
        let seen = traffic.seen();
        // Twice half the time: where the machine was too busy to read the answer, the second half begins when it can.
        for _ in 0..2 {
            if let Ok(answer) = time::timeout(within / 2, ping.as_mut()).await {
                return answer.is_ok();
            }
        }
        if !traffic.has_answered_since(&seen) {
            return false;
        }
    }
}
