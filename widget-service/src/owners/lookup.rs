use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use proto::auth::v1::{BatchGetUsersRequest, trust_service_client::TrustServiceClient};
use tokio::time::timeout;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};
use uuid::Uuid;

/// Calls the auth service, at whichever of its addresses answers.
#[derive(Debug)]
pub(super) struct Lookup {
    replicas: Vec<TrustServiceClient<Channel>>,
    authorization: MetadataValue<Ascii>,
    /// The replica that answered last.
    preferred: AtomicUsize,
}

impl Lookup {
    /// An address is nice to have: a list does not wait for it longer than this, whatever number of replicas is asked.
    const LIMIT: Duration = Duration::from_millis(250);

    pub(super) fn new(replicas: Vec<Channel>, authorization: MetadataValue<Ascii>) -> Self {
        Self {
            replicas: replicas.into_iter().map(TrustServiceClient::new).collect(),
            authorization,
            preferred: AtomicUsize::new(0),
        }
    }

    /// The addresses of those users that exist.
    pub(super) async fn emails(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, Status> {
        let first = self.preferred.load(Ordering::Relaxed);
        let each = Self::LIMIT / u32::try_from(self.replicas.len()).unwrap_or(u32::MAX).max(1);
        let mut failure = Status::unavailable("there is no auth service to ask");
        for turn in 0..self.replicas.len() {
            let at = (first + turn) % self.replicas.len();
            match timeout(each, self.ask(at, ids)).await {
                Ok(Ok(emails)) => {
                    self.preferred.store(at, Ordering::Relaxed);
                    return Ok(emails);
                }
                Ok(Err(status)) => failure = status,
                Err(_) => failure = Status::deadline_exceeded("no answer in time"),
            }
        }
        Err(failure)
    }

    async fn ask(&self, replica: usize, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, Status> {
        let ids = ids.iter().map(Uuid::to_string).collect();
        let mut request = Request::new(BatchGetUsersRequest { ids });
        request
            .metadata_mut()
            .insert("authorization", self.authorization.clone());
        let reply = self.replicas[replica]
            .clone()
            .batch_get_users(request)
            .await?
            .into_inner();
        let parsed = reply
            .users
            .into_iter()
            .filter_map(|user| Some((user.id.parse().ok()?, user.email)));
        Ok(parsed.collect())
    }
}
