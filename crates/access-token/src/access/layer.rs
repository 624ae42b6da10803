use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, request::Parts};
use proto::options::v1::Access;
use tokio::time::Instant;
use tonic::{server::NamedService, transport::server::TcpConnectInfo};
use tower::{Layer, Service};
use uuid::Uuid;

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
                Err(denied) => {
                    audit(&parts, &denied);
                    Ok(denied.refusal.status().into_http())
                }
            }
        })
    }
}

impl<S: NamedService> NamedService for AccessService<S> {
    const NAME: &'static str = S::NAME;
}

/// A refused request, and whose it is if its token told.
struct Denied {
    refusal: Refusal,
    actor: Option<Uuid>,
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, actor: None }
    }
}

impl Guard {
    async fn admit(&self, request: &Parts, arrived: Instant) -> Result<Option<Caller>, Denied> {
        let access = self.policy.of(request.uri.path()).ok_or(Refusal::Unknown)?;
        match access {
            Access::Public => Ok(None),
            Access::Service => Ok(self.admit_service(bearer(&request.headers)?).map(|()| None)?),
            Access::User | Access::Admin => {
                let verified = self.authenticator.verify(bearer(&request.headers)?, arrived).await?;
                let caller = verified.caller;
                let mut decision = self.authenticator.decide(&verified, arrived).await;
                if access == Access::Admin && !caller.admin {
                    decision = decision.and(Err(Refusal::NotAdmin));
                }
                let actor = Some(caller.user_id);
                decision
                    .map(|()| Some(caller))
                    .map_err(|refusal| Denied { refusal, actor })
            }
            Access::Unspecified => Err(Refusal::Unknown.into()),
        }
    }

    fn admit_service(&self, token: &[u8]) -> Result<(), Refusal> {
        if self.service_tokens.accept(token) {
            Ok(())
        } else {
            Err(self.authenticator.not_a_service(token))
        }
    }
}

/// One line for each denied call. The span around it has the request's id. What a proxy says of the client is written
/// down as said: here nobody knows which proxies to believe.
fn audit(request: &Parts, denied: &Denied) {
    let peer = request
        .extensions
        .get::<TcpConnectInfo>()
        .and_then(|info| info.remote_addr);
    let forwarded_for = request.headers.get("x-forwarded-for");
    tracing::info!(
        target: "audit",
        kind = "DENIED_CALL",
        outcome = "FAILURE",
        actor = denied.actor.map(tracing::field::display),
        target_id = request.uri.path(),
        reason = denied.refusal.reason(),
        peer = peer.map(|peer| tracing::field::display(peer.ip())),
        forwarded_for = forwarded_for.map(tracing::field::debug),
        "a call was denied"
    );
}
