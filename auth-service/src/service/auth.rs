//! `auth.v1.AuthService`.

use std::sync::Arc;

use access_token::Caller;
use proto::auth::v1::{self as pb, auth_service_server::AuthService};
use tonic::{Request, Response, Status, async_trait, metadata::MetadataValue};

use super::{Context, accounts, admin, audit, keys, login};

type Reply<T> = Result<Response<T>, Status>;

/// The service on a [`Context`].
#[derive(Clone)]
pub(crate) struct AuthApi(pub(crate) Arc<Context>);

#[async_trait]
impl AuthService for AuthApi {
    async fn register(&self, request: Request<pb::RegisterRequest>) -> Reply<pb::AccessToken> {
        let (origin, client) = (self.0.origin(&request), self.0.client(&request));
        let registered = login::register(&self.0, request.into_inner(), origin, client).await;
        let answer = registered
            .map(|token| token.map_or_else(checked, Response::new))
            .map_err(Status::from);
        match self.0.throttle.registrations_left(client) {
            Some(limit) if self.0.registration_open => limit.on(answer),
            _ => answer,
        }
    }

    async fn login(&self, request: Request<pb::LoginRequest>) -> Reply<pb::AccessToken> {
        let (origin, client) = (self.0.origin(&request), self.0.client(&request));
        let token = login::log_in(&self.0, request.into_inner(), origin, client).await;
        let answer = token.map(Response::new).map_err(Status::from);
        self.0.throttle.failures_left(client).on(answer)
    }

    async fn get_current_user(&self, request: Request<pb::GetCurrentUserRequest>) -> Reply<pb::CurrentUser> {
        let user = accounts::current(&self.0, Caller::of(&request)?).await?;
        Ok(Response::new(user))
    }

    async fn logout(&self, request: Request<pb::LogoutRequest>) -> Reply<()> {
        accounts::log_out(&self.0, Caller::of(&request)?, self.0.origin(&request)).await?;
        Ok(Response::new(()))
    }

    async fn logout_everywhere(&self, request: Request<pb::LogoutEverywhereRequest>) -> Reply<()> {
        accounts::log_out_everywhere(&self.0, Caller::of(&request)?, self.0.origin(&request)).await?;
        Ok(Response::new(()))
    }

    async fn change_password(&self, request: Request<pb::ChangePasswordRequest>) -> Reply<pb::AccessToken> {
        let caller = *Caller::of(&request)?;
        let (origin, client) = (self.0.origin(&request), self.0.client(&request));
        let token = accounts::change_password(&self.0, &caller, request.into_inner(), origin, client).await?;
        Ok(Response::new(token))
    }

    async fn delete_current_user(&self, request: Request<pb::DeleteCurrentUserRequest>) -> Reply<()> {
        let caller = *Caller::of(&request)?;
        let (origin, client) = (self.0.origin(&request), self.0.client(&request));
        accounts::delete_current(&self.0, &caller, request.into_inner(), origin, client).await?;
        Ok(Response::new(()))
    }

    async fn list_users(&self, request: Request<pb::ListUsersRequest>) -> Reply<pb::ListUsersResponse> {
        let page = admin::list(&self.0, request.into_inner()).await?;
        Ok(Response::new(page))
    }

    async fn get_user(&self, request: Request<pb::GetUserRequest>) -> Reply<pb::User> {
        let user = admin::get(&self.0, request.into_inner()).await?;
        Ok(Response::new(user))
    }

    async fn update_user(&self, request: Request<pb::UpdateUserRequest>) -> Reply<pb::User> {
        let origin = self.0.origin(&request);
        let user = admin::update(&self.0, request.into_inner(), origin).await?;
        Ok(Response::new(user))
    }

    async fn delete_user(&self, request: Request<pb::DeleteUserRequest>) -> Reply<()> {
        let origin = self.0.origin(&request);
        admin::delete(&self.0, request.into_inner(), origin).await?;
        Ok(Response::new(()))
    }

    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Reply<pb::ListAuditEventsResponse> {
        let page = audit::list(&self.0, request.into_inner()).await?;
        Ok(Response::new(page))
    }

    async fn get_key_set(&self, _: Request<pb::GetKeySetRequest>) -> Reply<pb::KeySet> {
        let keys = keys::key_set(&self.0).await?;
        Ok(Response::new(keys))
    }

    async fn introspect(&self, request: Request<pb::IntrospectRequest>) -> Reply<pb::IntrospectResponse> {
        let answer = keys::introspect(&self.0, request.into_inner()).await?;
        Ok(Response::new(answer))
    }
}

/// A registration that was only checked made nothing: 200 instead of 201.
fn checked() -> Response<pb::AccessToken> {
    let mut response = Response::new(pb::AccessToken::default());
    response
        .metadata_mut()
        .insert("http-status", MetadataValue::from_static("200"));
    response
}
