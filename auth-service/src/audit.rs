//! What happened to accounts: the record of it, and the line in the log.

use chrono::{DateTime, Utc};
use proto::auth::v1::audit_event::{Kind, Outcome};
use uuid::Uuid;

/// The actor of what the command line does.
pub const OPERATOR: &str = "operator";

/// Something that happened. It holds no address, password, token or hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// The event's own id.
    pub id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// A user's id, [`OPERATOR`], or empty when nobody knows.
    pub actor: String,
    /// A user's id, a key's, or empty.
    pub target: String,
    /// The request that did it. Empty for the command line.
    pub request_id: String,
    /// The client's address. Empty for the command line.
    pub client: String,
}

/// By whom and from where something is done.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// A user's id, [`OPERATOR`], or empty when nobody knows.
    pub actor: String,
    /// The request's id.
    pub request_id: String,
    /// The client's address.
    pub client: String,
}

impl Origin {
    /// The command line.
    pub fn operator() -> Self {
        Self {
            actor: OPERATOR.to_owned(),
            ..Self::default()
        }
    }

    /// The same, with the user who turned out to be acting.
    pub fn by(mut self, user: Uuid) -> Self {
        self.actor = user.to_string();
        self
    }

    /// Something that was done.
    pub fn success(&self, kind: Kind, target: impl ToString, at: DateTime<Utc>) -> AuditEvent {
        self.event(kind, Outcome::Success, target, at)
    }

    /// Something that was refused.
    pub fn failure(&self, kind: Kind, target: impl ToString, at: DateTime<Utc>) -> AuditEvent {
        self.event(kind, Outcome::Failure, target, at)
    }

    fn event(&self, kind: Kind, outcome: Outcome, target: impl ToString, at: DateTime<Utc>) -> AuditEvent {
        AuditEvent {
            id: Uuid::new_v4(),
            at,
            kind,
            outcome,
            actor: self.actor.clone(),
            target: target.to_string(),
            request_id: self.request_id.clone(),
            client: self.client.clone(),
        }
    }
}

impl AuditEvent {
    /// Writes the event's line to the log, once it is stored.
    pub fn log(&self) {
        tracing::info!(
            target: "audit",
            id = %self.id,
            at = %self.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            kind = self.kind.as_str_name(),
            outcome = self.outcome.as_str_name(),
            actor = self.actor,
            target_id = self.target,
            request_id = self.request_id,
            client = self.client,
            "audit"
        );
    }
}
