//! Around every call: its request id, its span, its metrics, its deadline, and a plain answer if its handler panics.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use prometheus_client::encoding::EncodeLabelSet;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::Instrument;

use super::reason;
use crate::{
    grpc_timeout,
    metrics::{Latencies, Metrics},
    refusal::Refusal,
    request_id::RequestId,
    trace_context,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    service: String,
    method: String,
    code: String,
}

/// Wraps a server's services.
#[derive(Debug, Clone)]
pub(super) struct CallLayer {
    durations: Latencies<Labels>,
    longest: Duration,
}

impl CallLayer {
    /// `longest` is how long a call may take until its reply begins, whatever its caller allows.
    pub(super) fn new(metrics: &Metrics, longest: Duration) -> Self {
        Self {
            durations: metrics.latencies("rpc_server_duration_seconds", "How long calls took"),
            longest,
        }
    }
}

impl<S> Layer<S> for CallLayer {
    type Service = Calls<S>;

    fn layer(&self, inner: S) -> Calls<S> {
        Calls {
            inner,
            durations: self.durations.clone(),
            longest: self.longest,
        }
    }
}

/// A service whose calls are wrapped.
#[derive(Debug, Clone)]
pub(super) struct Calls<S> {
    inner: S,
    durations: Latencies<Labels>,
    longest: Duration,
}

impl<S> Service<Request<Body>> for Calls<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let id = RequestId::of(request.headers());
        let path = request.uri().path();
        let span = tracing::info_span!("call", request_id = id.as_str(), path);
        trace_context::adopt(&span, request.headers());
        let mut observer = Observer::new(self.durations.clone(), path);
        request.extensions_mut().insert(id);

        let reply = grpc_timeout::of(request.headers()).map(|asked| {
            let longest = asked.map_or(self.longest, |asked| asked.min(self.longest));
            tokio::time::timeout(longest, AssertUnwindSafe(self.inner.call(request)).catch_unwind())
        });
        let observed = async move {
            let mut response = match reply {
                Err(wanted) => refused(Code::InvalidArgument, "INVALID_FIELDS", wanted),
                Ok(reply) => match reply.await {
                    Err(_) => refused(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the call took too long"),
                    // The panic itself is in the log already, by the process's hook.
                    Ok(Err(_)) => refused(Code::Internal, "INTERNAL", "the call failed inside the service"),
                    Ok(Ok(response)) => response?,
                },
            };
            reason::complete(response.headers_mut());
            observer.note(response.headers());
            Ok(response.map(|inner| Body::new(Observed { inner, observer })))
        };
        Box::pin(observed.instrument(span))
    }
}

fn refused(code: Code, reason: &'static str, message: &str) -> Response<Body> {
    Status::from(Refusal::new(code, reason, message)).into_http()
}

/// Measures a call until its reply has been sent or dropped.
struct Observer {
    durations: Latencies<Labels>,
    path: String,
    began: Instant,
    code: Option<Code>,
}

impl Observer {
    fn new(durations: Latencies<Labels>, path: &str) -> Self {
        Self {
            durations,
            path: path.to_owned(),
            began: Instant::now(),
            code: None,
        }
    }

    /// Reads the code from the headers (of a reply without messages) or from the trailers.
    fn note(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get("grpc-status") {
            self.code = Some(Code::from_bytes(code.as_bytes()));
        }
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        let code = self.code.unwrap_or(Code::Cancelled);
        // A path that no service knows is no label: anybody can invent any number of them.
        let (service, method) = match self.path.trim_start_matches('/').split_once('/') {
            Some(parts) if code != Code::Unimplemented => parts,
            _ => ("unknown", "unknown"),
        };
        let labels = Labels {
            service: service.to_owned(),
            method: method.to_owned(),
            code: format!("{code:?}"),
        };
        self.durations
            .get_or_create(&labels)
            .observe(self.began.elapsed().as_secs_f64());
    }
}

struct Observed {
    inner: Body,
    observer: Observer,
}

impl http_body::Body for Observed {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        let mut frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(context));
        if let Some(Ok(frame)) = &mut frame
            && let Some(trailers) = frame.trailers_mut()
        {
            reason::complete(trailers);
            self.observer.note(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Request;
    use tonic::{Status, body::Body};
    use tower::{Layer, ServiceExt, service_fn};

    use super::CallLayer;
    use crate::metrics::Metrics;

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_plainly_and_the_next_call_is_served() {
        let handler = service_fn(|request: Request<Body>| async move {
            assert!(request.uri().path() != "/a.v1.A/Bad", "planted");
            Ok(Status::ok("").into_http())
        });
        let calls = CallLayer::new(&Metrics::default(), Duration::from_secs(9)).layer(handler);
        let call = |path: &str| calls.clone().oneshot(Request::get(path).body(Body::default()).unwrap());

        let refused = call("/a.v1.A/Bad").await.unwrap();
        let served = call("/a.v1.A/Good").await.unwrap();

        let status = Status::from_header_map(refused.headers()).unwrap();
        assert_eq!(status.code(), tonic::Code::Internal);
        assert!(!format!("{status:?}").contains("planted"), "{status:?}");
        assert_eq!(
            Status::from_header_map(served.headers()).unwrap().code(),
            tonic::Code::Ok
        );
    }
}
