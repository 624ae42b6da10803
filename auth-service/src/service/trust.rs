//! `auth.v1.TrustService`: what other services ask.

use std::sync::Arc;

use proto::auth::v1::{self as pb, trust_service_server::TrustService};
use service_kit::violations::Violations;
use tokio::time::Instant;
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::Context;
use crate::error::Error;

/// Users that one call may ask for.
const MAX_IDS: usize = 1_000;

/// The service on a [`Context`].
#[derive(Clone)]
pub(crate) struct TrustApi(pub(crate) Arc<Context>);

#[async_trait]
impl TrustService for TrustApi {
    async fn sync(&self, request: Request<pb::SyncRequest>) -> Result<Response<pb::SyncResponse>, Status> {
        let arrived = Instant::now();
        let reply = sync(&self.0, request.into_inner(), arrived).await?;
        Ok(Response::new(reply))
    }

    async fn batch_get_users(
        &self,
        request: Request<pb::BatchGetUsersRequest>,
    ) -> Result<Response<pb::BatchGetUsersResponse>, Status> {
        let reply = batch_get_users(&self.0, request.into_inner()).await?;
        Ok(Response::new(reply))
    }
}

/// From memory, once that holds all that was committed before the call arrived.
async fn sync(context: &Context, request: pb::SyncRequest, arrived: Instant) -> Result<pb::SyncResponse, Error> {
    match context.tokens.trust.fresh(arrived).await {
        Ok(view) => Ok(context.log.reply(request, view.epoch())),
        Err(_) if context.log.history_lost() => Ok(context.log.reply(request, 0)),
        Err(error) => Err(error.into()),
    }
}

async fn batch_get_users(
    context: &Context,
    request: pb::BatchGetUsersRequest,
) -> Result<pb::BatchGetUsersResponse, Error> {
    if request.ids.len() > MAX_IDS {
        return Err(Violations::one("ids", format!("must be at most {MAX_IDS}")).into());
    }
    let ids: Vec<Uuid> = request.ids.iter().filter_map(|id| Uuid::try_parse(id).ok()).collect();
    let found = context.store.addresses(&ids).await?;
    let render = |(id, email): (Uuid, String)| pb::UserAddress {
        id: id.to_string(),
        email,
    };
    Ok(pb::BatchGetUsersResponse {
        users: found.into_iter().map(render).collect(),
    })
}
