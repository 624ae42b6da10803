//! One HTTP/2 connection to a service.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{Ping, PingPong, client::SendRequest};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinHandle,
    time,
};
use tokio_rustls::TlsConnector;

/// How long connecting may take, TLS and HTTP/2 handshakes included.
const CONNECT: Duration = Duration::from_secs(2);

/// How often a connection is tried, and how long the answer may take.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_WITHIN: Duration = Duration::from_secs(5);

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

/// Connects. The task ends when the connection does, which is when nobody holds the sender and no call is under way.
pub(super) async fn connect(addr: SocketAddr, tls: Option<&Tls>) -> io::Result<(SendRequest<Bytes>, JoinHandle<()>)> {
    let connecting = async {
        let tcp = TcpStream::connect(addr).await?;
        tcp.set_nodelay(true)?;
        match tls {
            None => handshake(tcp).await,
            Some(tls) => {
                let connector = TlsConnector::from(tls.config.clone());
                handshake(connector.connect(tls.name.clone(), tcp).await?).await
            }
        }
    };
    match time::timeout(CONNECT, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn handshake<T>(io: T) -> io::Result<(SendRequest<Bytes>, JoinHandle<()>)>
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
    let pings = connection.ping_pong();
    let task = tokio::spawn(async move {
        let alive = async {
            match pings {
                Some(pings) => keep_alive(pings).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection to a service ended");
                }
            }
            () = alive => tracing::warn!("a service does not answer pings: its connection is given up"),
        }
    });
    Ok((sender, task))
}

/// Ends when the other side does not answer.
async fn keep_alive(mut pings: PingPong) {
    loop {
        time::sleep(PING_EVERY).await;
        let answered = time::timeout(PING_WITHIN, pings.ping(Ping::opaque())).await;
        if !matches!(answered, Ok(Ok(_))) {
            return;
        }
    }
}
