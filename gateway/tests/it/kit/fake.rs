//! A gRPC service that echoes, or does what it is told.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};

/// A call as it arrived.
#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    pub headers: HeaderMap,
    pub message: Bytes,
}

/// What the service does with a call.
#[derive(Debug)]
pub enum Answer {
    /// The request as the reply.
    Echo,
    /// This reply.
    Reply(Vec<u8>),
    /// The same with initial metadata.
    ReplyWith(Vec<(&'static str, String)>, Vec<u8>),
    /// A refusal, in the trailers.
    Refuse(Vec<(&'static str, String)>),
    /// Messages, then trailers. The sender's end ends the stream.
    Stream(mpsc::Receiver<Bytes>, Vec<(&'static str, String)>),
    /// OK without a message.
    Empty,
    /// Never.
    Hang,
}

type Script = Arc<dyn Fn(&Call) -> Answer + Send + Sync>;

pub struct Fake {
    pub addr: SocketAddr,
    script: Arc<Mutex<Script>>,
    calls: Arc<Mutex<Vec<Call>>>,
    live: Arc<()>,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Fake {
    pub async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    pub async fn at(addr: SocketAddr) -> Self {
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Arc::new(|_| Answer::Echo)));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let live = Arc::new(());
        let connections = Arc::default();
        let service = Service {
            script: script.clone(),
            calls: calls.clone(),
            live: live.clone(),
            connections: Arc::clone(&connections),
        };
        let task = tokio::spawn(serve(listener, service));
        Self {
            addr,
            script,
            calls,
            live,
            connections,
            task,
        }
    }

    /// Behind TLS.
    pub async fn tls(cert: &Path, key: &Path) -> Self {
        let files = service_kit::tls::ListenerTls {
            role: "FAKE",
            cert: Some(cert),
            key: Some(key),
            client_ca: None,
        };
        let config = files.server_config(&[b"h2"]).unwrap().unwrap();
        let plain = Self::start().await;
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (acceptor, behind) = (tokio_rustls::TlsAcceptor::from(config), plain.addr);
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut tls) = acceptor.accept(tcp).await {
                        let mut inner = TcpStream::connect(behind).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut tls, &mut inner).await;
                    }
                });
            }
        });
        Self { addr, ..plain }
    }

    /// Does this with every further call.
    pub fn answer(&self, script: impl Fn(&Call) -> Answer + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    /// Refuses every further call.
    pub fn refuse(&self, code: u16, message: &str) {
        let trailers = vec![("grpc-status", code.to_string()), ("grpc-message", message.to_owned())];
        self.answer(move |_| Answer::Refuse(trailers.clone()));
    }

    /// The calls that arrived, which are forgotten.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// The one call that arrived.
    pub fn call(&self) -> Call {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }

    /// How many calls are under way.
    pub fn under_way(&self) -> usize {
        // One is the service's own, one is ours.
        Arc::strong_count(&self.live) - 2
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Ends the service and all its connections.
    pub async fn kill(self) -> SocketAddr {
        self.task.abort();
        let _ = self.task.await;
        self.addr
    }
}

#[derive(Clone)]
struct Service {
    script: Arc<Mutex<Script>>,
    calls: Arc<Mutex<Vec<Call>>>,
    live: Arc<()>,
    connections: Arc<AtomicUsize>,
}

async fn serve(listener: TcpListener, service: Service) {
    let mut connections = JoinSet::new();
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        tcp.set_nodelay(true).unwrap();
        service.connections.fetch_add(1, Ordering::SeqCst);
        // Calls are counted by clones of `live`; a connection holds none.
        let (script, calls, live) = (
            service.script.clone(),
            service.calls.clone(),
            Arc::downgrade(&service.live),
        );
        connections.spawn(async move {
            let answering = service_fn(move |request| {
                let (script, calls, live) = (script.clone(), calls.clone(), live.upgrade());
                async move { Ok::<_, Infallible>(answer(script, calls, live, request).await) }
            });
            let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            builder.max_concurrent_streams(1_024);
            let _ = builder.serve_connection(TokioIo::new(tcp), answering).await;
        });
    }
}

async fn answer(
    script: Arc<Mutex<Script>>,
    calls: Arc<Mutex<Vec<Call>>>,
    live: Option<Arc<()>>,
    request: Request<Incoming>,
) -> http::Response<Reply> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let message = if body.len() >= 5 { body.slice(5..) } else { Bytes::new() };
    let call = Call {
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        message,
    };
    calls.lock().unwrap().push(call.clone());
    let script = script.lock().unwrap().clone();
    let answer = script(&call);
    let mut reply = Reply {
        frames: VecDeque::new(),
        stream: None,
        trailers: None,
        live,
    };
    let mut response = http::Response::builder().header("content-type", "application/grpc");
    let good = vec![("grpc-status", "0".to_owned())];
    let (message, trailers) = match answer {
        Answer::Echo => (Some(call.message), good),
        Answer::Reply(message) => (Some(message.into()), good),
        Answer::ReplyWith(metadata, message) => {
            for (name, value) in metadata {
                response = response.header(name, value);
            }
            (Some(message.into()), good)
        }
        Answer::Refuse(trailers) => (None, trailers),
        Answer::Empty => (None, good),
        Answer::Hang => std::future::pending().await,
        Answer::Stream(messages, trailers) => {
            reply.stream = Some(messages);
            (None, trailers)
        }
    };
    reply.frames.extend(message.map(|message| framed(&message)));
    reply.trailers = Some(map(trailers));
    response.body(reply).unwrap()
}

fn map(pairs: Vec<(&'static str, String)>) -> HeaderMap {
    pairs
        .into_iter()
        .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
        .collect()
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(message.len().try_into().unwrap());
    framed.put_slice(message);
    framed.freeze()
}

struct Reply {
    frames: VecDeque<Bytes>,
    stream: Option<mpsc::Receiver<Bytes>>,
    trailers: Option<HeaderMap>,
    #[allow(dead_code)]
    live: Option<Arc<()>>,
}

impl http_body::Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(frame) = self.frames.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        if let Some(stream) = &mut self.stream {
            match stream.poll_recv(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(message)) => return Poll::Ready(Some(Ok(Frame::data(framed(&message))))),
                Poll::Ready(None) => self.stream = None,
            }
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }
}
