//! The response to a streaming call: NDJSON lines, server-sent events, or raw chunks.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use tokio::sync::mpsc;

use super::{body::Body, unary};
use crate::{app::App, problem::Problem, request::rest_violations, upstream::Status, wire::Invalid};

/// How messages are set apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// A JSON text on a line of its own.
    Ndjson,
    /// Server-sent events.
    Events,
    /// `google.api.HttpBody`: the bytes alone.
    Raw,
}

/// A body that ends when the service's stream does.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) app: Arc<App>,
    /// Which endpoint's messages these are.
    pub(crate) index: usize,
    pub(crate) framing: Framing,
    pub(crate) request_id: String,
    /// What comes before the next message.
    pub(crate) first: Option<Bytes>,
    /// `None` once an error was sent.
    pub(crate) messages: Option<mpsc::Receiver<Result<Bytes, Status>>>,
}

impl Lines {
    /// The response; `content_type` is that of raw chunks.
    pub(crate) fn response(self, content_type: HeaderValue, cache_control: HeaderValue) -> Response<Body> {
        let content_type = match self.framing {
            Framing::Ndjson => HeaderValue::from_static("application/x-ndjson"),
            Framing::Events => HeaderValue::from_static("text/event-stream"),
            Framing::Raw => content_type,
        };
        let mut response = Response::new(Body::Lines(Box::new(self)));
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response.headers_mut().insert(header::CACHE_CONTROL, cache_control);
        response
    }

    /// A message in its frame.
    pub(crate) fn frame(&self, message: &[u8]) -> Result<(HeaderValue, Bytes), Invalid> {
        let Some(endpoint) = self.app.endpoints.get(self.index) else {
            return Err(Invalid("there is no such endpoint"));
        };
        let (content_type, content) = unary::content(&self.app.plans, endpoint, message)?;
        Ok((content_type, self.framed(content)))
    }

    fn framed(&self, content: Bytes) -> Bytes {
        match self.framing {
            Framing::Raw => content,
            Framing::Ndjson => [&content, &b"\n"[..]].concat().into(),
            Framing::Events => [b"data: ", &content[..], b"\n\n"].concat().into(),
        }
    }

    /// The last words of a stream that failed; raw bytes can only break off.
    fn error(&self, problem: &Problem) -> io::Result<Bytes> {
        let json = problem.json(&self.request_id);
        match self.framing {
            Framing::Raw => Err(io::ErrorKind::ConnectionAborted.into()),
            Framing::Ndjson => Ok([b"{\"error\":", &json[..], b"}\n"].concat().into()),
            Framing::Events => Ok([b"event: error\ndata: ", &json[..], b"\n\n"].concat().into()),
        }
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(messages) = &mut self.messages else {
            return Poll::Ready(None);
        };
        let next = std::task::ready!(messages.poll_recv(context));
        let problem = match next {
            None => return Poll::Ready(None),
            Some(Ok(message)) => match self.frame(&message) {
                Ok((_, framed)) => return Poll::Ready(Some(Ok(framed))),
                Err(error) => {
                    tracing::error!(%error, "a message of a stream cannot be shown");
                    Problem::upstream_invalid()
                }
            },
            Some(Err(mut status)) => {
                if let Some(endpoint) = self.app.endpoints.get(self.index) {
                    status.violations = rest_violations(endpoint, status.violations);
                }
                Problem::of_status(status, &HeaderMap::new())
            }
        };
        self.messages = None;
        Poll::Ready(Some(self.error(&problem)))
    }
}
