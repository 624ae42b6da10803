use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use proto::options::v1::Access;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::{AccessError, Authenticator, Caller, Refusal, ServiceTokens, credentials::bearer, policy::Policy};
use crate::{Trust, Verifier};

/// Puts the check of who may call in front of tonic services, as `option (gatehouse.options.v1.access)` says.
///
/// A method that the descriptor set does not hold is refused: what nobody stated is not open. Health and reflection are.
/// [`Caller`] is in the extensions of requests to `USER` and `ADMIN` methods. Nothing else that a client sends is taken
/// for an identity.
#[derive(Clone)]
pub struct AccessLayer(Arc<Guard>);

struct Guard {
    policy: Policy,
    authenticator: Authenticator,
    service_tokens: ServiceTokens,
}

impl AccessLayer {
    /// Reads who may call what from an encoded `FileDescriptorSet`.
    ///
    /// # Errors
    /// [`AccessError`] when a method does not say who may call it: the service must not start.
    pub fn new(
        descriptors: &[u8],
        trust: Trust,
        verifier: Arc<Verifier>,
        service_tokens: ServiceTokens,
    ) -> Result<Self, AccessError> {
        Ok(Self(Arc::new(Guard {
            policy: Policy::read(descriptors)?,
            authenticator: Authenticator::new(trust, verifier),
            service_tokens,
        })))
    }
}

impl<S> Layer<S> for AccessLayer {
    type Service = AccessService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AccessService {
            guard: self.0.clone(),
            inner,
        }
    }
}

/// A service behind an [`AccessLayer`].
#[derive(Clone)]
pub struct AccessService<S> {
    guard: Arc<Guard>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for AccessService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let arrived = Instant::now();
        let guard = self.guard.clone();
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match guard.admit(&parts, arrived).await {
                Ok(caller) => {
                    if let Some(caller) = caller {
                        parts.extensions.insert(caller);
                    }
                    request = Request::from_parts(parts, body);
                    inner.call(request).await
                }
                Err(refusal) => {
                    audit(&parts, refusal);
                    Ok(refusal.status().into_http())
                }
            }
        })
    }
}

impl Guard {
    async fn admit(&self, request: &http::request::Parts, arrived: Instant) -> Result<Option<Caller>, Refusal> {
        let access = self.policy.of(request.uri.path()).ok_or(Refusal::Unknown)?;
        match access {
            Access::Public => Ok(None),
            Access::Service => self.admit_service(bearer(&request.headers)?).map(|()| None),
            Access::User | Access::Admin => {
                let caller = self
                    .authenticator
                    .authenticate(bearer(&request.headers)?, arrived)
                    .await?;
                if access == Access::Admin && !caller.admin {
                    return Err(Refusal::NotAdmin);
                }
                Ok(Some(caller))
            }
            Access::Unspecified => Err(Refusal::Unknown),
        }
    }

    fn admit_service(&self, token: &[u8]) -> Result<(), Refusal> {
        if self.service_tokens.accept(token) {
            Ok(())
        } else if self.authenticator.is_ours(token) {
            Err(Refusal::NotService)
        } else {
            Err(Refusal::Invalid)
        }
    }
}

/// One line for each denied call.
fn audit(request: &http::request::Parts, refusal: Refusal) {
    let request_id = request.headers.get("x-request-id").and_then(|id| id.to_str().ok());
    tracing::info!(
        target: "audit",
        kind = "denied_call",
        outcome = "failure",
        target_method = request.uri.path(),
        reason = refusal.reason(),
        request_id,
        "a call was denied"
    );
}

impl<S: tonic::server::NamedService> tonic::server::NamedService for AccessService<S> {
    const NAME: &'static str = S::NAME;
}
