//! gRPC statuses and what they carry.

use base64::{Engine, engine::general_purpose};
use http::HeaderMap;
use prost::Message;

use crate::violation::{Violation, Violations};

/// A canonical code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

/// Number, name, HTTP status and title of each code.
const CODES: [(Code, &str, u16); 17] = [
    (Code::Ok, "OK", 200),
    (Code::Cancelled, "CANCELLED", 499),
    (Code::Unknown, "UNKNOWN", 500),
    (Code::InvalidArgument, "INVALID_ARGUMENT", 400),
    (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", 504),
    (Code::NotFound, "NOT_FOUND", 404),
    (Code::AlreadyExists, "ALREADY_EXISTS", 409),
    (Code::PermissionDenied, "PERMISSION_DENIED", 403),
    (Code::ResourceExhausted, "RESOURCE_EXHAUSTED", 429),
    (Code::FailedPrecondition, "FAILED_PRECONDITION", 400),
    (Code::Aborted, "ABORTED", 409),
    (Code::OutOfRange, "OUT_OF_RANGE", 400),
    (Code::Unimplemented, "UNIMPLEMENTED", 501),
    (Code::Internal, "INTERNAL", 500),
    (Code::Unavailable, "UNAVAILABLE", 503),
    (Code::DataLoss, "DATA_LOSS", 500),
    (Code::Unauthenticated, "UNAUTHENTICATED", 401),
];

impl Code {
    fn from_number(number: usize) -> Self {
        CODES.get(number).map_or(Self::Unknown, |(code, ..)| *code)
    }

    /// The gRPC name.
    pub(crate) fn name(self) -> &'static str {
        CODES.get(self as usize).map_or("UNKNOWN", |(_, name, _)| name)
    }

    /// The HTTP status.
    pub(crate) fn http(self) -> u16 {
        CODES.get(self as usize).map_or(500, |(.., http)| *http)
    }

    /// What a proxy's answer without a gRPC status means.
    pub(super) fn of_http(status: http::StatusCode) -> Self {
        match status.as_u16() {
            400 => Self::Internal,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::Unimplemented,
            429 | 502 | 503 | 504 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }
}

/// A status that is not OK.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Status {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// `ErrorInfo.reason`.
    pub(crate) reason: Option<String>,
    /// `BadRequest`, its fields relative to the request.
    pub(crate) violations: Violations,
    /// `RetryInfo`, in whole seconds, rounded up.
    pub(crate) retry_after: Option<u64>,
}

impl Status {
    /// A status without details.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            reason: None,
            violations: Violations::default(),
            retry_after: None,
        }
    }

    /// What the trailers, or the headers of an answer without messages, say. `None` when they say nothing.
    pub(super) fn of(headers: &HeaderMap) -> Option<Result<(), Self>> {
        let code = headers
            .get("grpc-status")?
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok());
        let code = Code::from_number(code.unwrap_or(2));
        if code == Code::Ok {
            return Some(Ok(()));
        }
        let message = headers
            .get("grpc-message")
            .map(|value| value.as_bytes())
            .unwrap_or_default();
        let message = percent_encoding::percent_decode(message)
            .decode_utf8_lossy()
            .into_owned();
        let mut status = Self::new(code, message);
        if let Some(details) = headers
            .get("grpc-status-details-bin")
            .and_then(|value| details(value.as_bytes()))
        {
            status.add(details);
        }
        Some(Err(status))
    }

    fn add(&mut self, details: RpcStatus) {
        for detail in details.details {
            let name = detail.type_url.rsplit('/').next().unwrap_or_default();
            match name {
                "google.rpc.ErrorInfo" => {
                    let info = ErrorInfo::decode(&*detail.value).unwrap_or_default();
                    self.reason = Some(info.reason).filter(|reason| !reason.is_empty());
                }
                "google.rpc.BadRequest" => {
                    let bad = BadRequest::decode(&*detail.value).unwrap_or_default();
                    self.violations = bad.field_violations.into_iter().map(Violation::from).collect();
                }
                "google.rpc.RetryInfo" => {
                    let delay = RetryInfo::decode(&*detail.value).unwrap_or_default().retry_delay;
                    self.retry_after = delay.map(|delay| {
                        let seconds = u64::try_from(delay.seconds).unwrap_or(0);
                        seconds + u64::from(delay.nanos > 0)
                    });
                }
                _ => {}
            }
        }
    }
}

fn details(value: &[u8]) -> Option<RpcStatus> {
    let text: Vec<u8> = value.iter().copied().filter(|byte| *byte != b'=').collect();
    let bytes = general_purpose::STANDARD_NO_PAD.decode(text).ok()?;
    RpcStatus::decode(bytes.as_slice()).ok()
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
}

/// `google.rpc.BadRequest`.
#[derive(Clone, PartialEq, prost::Message)]
struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    field_violations: Vec<FieldViolation>,
}

/// `google.rpc.BadRequest.FieldViolation`.
#[derive(Clone, PartialEq, prost::Message)]
struct FieldViolation {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(string, tag = "2")]
    description: String,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

impl From<FieldViolation> for Violation {
    fn from(violation: FieldViolation) -> Self {
        Self {
            field: violation.field,
            detail: violation.description,
        }
    }
}
