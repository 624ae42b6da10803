//! One gRPC call over h2: framing, status, retry.

use std::{sync::Arc, time::Duration};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::{Reason, RecvStream, client::ResponseFuture};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, header};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    Call, Failure, Reply, Stream,
    balance::{Chosen, Upstream},
    endpoint::Endpoint,
    status::{Code, Status},
};

/// The largest message that is taken from a service.
const LARGEST: usize = 64 << 20;

/// Until when after its begin a call waits for a connection, and how long it does so for its second attempt at least: a
/// caller is told within a second that nobody is there.
const WAIT: Duration = Duration::from_millis(900);
const WAIT_AGAIN: Duration = Duration::from_millis(100);

/// How many messages of a stream wait for a slow client.
const WAITING: usize = 16;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// Why an attempt failed, and whether it is certain that the service did not see the call.
struct Broken {
    failure: Failure,
    unprocessed: bool,
}

impl Broken {
    fn invalid(problem: &'static str) -> Self {
        Self {
            failure: Failure::Invalid(problem),
            unprocessed: false,
        }
    }

    fn is_transport(&self) -> bool {
        matches!(self.failure, Failure::Transport(_))
    }
}

impl From<h2::Error> for Broken {
    fn from(error: h2::Error) -> Self {
        let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        // Of the streams that were open, a GOAWAY ends only those beyond its last id.
        let beyond = error.is_go_away() && error.is_remote();
        Self {
            failure: Failure::Transport(error.to_string()),
            unprocessed: refused || beyond,
        }
    }
}

/// A call that was sent, and where.
struct Sent {
    at: Chosen,
    response: ResponseFuture,
}

/// Makes a unary call, with the one retry.
pub(super) async fn unary(upstream: &Upstream, call: Call) -> Result<Reply, Failure> {
    with_retry(upstream, &call, answer).await
}

/// Sends a call and hears what comes of it, a second time at another endpoint where that is allowed.
async fn with_retry<T, F>(upstream: &Upstream, call: &Call, hear: fn(Sent) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Broken>>,
{
    let began = Instant::now();
    let mut but: Option<Arc<Endpoint>> = None;
    loop {
        let sent = send(upstream, call, but.as_ref(), began).await?;
        let endpoint = sent.at.endpoint.clone();
        match hear(sent).await {
            Err(broken) if but.is_none() && may_retry(&broken, call) => but = Some(endpoint),
            outcome => return outcome.map_err(|broken| broken.failure),
        }
    }
}

/// Until when a call waits for a connection now.
fn patience(began: Instant, call: &Call) -> Instant {
    (began + WAIT).max(Instant::now() + WAIT_AGAIN).min(call.deadline)
}

fn may_retry(broken: &Broken, call: &Call) -> bool {
    let allowed = broken.is_transport() && (broken.unprocessed || call.repeatable) && Instant::now() < call.deadline;
    if allowed {
        tracing::debug!(path = %call.path, error = %broken.failure, "a call is made once more");
    }
    allowed
}

/// Hears a unary call out.
async fn answer(sent: Sent) -> Result<Reply, Broken> {
    let Sent { at, response } = sent;
    // To the end of the answer: a service may hang in the middle of it.
    let waiting = at.link.traffic.wait();
    let outcome = whole(&at, response).await;
    waiting.answered();
    outcome
}

async fn whole(at: &Chosen, response: ResponseFuture) -> Result<Reply, Broken> {
    let (mut metadata, mut body) = checked(head(at, response).await?)?;
    if let Some(outcome) = Status::of(&metadata) {
        let status = outcome.err().ok_or(Broken::invalid("OK without a message"))?;
        return Ok(Reply {
            metadata,
            outcome: Err(status),
        });
    }
    let mut frames = Frames::default();
    let mut message = None;
    while let Some(next) = frames.next(&mut body).await? {
        if message.replace(next).is_some() {
            return Err(Broken::invalid("more than one message"));
        }
    }
    let trailers = body.trailers().await?.ok_or_else(cut_off)?;
    let outcome = match Status::of(&trailers) {
        None => return Err(Broken::invalid("no status")),
        Some(Err(status)) => {
            metadata.extend(trailers);
            Err(status)
        }
        Some(Ok(())) => Ok(message.ok_or(Broken::invalid("OK without a message"))?),
    };
    Ok(Reply { metadata, outcome })
}

/// A stream that ends without trailers: the connection broke, or the service did.
fn cut_off() -> Broken {
    Broken {
        failure: Failure::Transport("the answer is cut off".to_owned()),
        unprocessed: false,
    }
}

/// Makes a streaming call. Once the service has answered, a client that left ends the stream.
pub(super) async fn stream(upstream: &Upstream, call: Call, tell: oneshot::Sender<Result<Stream, Failure>>) {
    let opening = tokio::time::timeout_at(call.deadline + super::GRACE, with_retry(upstream, &call, opened));
    let (metadata, mut frames, mut body, first) = match opening.await {
        Ok(Ok(opened)) => opened,
        Ok(Err(failure)) => return drop(tell.send(Err(failure))),
        Err(_) => return drop(tell.send(Err(Failure::Deadline))),
    };
    let (sender, messages) = mpsc::channel(WAITING);
    let ended = !matches!(first, Some(Ok(_)));
    if let Some(first) = first {
        // The channel is empty and both its ends are here.
        let _ = sender.try_send(first);
    }
    if tell.send(Ok(Stream { metadata, messages })).is_err() || ended {
        return;
    }
    loop {
        let next = tokio::select! {
            next = next_message(&mut frames, &mut body) => next,
            () = sender.closed() => return,
            () = until(call.until) => Some(Err(Status::new(Code::DeadlineExceeded, "the deadline passed"))),
        };
        let Some(next) = next else { return };
        let ended = next.is_err();
        if sender.send(next).await.is_err() || ended {
            return;
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

type Opened = (HeaderMap, Frames, RecvStream, Option<Result<Bytes, Status>>);

/// Hears a stream begin: its first message or its end.
async fn opened(sent: Sent) -> Result<Opened, Broken> {
    let Sent { at, response } = sent;
    let waiting = at.link.traffic.wait();
    let response = head(&at, response).await;
    waiting.answered();
    let (mut metadata, mut body) = checked(response?)?;
    let mut frames = Frames::default();
    if let Some(outcome) = Status::of(&metadata) {
        return Ok((metadata, frames, body, outcome.err().map(Err)));
    }
    if let Some(first) = frames.next(&mut body).await? {
        return Ok((metadata, frames, body, Some(Ok(first))));
    }
    let trailers = body.trailers().await?.ok_or_else(cut_off)?;
    let outcome = Status::of(&trailers).ok_or(Broken::invalid("no status"))?;
    metadata.extend(trailers);
    Ok((metadata, frames, body, outcome.err().map(Err)))
}

/// The next message or the status that ends the stream; nothing at a good end.
async fn next_message(frames: &mut Frames, body: &mut RecvStream) -> Option<Result<Bytes, Status>> {
    let next = async {
        if let Some(message) = frames.next(body).await? {
            return Ok(Some(Ok(message)));
        }
        let trailers = body.trailers().await?.ok_or_else(cut_off)?;
        let outcome = Status::of(&trailers).ok_or(Broken::invalid("no status"))?;
        Ok::<_, Broken>(outcome.err().map(Err))
    };
    next.await.unwrap_or_else(|broken| {
        tracing::warn!(error = %broken.failure, "a stream broke");
        let code = if broken.is_transport() {
            Code::Unavailable
        } else {
            Code::Internal
        };
        Some(Err(Status::new(code, "the stream broke off")))
    })
}

/// Sends the request by a connection that takes it. One that is no longer usable has sent nothing of it.
async fn send(upstream: &Upstream, call: &Call, but: Option<&Arc<Endpoint>>, began: Instant) -> Result<Sent, Failure> {
    loop {
        let at = upstream.choose(but, patience(began, call)).await?;
        match send_to(&at, call).await {
            Ok(response) => return Ok(Sent { at, response }),
            Err(Failure::Transport(_)) if Instant::now() < call.deadline => at.endpoint.renew(&at.link),
            Err(failure) => return Err(failure),
        }
    }
}

async fn send_to(at: &Chosen, call: &Call) -> Result<ResponseFuture, Failure> {
    let broken = |error: h2::Error| Failure::Transport(error.to_string());
    let mut sender = at.link.sender.clone().ready().await.map_err(broken)?;
    let (response, mut body) = sender.send_request(request(at, call)?, false).map_err(broken)?;
    // It fails when the service has ended the stream already, as one may that refuses a call by its headers alone. What
    // the service said, or why there is nothing, comes with the response.
    let _ = body.send_data(framed(&call.message), true);
    Ok(response)
}

/// The response's headers, once they are here.
async fn head(at: &Chosen, response: ResponseFuture) -> Result<Response<RecvStream>, Broken> {
    response.await.map_err(|error| {
        if error.is_go_away() {
            at.endpoint.renew(&at.link);
        }
        error.into()
    })
}

fn request(at: &Chosen, call: &Call) -> Result<Request<()>, Failure> {
    let place = &at.endpoint.place;
    let uri = Uri::builder()
        .scheme(place.scheme.clone())
        .authority(place.authority.clone())
        .path_and_query(call.path.clone())
        .build()
        .map_err(|_| Failure::Invalid("its URL is not valid"))?;
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = call.headers.clone();
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, GRPC);
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    let left = call.until.map(|until| until.saturating_duration_since(Instant::now()));
    if let Some(timeout) = left.and_then(|left| HeaderValue::from_str(&timeout(left)).ok()) {
        headers.insert("grpc-timeout", timeout);
    }
    Ok(request)
}

/// A duration as `grpc-timeout` writes it: at most 8 digits and a unit.
fn timeout(left: Duration) -> String {
    match left.as_micros() {
        micros @ 0..=99_999_999 => format!("{micros}u"),
        micros => format!("{}m", (micros / 1_000).min(99_999_999)),
    }
}

fn framed(message: &Bytes) -> Bytes {
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

/// The headers of a gRPC answer; an HTTP error of a proxy in between becomes a status.
fn checked(response: Response<RecvStream>) -> Result<(HeaderMap, RecvStream), Broken> {
    let (parts, body) = response.into_parts();
    let is_grpc = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if parts.status.is_success() && is_grpc {
        return Ok((parts.headers, body));
    }
    if parts.status.is_success() {
        return Err(Broken::invalid("its content type is not that of gRPC"));
    }
    let mut headers = HeaderMap::new();
    let code = Code::of_http(parts.status);
    headers.insert("grpc-status", HeaderValue::from(code as u16));
    Ok((headers, body))
}

/// Cuts the bytes of a response into messages.
#[derive(Debug, Default)]
struct Frames {
    buffer: BytesMut,
}

impl Frames {
    async fn next(&mut self, body: &mut RecvStream) -> Result<Option<Bytes>, Broken> {
        loop {
            if let Some(message) = self.cut()? {
                return Ok(Some(message));
            }
            match body.data().await {
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(cut_off()),
                Some(chunk) => {
                    let chunk = chunk?;
                    // It fails only for a stream that has ended, where there is nothing to release.
                    let _ = body.flow_control().release_capacity(chunk.len());
                    self.buffer.extend_from_slice(&chunk);
                }
            }
        }
    }

    fn cut(&mut self) -> Result<Option<Bytes>, Broken> {
        let Some((prefix, rest)) = self.buffer.split_first_chunk::<5>() else {
            return Ok(None);
        };
        let [compressed, length @ ..] = *prefix;
        let length = u32::from_be_bytes(length) as usize;
        if compressed != 0 {
            return Err(Broken::invalid("a message is compressed"));
        }
        if length > LARGEST {
            return Err(Broken::invalid("a message is larger than 64 MiB"));
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.buffer.advance(5);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}
