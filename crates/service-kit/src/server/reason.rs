//! The `ErrorInfo` of refusals that carry none: those of the gRPC library, and of services that give no reason.

use http::{HeaderMap, HeaderName};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::refusal::DOMAIN;

const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// How the library's refusals begin, and their reasons.
const KNOWN: [(Code, &str, &str); 6] = [
    (
        Code::OutOfRange,
        "Error, decoded message length too large",
        "MESSAGE_TOO_LARGE",
    ),
    (
        Code::Unimplemented,
        "Content is compressed with",
        "ENCODING_UNSUPPORTED",
    ),
    (Code::Internal, "failed to decode Protobuf message", "MALFORMED_MESSAGE"),
    (Code::Internal, "protocol error: received message", "MALFORMED_MESSAGE"),
    (Code::Internal, "Unexpected EOF decoding stream", "MALFORMED_MESSAGE"),
    (Code::Internal, "Missing request message", "MALFORMED_MESSAGE"),
];

/// Adds an `ErrorInfo` to headers or trailers that refuse without any details.
pub(super) fn complete(headers: &mut HeaderMap) {
    if headers.contains_key(DETAILS) {
        return;
    }
    let Some(status) = Status::from_header_map(headers) else {
        return;
    };
    if status.code() == Code::Ok {
        return;
    }
    let mut details = ErrorDetails::new();
    details.set_error_info(reason(&status), DOMAIN, []);
    let status = Status::with_error_details(status.code(), status.message(), details);
    if let Some(details) = status.into_http::<()>().headers_mut().remove(DETAILS) {
        headers.insert(DETAILS, details);
    }
}

fn reason(status: &Status) -> &'static str {
    let (code, message) = (status.code(), status.message());
    if code == Code::Unimplemented && message.is_empty() {
        return "METHOD_UNKNOWN";
    }
    let known = KNOWN
        .iter()
        .find(|(of, start, _)| code == *of && message.starts_with(start));
    known.map_or_else(|| name(code), |(.., reason)| reason)
}

/// The gRPC name of a code.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use tonic::{Code, Status};
    use tonic_types::StatusExt;

    use super::complete;
    use crate::refusal::Refusal;

    fn completed(status: &Status) -> Status {
        let mut headers = HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        complete(&mut headers);
        Status::from_header_map(&headers).unwrap()
    }

    fn reason(status: &Status) -> Option<String> {
        status.get_error_details().error_info().map(|info| info.reason.clone())
    }

    #[test]
    fn a_refusal_without_a_reason_gets_the_name_of_its_code() {
        let status = completed(&Status::failed_precondition("50 % of \"it\", ü"));

        assert_eq!(status.message(), "50 % of \"it\", ü");
        assert_eq!(reason(&status).as_deref(), Some("FAILED_PRECONDITION"));
    }

    #[test]
    fn a_reason_that_was_given_stays_and_success_needs_none() {
        let refusal = Status::from(Refusal::new(Code::NotFound, "WIDGET_NOT_FOUND", "no widget"));
        assert_eq!(reason(&completed(&refusal)).as_deref(), Some("WIDGET_NOT_FOUND"));

        let mut headers = HeaderMap::new();
        complete(&mut headers);
        assert!(headers.is_empty());
        assert_eq!(reason(&completed(&Status::ok(""))), None);
    }
}
