//! What people do, each with an answer that is as it should be.

use std::time::{Duration, Instant};

use proto::auth::v1::{LogoutRequest, auth_service_client::AuthServiceClient};
use serde_json::{Value, json};
use tonic::{Request, transport::Channel};

use crate::{
    cluster::{Cluster, PASSWORD, ROOT},
    rest::{Reply, Rest},
};

/// How long a busy machine may keep somebody waiting for a view of revocations.
const PATIENCE: Duration = Duration::from_secs(60);

impl Cluster {
    /// A new user's token.
    pub async fn register(&self, email: &str) -> String {
        let body = json!({"email": email, "password": PASSWORD});
        token(&done(&self.rest(), "POST", "/api/v1/auth/register", "", &body).await)
    }

    pub async fn login(&self, email: &str) -> String {
        let body = json!({"email": email, "password": PASSWORD});
        token(&done(&self.rest(), "POST", "/api/v1/auth/login", "", &body).await)
    }

    /// The administrator's token.
    pub async fn root(&self) -> String {
        self.login(ROOT).await
    }

    /// The id of whose token it is.
    pub async fn id(&self, token: &str) -> String {
        let user = done(&self.rest(), "GET", "/api/v1/auth/user", token, &Value::Null).await;
        user.body["id"].as_str().unwrap().to_owned()
    }
}

/// Sends a request until there is an answer that counts, which has to be a good one: where a machine is busy enough, it
/// cannot be told now and then what has been revoked.
pub async fn done(rest: &Rest, method: &str, path: &str, token: &str, body: &Value) -> Reply {
    let began = Instant::now();
    loop {
        let reply = rest.send(method, path, token, body).await.unwrap();
        match reply.status {
            503 if reply.reason() == "TRUST_UNAVAILABLE" && began.elapsed() < PATIENCE => {}
            200..300 => return reply,
            _ => panic!("{method} {path}: {reply:?}"),
        }
    }
}

/// Logs out at one auth service itself.
pub async fn log_out(auth: &Channel, token: &str) {
    let mut request = Request::new(LogoutRequest {});
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    AuthServiceClient::new(auth.clone()).logout(request).await.unwrap();
}

/// The token in a reply.
pub fn token(reply: &Reply) -> String {
    reply.body["access_token"].as_str().unwrap().to_owned()
}
