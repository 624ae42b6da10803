//! An auth service that says what a test wants it to say.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use proto::auth::v1::{
    self as pb,
    trust_service_server::{TrustService, TrustServiceServer},
};
use tokio::{net::TcpListener, sync::Notify};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    transport::{Server, ServerTlsConfig},
};
use uuid::Uuid;

/// What services of the tests show each other.
pub const SERVICE_TOKEN: &str = "the-service-token-of-the-tests-is-long-enough";

/// A running stand-in for the auth service. Clones share the script.
#[derive(Clone)]
pub struct ScriptedAuth {
    pub addr: SocketAddr,
    script: Arc<Script>,
}

#[derive(Default)]
struct Script {
    state: Mutex<State>,
    /// Completes what [`Emails::Frozen`] holds up.
    thaw: Notify,
}

#[derive(Default)]
struct State {
    key: pb::VerifyingKey,
    revocations: Vec<pb::Revocation>,
    users: HashMap<Uuid, String>,
    emails: Emails,
    away: bool,
    asked: Vec<Vec<Uuid>>,
}

/// How questions for addresses are answered.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Emails {
    #[default]
    Told,
    Refused,
    Frozen,
}

impl ScriptedAuth {
    /// Serves on a free port. Tokens signed by `key` are good.
    pub async fn start(key: pb::VerifyingKey, tls: Option<ServerTlsConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let script = Arc::new(Script::default());
        script.state.lock().unwrap().key = key;
        let service = TrustServiceServer::from_arc(script.clone());
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).unwrap();
        }
        let serving = server
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(async move { serving.await.unwrap() });
        Self { addr, script }
    }

    /// Registers a user.
    pub fn add_user(&self, id: Uuid, email: &str) {
        self.script.state.lock().unwrap().users.insert(id, email.to_owned());
    }

    /// Deletes a user as the auth service does: the highest floor is written.
    pub fn delete_user(&self, id: Uuid) {
        let floor = pb::GenerationFloor {
            user_id: id.as_bytes().to_vec(),
            generation: i64::MAX,
        };
        self.revoke(pb::revocation::Subject::User(floor));
        self.script.state.lock().unwrap().users.remove(&id);
    }

    /// Logs a token out.
    pub fn log_out(&self, token_id: Uuid) {
        self.revoke(pb::revocation::Subject::Token(token_id.as_bytes().to_vec()));
    }

    /// Decides how questions for addresses are answered from now on.
    pub fn set_emails(&self, emails: Emails) {
        self.script.state.lock().unwrap().emails = emails;
    }

    /// The questions for addresses so far.
    pub fn asked(&self) -> Vec<Vec<Uuid>> {
        self.script.state.lock().unwrap().asked.clone()
    }

    /// Forgets the questions so far.
    pub fn forget_asked(&self) {
        self.script.state.lock().unwrap().asked.clear();
    }

    /// Answers nothing any more.
    pub fn go_away(&self) {
        self.script.state.lock().unwrap().away = true;
    }

    fn revoke(&self, subject: pb::revocation::Subject) {
        let mut state = self.script.state.lock().unwrap();
        let number = state.revocations.len() as i64 + 1;
        state.revocations.push(pb::Revocation {
            number,
            subject: Some(subject),
            expires_at: None,
        });
    }
}

fn check_service_token<T>(request: &Request<T>) -> Result<(), Status> {
    let shown = request
        .metadata()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    match shown == Some(&format!("Bearer {SERVICE_TOKEN}")) {
        true => Ok(()),
        false => Err(Status::permission_denied("another service token")),
    }
}

#[tonic::async_trait]
impl TrustService for Script {
    async fn sync(&self, request: Request<pb::SyncRequest>) -> Result<Response<pb::SyncResponse>, Status> {
        check_service_token(&request)?;
        let cursor = request.into_inner().cursor;
        let state = self.state.lock().unwrap();
        if state.away {
            return Err(Status::unavailable("away"));
        }
        Ok(Response::new(pb::SyncResponse {
            epoch: 1,
            next_cursor: state.revocations.len() as i64,
            complete: true,
            history_lost: false,
            keys: vec![state.key.clone()],
            revocations: state
                .revocations
                .iter()
                .filter(|revocation| revocation.number > cursor)
                .cloned()
                .collect(),
        }))
    }

    async fn batch_get_users(
        &self,
        request: Request<pb::BatchGetUsersRequest>,
    ) -> Result<Response<pb::BatchGetUsersResponse>, Status> {
        check_service_token(&request)?;
        let ids: Vec<Uuid> = request.into_inner().ids.iter().map(|id| id.parse().unwrap()).collect();
        let (emails, users) = {
            let mut state = self.state.lock().unwrap();
            state.asked.push(ids.clone());
            let known = |id: &Uuid| {
                Some(pb::UserAddress {
                    id: id.to_string(),
                    email: state.users.get(id)?.clone(),
                })
            };
            (state.emails, ids.iter().filter_map(known).collect())
        };
        match emails {
            Emails::Told => {}
            Emails::Refused => return Err(Status::unavailable("not now")),
            Emails::Frozen => self.thaw.notified().await,
        }
        Ok(Response::new(pb::BatchGetUsersResponse { users }))
    }
}
