//! Those who call the auth service.

use std::time::{Duration, Instant};

use proto::auth::v1::{self as pb, auth_service_client::AuthServiceClient, trust_service_client::TrustServiceClient};
use tonic::{Code, Request, Response, Status, transport::Channel};
use uuid::Uuid;

use crate::{
    house::{PASSWORD, SERVICE_TOKEN},
    replies::{claims, is_trust_unavailable, refused},
};

/// How long a patient client goes on asking.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn fresh_email() -> String {
    format!("{}@example.com", Uuid::new_v4().simple())
}

/// Somebody without a token, or whose token is put on requests by hand.
#[derive(Clone)]
pub struct Anonymous {
    pub auth: AuthServiceClient<Channel>,
    pub trust: TrustServiceClient<Channel>,
    pub channel: Channel,
    /// Sent as `x-forwarded-for`.
    pub from: Option<String>,
    /// Tries again as long as it hears TRUST_UNAVAILABLE, which a machine that is busy enough says now and then.
    pub patient: bool,
}

/// Asks until there is an answer that counts.
macro_rules! asking {
    ($asker:expr, $service:ident.$method:ident($message:expr, $bearer:expr)) => {
        $asker
            .ask(|| {
                let mut client = $asker.$service.clone();
                let request = $asker.request($message.clone(), $bearer);
                async move { client.$method(request).await }
            })
            .await
            .map(Response::into_inner)
    };
}

impl Anonymous {
    pub fn on(channel: Channel) -> Self {
        Self {
            auth: AuthServiceClient::new(channel.clone()),
            trust: TrustServiceClient::new(channel.clone()),
            channel,
            from: None,
            patient: true,
        }
    }

    pub fn from(&self, address: &str) -> Self {
        Self {
            from: Some(address.to_owned()),
            ..self.clone()
        }
    }

    pub fn impatient(&self) -> Self {
        Self {
            patient: false,
            ..self.clone()
        }
    }

    async fn ask<T, F>(&self, call: impl Fn() -> F) -> Result<Response<T>, Status>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let began = Instant::now();
        loop {
            match call().await {
                Err(status) if self.patient && is_trust_unavailable(&status) && began.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => return outcome,
            }
        }
    }

    pub fn request<T>(&self, message: T, bearer: Option<&str>) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(bearer) = bearer {
            request
                .metadata_mut()
                .insert("authorization", format!("Bearer {bearer}").parse().unwrap());
        }
        if let Some(from) = &self.from {
            request.metadata_mut().insert("x-forwarded-for", from.parse().unwrap());
        }
        request
    }

    pub async fn register(&self, email: &str) -> Result<User, Status> {
        self.register_with(email, PASSWORD).await
    }

    pub async fn register_with(&self, email: &str, password: &str) -> Result<User, Status> {
        let request = pb::RegisterRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            validate_only: false,
        };
        let token = asking!(self, auth.register(request, None))?;
        Ok(User::of(self, email, token))
    }

    pub async fn login(&self, email: &str, password: &str) -> Result<User, Status> {
        let answer = self.login_answer(email, password).await?;
        Ok(User::of(self, email, answer.into_inner()))
    }

    /// The whole answer to a login, with its metadata.
    pub async fn login_answer(&self, email: &str, password: &str) -> Result<Response<pb::AccessToken>, Status> {
        self.ask(|| {
            let mut client = self.auth.clone();
            let message = pb::LoginRequest {
                email: email.to_owned(),
                password: password.to_owned(),
            };
            let request = self.request(message, None);
            async move { client.login(request).await }
        })
        .await
    }

    /// Calls any method by its path, with an empty request.
    pub async fn call(&self, path: &str, bearer: Option<&str>) -> Result<(), Status> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        grpc.unary(self.request((), bearer), path.parse().unwrap(), codec)
            .await
            .map(drop)
    }

    pub async fn sync(&self, epoch: i64, cursor: i64) -> Result<pb::SyncResponse, Status> {
        asking!(self, trust.sync(pb::SyncRequest { epoch, cursor }, Some(SERVICE_TOKEN)))
    }

    pub async fn introspect(&self, token: &str) -> Result<pb::IntrospectResponse, Status> {
        let request = pb::IntrospectRequest {
            token: token.to_owned(),
        };
        asking!(self, auth.introspect(request, Some(SERVICE_TOKEN)))
    }

    pub async fn key_set(&self) -> Result<pb::KeySet, Status> {
        asking!(self, auth.get_key_set(pb::GetKeySetRequest {}, None))
    }
}

/// Somebody who is logged in.
#[derive(Clone)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub token: pb::AccessToken,
    pub client: Anonymous,
}

macro_rules! calls {
    ($($name:ident($message:ty) -> $reply:ty;)*) => {$(
        pub async fn $name(&self, message: $message) -> Result<$reply, Status> {
            asking!(self.client, auth.$name(message, Some(&self.token.access_token)))
        }
    )*};
}

impl User {
    fn of(client: &Anonymous, email: &str, token: pb::AccessToken) -> Self {
        let claims = claims(&token.access_token);
        Self {
            id: claims["sub"].as_str().unwrap().parse().unwrap(),
            email: email.to_owned(),
            token,
            client: client.clone(),
        }
    }

    calls! {
        list_users(pb::ListUsersRequest) -> pb::ListUsersResponse;
        get_user(pb::GetUserRequest) -> pb::User;
        update_user(pb::UpdateUserRequest) -> pb::User;
        delete_user(pb::DeleteUserRequest) -> ();
        list_audit_events(pb::ListAuditEventsRequest) -> pb::ListAuditEventsResponse;
        delete_current_user(pb::DeleteCurrentUserRequest) -> ();
        change_password(pb::ChangePasswordRequest) -> pb::AccessToken;
        get_current_user(pb::GetCurrentUserRequest) -> pb::CurrentUser;
        logout(pb::LogoutRequest) -> ();
        logout_everywhere(pb::LogoutEverywhereRequest) -> ();
    }

    pub async fn current(&self) -> Result<pb::CurrentUser, Status> {
        self.get_current_user(pb::GetCurrentUserRequest {}).await
    }

    pub async fn log_out(&self) {
        self.logout(pb::LogoutRequest {}).await.unwrap();
    }

    pub async fn change(&self, current: &str, new: &str) -> Result<User, Status> {
        let request = pb::ChangePasswordRequest {
            current: current.to_owned(),
            new: new.to_owned(),
        };
        let token = self.change_password(request).await?;
        Ok(User { token, ..self.clone() })
    }

    /// Writes roles of a user with an explicit mask.
    pub async fn set(&self, id: Uuid, admin: Option<bool>, disabled: Option<bool>) -> Result<pb::User, Status> {
        let paths = [admin.map(|_| "admin"), disabled.map(|_| "disabled")];
        let request = pb::UpdateUserRequest {
            user: Some(pb::User {
                id: id.to_string(),
                admin: admin.unwrap_or_default(),
                disabled: disabled.unwrap_or_default(),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: paths.into_iter().flatten().map(str::to_owned).collect(),
            }),
            validate_only: false,
        };
        self.update_user(request).await
    }

    /// Asserts that the token is good.
    pub async fn is_in(&self) {
        assert_eq!(self.current().await.unwrap().id, self.id.to_string());
    }

    /// Asserts that the token is dead.
    pub async fn is_out(&self) {
        let refusal = self.current().await.unwrap_err();
        assert_eq!(refused(&refusal), (Code::Unauthenticated, "TOKEN_REVOKED".to_owned()));
        let introspected = self.client.introspect(&self.token.access_token).await.unwrap();
        assert!(!introspected.active);
    }
}

impl User {
    /// Asserts that the token is refused: after a recovery its key is not known any more.
    pub async fn is_out_somehow(&self) {
        let refusal = self.current().await.unwrap_err();
        assert_eq!(refused(&refusal).0, Code::Unauthenticated);
    }
}
