use std::time::Duration;

use proto::auth::v1::{SyncRequest, trust_service_client::TrustServiceClient};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

use super::{SyncFuture, SyncSource};

/// The auth service at one URL.
pub struct RemoteSource {
    name: String,
    client: TrustServiceClient<Channel>,
    authorization: MetadataValue<Ascii>,
}

impl RemoteSource {
    /// Prepares a connection to an endpoint, which the first Sync opens. A connection that dies unseen is noticed within
    /// seconds and opened anew.
    ///
    /// # Errors
    /// [`BadServiceToken`] when the token cannot be sent in a header.
    pub fn new(endpoint: Endpoint, service_token: &str) -> Result<Self, BadServiceToken> {
        let name = endpoint.uri().to_string();
        let endpoint = endpoint
            .connect_timeout(Duration::from_millis(300))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(2))
            .keep_alive_timeout(Duration::from_secs(2))
            .keep_alive_while_idle(true);
        Self::over(endpoint.connect_lazy(), name, service_token)
    }

    /// Takes a channel as it is. `name` is for logs.
    ///
    /// # Errors
    /// [`BadServiceToken`] when the token cannot be sent in a header.
    pub fn over(channel: Channel, name: impl Into<String>, service_token: &str) -> Result<Self, BadServiceToken> {
        let authorization = format!("Bearer {service_token}");
        let mut authorization = MetadataValue::try_from(authorization).map_err(|_| BadServiceToken)?;
        authorization.set_sensitive(true);
        Ok(Self {
            name: name.into(),
            client: TrustServiceClient::new(channel),
            authorization,
        })
    }
}

/// The service token has characters that no header may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SERVICE_TOKEN has characters that a header cannot carry")]
pub struct BadServiceToken;

impl SyncSource for RemoteSource {
    fn sync(&self, request: SyncRequest) -> SyncFuture<'_> {
        let mut client = self.client.clone();
        let mut request = Request::new(request);
        request
            .metadata_mut()
            .insert("authorization", self.authorization.clone());
        Box::pin(async move { client.sync(request).await.map(tonic::Response::into_inner) })
    }

    fn name(&self) -> &str {
        &self.name
    }
}
