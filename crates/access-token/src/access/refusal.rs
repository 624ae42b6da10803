use std::time::Duration;

use tonic::{Code, Status, metadata::MetadataValue};
use tonic_types::{ErrorDetails, StatusExt};

/// Why a request is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It carries no bearer token.
    Missing,
    /// It carries two Authorization headers.
    Ambiguous,
    /// It carries an empty token.
    Empty,
    /// The token is no JWT of ours by its form.
    Malformed,
    /// The signature, the header or the claims are not good.
    Invalid,
    /// The token was good until its `exp`.
    Expired,
    /// The token was good until it was revoked.
    Revoked,
    /// The method is for administrators.
    NotAdmin,
    /// The method is for services.
    NotService,
    /// Nobody can say at the moment whether the token was revoked.
    Unavailable,
    /// There is no such method.
    Unknown,
}

/// The challenge to somebody who showed nothing (RFC 6750 section 3.1).
const BARE: &str = r#"Bearer realm="gatehouse""#;

macro_rules! challenge {
    ($error:literal, $description:literal) => {
        concat!(
            r#"Bearer realm="gatehouse", error=""#,
            $error,
            r#"", error_description=""#,
            $description,
            "\""
        )
    };
}

impl Refusal {
    /// All refusals.
    pub const ALL: [Self; 11] = [
        Self::Missing,
        Self::Ambiguous,
        Self::Empty,
        Self::Malformed,
        Self::Invalid,
        Self::Expired,
        Self::Revoked,
        Self::NotAdmin,
        Self::NotService,
        Self::Unavailable,
        Self::Unknown,
    ];

    /// The canonical code.
    pub fn code(self) -> Code {
        match self {
            Self::Ambiguous | Self::Empty => Code::InvalidArgument,
            Self::Missing | Self::Malformed | Self::Invalid | Self::Expired | Self::Revoked => Code::Unauthenticated,
            Self::NotAdmin | Self::NotService => Code::PermissionDenied,
            Self::Unavailable => Code::Unavailable,
            Self::Unknown => Code::Unimplemented,
        }
    }

    /// The reason for programs, as in docs/errors.md.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Ambiguous | Self::Empty | Self::Malformed => "TOKEN_MALFORMED",
            Self::Invalid => "TOKEN_INVALID",
            Self::Expired => "TOKEN_EXPIRED",
            Self::Revoked => "TOKEN_REVOKED",
            Self::NotAdmin => "ADMIN_REQUIRED",
            Self::NotService => "SERVICE_REQUIRED",
            Self::Unavailable => "TRUST_UNAVAILABLE",
            Self::Unknown => "METHOD_UNKNOWN",
        }
    }

    /// What people read.
    pub fn message(self) -> &'static str {
        match self {
            Self::Missing => "this call needs a token: log in and send it as `Authorization: Bearer <token>`",
            Self::Ambiguous => "there is more than one Authorization header",
            Self::Empty => "the Authorization header holds no token",
            Self::Malformed => "the token is malformed",
            Self::Invalid => "the token is not valid",
            Self::Expired => "the token has expired: log in again",
            Self::Revoked => "the token was revoked: log in again",
            Self::NotAdmin => "this call is for administrators",
            Self::NotService => "this call is for services of the cluster",
            Self::Unavailable => "tokens cannot be checked at the moment: try again",
            Self::Unknown => "there is no such method",
        }
    }

    /// The value of `www-authenticate` (RFC 6750 section 3).
    pub fn challenge(self) -> Option<&'static str> {
        match self {
            Self::Missing => Some(BARE),
            Self::Ambiguous => Some(challenge!("invalid_request", "more than one Authorization header")),
            Self::Empty => Some(challenge!("invalid_request", "the token is empty")),
            Self::Malformed => Some(challenge!("invalid_token", "the token is malformed")),
            Self::Invalid => Some(challenge!("invalid_token", "the token is not valid")),
            Self::Expired => Some(challenge!("invalid_token", "the token has expired")),
            Self::Revoked => Some(challenge!("invalid_token", "the token was revoked")),
            Self::NotAdmin => Some(challenge!("insufficient_scope", "administrators only")),
            Self::NotService => Some(challenge!("insufficient_scope", "services only")),
            Self::Unavailable | Self::Unknown => None,
        }
    }

    /// The refusal as a gRPC status, with ErrorInfo, the challenge and, where it helps, when to try again.
    pub fn status(self) -> Status {
        let mut details = ErrorDetails::with_error_info(self.reason(), "gatehouse", []);
        if self == Self::Unavailable {
            details.set_retry_info(Some(Duration::from_secs(1)));
        }
        let mut status = Status::with_error_details(self.code(), self.message(), details);
        if let Some(challenge) = self.challenge() {
            let value = MetadataValue::from_static(challenge);
            status.metadata_mut().insert("www-authenticate", value);
        }
        status
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        refusal.status()
    }
}

/// A status that says nothing but that we are at fault.
pub(super) fn internal() -> Status {
    let details = ErrorDetails::with_error_info("INTERNAL", "gatehouse", []);
    Status::with_error_details(Code::Internal, "something went wrong on our side", details)
}
