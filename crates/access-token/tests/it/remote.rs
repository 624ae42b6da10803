//! Syncs over real connections.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use access_token::{BadServiceToken, RemoteSource, SyncOutcome, SyncSource, Trust, TrustConfig};
use proto::auth::v1::{
    BatchGetUsersRequest, BatchGetUsersResponse, SyncRequest, SyncResponse,
    trust_service_server::{TrustService, TrustServiceServer},
};
use test_kit::{TokenMint, fixed_now};
use tokio::{net::TcpListener, time::Instant};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Server},
};

use crate::kit::{NOW, SERVICE_TOKEN};

/// An auth service that knows one key and checks the service token itself.
struct Auth;

#[tonic::async_trait]
impl TrustService for Auth {
    async fn sync(&self, request: Request<SyncRequest>) -> Result<Response<SyncResponse>, Status> {
        let shown = request
            .metadata()
            .get("authorization")
            .map(|value| value.as_bytes().to_vec());
        if shown != Some(format!("Bearer {SERVICE_TOKEN}").into_bytes()) {
            return Err(Status::unauthenticated("no"));
        }
        Ok(Response::new(TokenMint::default().sync_response()))
    }

    async fn batch_get_users(
        &self,
        _: Request<BatchGetUsersRequest>,
    ) -> Result<Response<BatchGetUsersResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let serving = Server::builder()
        .add_service(TrustServiceServer::new(Auth))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    addr
}

fn source(addr: SocketAddr, token: &str) -> Arc<dyn SyncSource> {
    let endpoint: Endpoint = Channel::from_shared(format!("http://{addr}")).unwrap();
    Arc::new(RemoteSource::new(endpoint, token).unwrap())
}

async fn ready_within(seconds: u64, trust: &Trust) -> bool {
    let ready = trust.until_ready();
    tokio::time::timeout(Duration::from_secs(seconds), ready).await.is_ok()
}

/// A busy machine may take its time where time is not what is tested.
fn patient() -> TrustConfig {
    TrustConfig {
        patience: Duration::from_secs(30),
        ..TrustConfig::default()
    }
}

#[tokio::test]
async fn a_remote_source_brings_the_view() {
    let addr = serve().await;
    let (trust, _driver) = Trust::start(
        vec![source(addr, SERVICE_TOKEN)],
        TrustConfig::default(),
        fixed_now(NOW),
    );
    let view = trust.fresh(Instant::now()).await.unwrap();
    assert!(view.key(TokenMint::default().key.kid()).is_some());
}

#[tokio::test]
async fn a_dead_and_a_mute_url_are_passed_over() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addrs = [closed, mute.local_addr().unwrap(), serve().await];
    let sources = addrs.map(|addr| source(addr, SERVICE_TOKEN)).to_vec();

    let (trust, _driver) = Trust::start(sources, patient(), fixed_now(NOW));

    assert!(ready_within(30, &trust).await);
    assert!(trust.fresh(Instant::now()).await.is_ok());
}

#[tokio::test]
async fn a_wrong_service_token_is_denied_and_never_ready() {
    let addr = serve().await;
    let wrong = "another-token-of-more-than-32-bytes";
    let (trust, _driver) = Trust::start(vec![source(addr, wrong)], TrustConfig::default(), fixed_now(NOW));

    assert!(!ready_within(1, &trust).await);
    assert!(trust.stats().syncs(SyncOutcome::Denied) > 0);
    assert!(trust.fresh(Instant::now()).await.is_err());
}

#[tokio::test]
async fn a_service_token_that_no_header_carries_is_refused_at_the_start() {
    let endpoint = Endpoint::from_static("http://127.0.0.1:1");
    assert!(matches!(
        RemoteSource::new(endpoint, "line\nbreak"),
        Err(BadServiceToken)
    ));
}
