//! Why a call fails, and the one place where that becomes a gRPC status.

use std::time::Duration;

use access_token::TrustUnavailable;
use service_kit::{rate_limit::RateLimit, refusal::Refusal, violations::Violations};
use tonic::{Code, Status, metadata::MetadataValue};

use crate::passwords::HashError;

/// What a client without credentials, or with wrong ones, is told to show (RFC 6750 section 3).
const CHALLENGE: &str = r#"Bearer realm="gatehouse""#;

/// How long to wait when as many passwords as allowed are being hashed.
const BUSY_FOR: Duration = Duration::from_secs(1);

/// Why a call failed. Messages are shown to callers; causes are logged and never shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the request are wrong.
    #[error("some fields of the request are not valid")]
    Invalid(Violations),
    /// A login with an unknown address, a wrong password or for a disabled account: nobody learns which.
    #[error("the address or the password is wrong")]
    BadCredentials,
    /// A logged-in user gave a wrong current password. The token stays good.
    #[error("the current password is wrong")]
    WrongPassword,
    /// Only operators make users here.
    #[error("registration is closed: an operator has to make the account")]
    RegistrationClosed,
    /// Somebody registered with this address.
    #[error("this address is registered already")]
    EmailTaken,
    /// No user has this id.
    #[error("there is no user with this id")]
    UserNotFound,
    /// Nobody would be left to administer.
    #[error("this is the last enabled administrator")]
    LastAdministrator,
    /// The account changed between reading and writing, by another password change most likely.
    #[error("the account was changed at the same moment; try again")]
    AccountChanged,
    /// The caller's account was deleted after its token was checked.
    #[error("the token was revoked")]
    TokenRevoked,
    /// Too many failures.
    #[error("too many failed attempts; try again later")]
    Throttled(RateLimit),
    /// Too many registrations from one network.
    #[error("too many registrations from this network; try again later")]
    TooManyRegistrations(RateLimit),
    /// Too much is being done at the moment.
    #[error("the service is busy; try again in a moment")]
    Overloaded,
    /// Nothing is known for certain about what has been revoked.
    #[error("it cannot be told at the moment what has been revoked; try again in a moment")]
    TrustUnavailable(#[from] TrustUnavailable),
    /// The store failed.
    #[error("the account store failed")]
    Store(#[from] database::Error),
    /// Something that cannot happen did.
    #[error("the call failed inside the service")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Something broke that no caller can help.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Overloaded,
            HashError::Failed(_) => Self::internal(error),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let say = |code, reason| Refusal::new(code, reason, error.to_string());
        let refusal = match &error {
            Error::BadCredentials => return challenged(say(Code::Unauthenticated, "BAD_CREDENTIALS"), CHALLENGE),
            Error::TokenRevoked => return challenged(say(Code::Unauthenticated, "TOKEN_REVOKED"), &revoked()),
            Error::Invalid(violations) => Refusal::invalid(violations.clone()),
            Error::WrongPassword => say(Code::PermissionDenied, "BAD_CREDENTIALS"),
            Error::RegistrationClosed => say(Code::PermissionDenied, "REGISTRATION_CLOSED"),
            Error::EmailTaken => say(Code::AlreadyExists, "EMAIL_TAKEN"),
            Error::UserNotFound => say(Code::NotFound, "USER_NOT_FOUND"),
            Error::LastAdministrator => say(Code::FailedPrecondition, "LAST_ADMINISTRATOR"),
            Error::AccountChanged => say(Code::Aborted, "ACCOUNT_CHANGED"),
            Error::Throttled(limit) | Error::TooManyRegistrations(limit) => {
                say(Code::ResourceExhausted, "THROTTLED").rate_limit(*limit)
            }
            Error::Overloaded => say(Code::ResourceExhausted, "OVERLOADED").retry_after(BUSY_FOR),
            Error::TrustUnavailable(_) => {
                say(Code::Unavailable, "TRUST_UNAVAILABLE").retry_after(Duration::from_secs(1))
            }
            Error::Store(cause) if cause.is_unavailable() => Refusal::store_unavailable(cause),
            Error::Store(cause) => Refusal::internal(cause),
            Error::Internal(cause) => Refusal::internal(cause.as_ref()),
        };
        refusal.into()
    }
}

fn revoked() -> String {
    format!(r#"{CHALLENGE}, error="invalid_token", error_description="the token was revoked""#)
}

fn challenged(refusal: Refusal, challenge: &str) -> Status {
    let mut status = Status::from(refusal);
    if let Ok(value) = MetadataValue::try_from(challenge) {
        status.metadata_mut().insert("www-authenticate", value);
    }
    status
}
