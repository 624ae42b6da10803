//! An allowance of calls for each service: what floods one leaves the others alone.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use tokio::sync::Semaphore;
use tonic::{Code, Status, body::Body, server::NamedService};
use tower::Service;

use crate::{refusal::Refusal, serving::Guarded};

/// A service that takes so many calls at a time and refuses further ones at once.
#[derive(Debug, Clone)]
pub(super) struct Capped<S> {
    inner: S,
    places: Arc<Semaphore>,
}

impl<S> Capped<S> {
    pub(super) fn new(inner: S, calls: u32) -> Self {
        Self {
            inner,
            places: Arc::new(Semaphore::new(calls as usize)),
        }
    }
}

impl<S: NamedService> NamedService for Capped<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Capped<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return Box::pin(std::future::ready(Ok(overloaded())));
        };
        let reply = self.inner.call(request);
        Box::pin(async move {
            let response = reply.await?;
            Ok(response.map(|body| Body::new(Guarded::new(body, place))))
        })
    }
}

fn overloaded() -> Response<Body> {
    let refusal = Refusal::new(Code::ResourceExhausted, "OVERLOADED", "too many calls are under way");
    Status::from(refusal.retry_after(Duration::from_secs(1))).into_http()
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use http::{Request, Response};
    use tokio::sync::Notify;
    use tonic::{Code, Status, body::Body};
    use tower::{Service, ServiceExt, service_fn};

    use super::Capped;

    fn asked() -> Request<Body> {
        Request::new(Body::default())
    }

    fn code(response: &Response<Body>) -> Option<Code> {
        Status::from_header_map(response.headers()).map(|status| status.code())
    }

    #[tokio::test]
    async fn past_its_allowance_a_service_refuses_at_once_until_a_reply_is_sent() {
        let release = Arc::new(Notify::new());
        let released = release.clone();
        let slow = service_fn(move |_: Request<Body>| {
            let released = released.clone();
            async move {
                released.notified().await;
                Ok::<_, Infallible>(Response::new(Body::default()))
            }
        });
        let mut service = Capped::new(slow, 1);
        let first = service.ready().await.unwrap().call(asked());

        let second = service.clone().oneshot(asked()).await.unwrap();
        assert_eq!(code(&second), Some(Code::ResourceExhausted));

        release.notify_one();
        drop(first.await.unwrap());
        release.notify_one();
        assert_eq!(code(&service.oneshot(asked()).await.unwrap()), None);
    }
}
