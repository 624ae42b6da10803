//! What the tests share: a scripted auth service and a house around it.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use access_token::{
    AccessLayer, Authenticator, Caller, ServiceTokens, SyncFuture, SyncSource, Trust, TrustConfig, TrustUnavailable,
    Verifier, VerifierConfig, View,
};
use proto::auth::v1::{self as pb, revocation::Subject};
use test_kit::{AUDIENCE, ISSUER, TokenMint};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, advance},
};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

/// The time that the tests begin at, in seconds since the epoch.
pub const NOW: i64 = 1_800_000_000;

/// A Sync that has begun and waits for the test to answer it.
pub struct Call {
    pub source: usize,
    pub request: pb::SyncRequest,
    pub begun: Instant,
    reply: oneshot::Sender<Result<pb::SyncResponse, Status>>,
}

impl Call {
    pub fn answer(self, response: pb::SyncResponse) {
        self.reply
            .send(Ok(response))
            .expect("nobody waits for the answer any more");
    }

    pub fn fail(self, code: Code) {
        self.reply
            .send(Err(Status::new(code, "as the script says")))
            .expect("nobody waits for the answer any more");
    }

    pub fn is_given_up(&self) -> bool {
        self.reply.is_closed()
    }
}

struct Scripted {
    place: usize,
    calls: mpsc::UnboundedSender<Call>,
}

impl SyncSource for Scripted {
    fn sync(&self, request: pb::SyncRequest) -> SyncFuture<'_> {
        let (reply, answer) = oneshot::channel();
        let call = Call {
            source: self.place,
            request,
            begun: Instant::now(),
            reply,
        };
        self.calls.send(call).expect("the test listens");
        Box::pin(async move {
            answer
                .await
                .unwrap_or_else(|_| Err(Status::unavailable("the test let go of the call")))
        })
    }

    fn name(&self) -> &str {
        "the script"
    }
}

/// A verifying service whose auth service is the test.
pub struct House {
    pub mint: TokenMint,
    pub trust: Trust,
    pub verifier: Arc<Verifier>,
    calls: mpsc::UnboundedReceiver<Call>,
    clock: Arc<AtomicI64>,
    _driver: JoinHandle<()>,
}

impl House {
    /// A house that has not heard from its auth service yet.
    pub fn new() -> Self {
        Self::with(1, TrustConfig::default())
    }

    pub fn with(sources: usize, config: TrustConfig) -> Self {
        let (sender, calls) = mpsc::unbounded_channel();
        let sources = (0..sources).map(|place| {
            let calls = sender.clone();
            Arc::new(Scripted { place, calls }) as Arc<dyn SyncSource>
        });
        let clock = Arc::new(AtomicI64::new(NOW));
        let ticking = clock.clone();
        let now: access_token::Now = Arc::new(move || ticking.load(Ordering::Relaxed));
        let (trust, driver) = Trust::start(sources.collect(), config, now.clone());
        Self {
            mint: TokenMint::default(),
            trust,
            verifier: Arc::new(Verifier::new(VerifierConfig::new(ISSUER, AUDIENCE), now)),
            calls,
            clock,
            _driver: driver,
        }
    }

    /// A house that is ready and at rest, some time after its first Sync.
    pub async fn ready() -> Self {
        Self::ready_with(1, TrustConfig::default()).await
    }

    pub async fn ready_with(sources: usize, config: TrustConfig) -> Self {
        let mut house = Self::with(sources, config);
        let response = house.mint.sync_response();
        house.answer(response).await;
        advance(Duration::from_millis(100)).await;
        house
    }

    /// The Sync that has begun by now.
    pub async fn call(&mut self) -> Call {
        self.begun().await.expect("a Sync has begun")
    }

    /// The Sync that has begun by now, if any. No time passes.
    pub async fn begun(&mut self) -> Option<Call> {
        settle().await;
        self.calls.try_recv().ok()
    }

    /// Waits for the next Sync while time flies.
    pub async fn next_call(&mut self) -> Call {
        self.calls.recv().await.expect("the house stands")
    }

    /// Answers the Sync that has begun by now.
    pub async fn answer(&mut self, response: pb::SyncResponse) {
        self.call().await.answer(response);
        settle().await;
    }

    /// A request that arrives now and needs a view.
    pub async fn arrive(&self) -> Waiting {
        let trust = self.trust.clone();
        let arrived = Instant::now();
        let waiting = Waiting(tokio::spawn(async move { trust.fresh(arrived).await }));
        settle().await;
        waiting
    }

    pub fn authenticator(&self) -> Authenticator {
        Authenticator::new(self.trust.clone(), self.verifier.clone())
    }

    pub fn layer(&self) -> AccessLayer {
        let tokens = ServiceTokens::new([SERVICE_TOKEN, "another-service-token-of-32-bytes"]);
        AccessLayer::new(
            proto::FILE_DESCRIPTOR_SET,
            self.trust.clone(),
            self.verifier.clone(),
            tokens,
        )
        .expect("every method states its access")
    }

    pub fn set_clock(&self, now: i64) {
        self.clock.store(now, Ordering::Relaxed);
    }

    /// From here on every Sync is answered at once with the same.
    pub fn answer_forever(&mut self, response: pb::SyncResponse) {
        let (_, none) = mpsc::unbounded_channel();
        let mut calls = std::mem::replace(&mut self.calls, none);
        tokio::spawn(async move {
            while let Some(call) = calls.recv().await {
                // The house may have given the call up.
                drop(call.reply.send(Ok(response.clone())));
            }
        });
    }
}

pub const SERVICE_TOKEN: &str = "a-service-token-of-thirty-two-by";

/// A request that waits for its view.
pub struct Waiting(JoinHandle<Result<Arc<View>, TrustUnavailable>>);

impl Waiting {
    pub fn is_over(&self) -> bool {
        self.0.is_finished()
    }

    pub async fn view(self) -> Result<Arc<View>, TrustUnavailable> {
        self.0.await.expect("the request was not cancelled")
    }

    pub async fn hang_up(self) {
        self.0.abort();
        settle().await;
    }
}

/// Lets everything run that can run without time passing.
pub async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Lets time pass in steps, so that whatever falls due on the way happens at its time.
pub async fn pass(time: Duration) {
    for _ in 0..time.as_millis() {
        advance(Duration::from_millis(1)).await;
        settle().await;
    }
}

pub const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A revocation without end.
pub fn revoked(number: i64, subject: Subject) -> pb::Revocation {
    pb::Revocation {
        number,
        subject: Some(subject),
        expires_at: None,
    }
}

/// The revocation of a token.
pub fn token(number: i64, id: uuid::Uuid) -> pb::Revocation {
    revoked(number, Subject::Token(id.as_bytes().to_vec()))
}

/// A floor under a user's generations.
pub fn floor(number: i64, user: uuid::Uuid, generation: i64) -> pb::Revocation {
    let user_id = user.as_bytes().to_vec();
    revoked(number, Subject::User(pb::GenerationFloor { user_id, generation }))
}

/// A complete reply with revocations.
pub fn with(mut response: pb::SyncResponse, revocations: Vec<pb::Revocation>) -> pb::SyncResponse {
    response.next_cursor = revocations
        .iter()
        .map(|one| one.number)
        .max()
        .unwrap_or(response.next_cursor);
    response.revocations = revocations;
    response
}

/// What a handler behind the access layer answered or the layer did.
pub struct Reply {
    pub status: Status,
    /// The caller that the handler saw.
    pub caller: Option<Caller>,
    pub response: http::Response<Body>,
}

/// Sends a request with these Authorization headers through an access layer to a handler that answers OK.
pub async fn send(layer: &AccessLayer, path: &str, authorization: &[Vec<u8>]) -> Reply {
    let mut request = http::Request::post(format!("http://house{path}"))
        .body(Body::empty())
        .unwrap();
    for value in authorization {
        request
            .headers_mut()
            .append("authorization", http::HeaderValue::from_bytes(value).unwrap());
    }
    let handler = tower::service_fn(|request: http::Request<Body>| async move {
        let mut response = http::Response::new(Body::empty());
        if let Some(caller) = request.extensions().get::<Caller>() {
            response.extensions_mut().insert(*caller);
        }
        Ok::<_, Infallible>(response)
    });
    let response = layer.layer(handler).call(request).await.unwrap();
    Reply {
        status: Status::from_header_map(response.headers()).unwrap_or_else(|| Status::ok("")),
        caller: response.extensions().get().copied(),
        response,
    }
}

pub fn bearer(token: &str) -> Vec<Vec<u8>> {
    vec![format!("Bearer {token}").into_bytes()]
}
