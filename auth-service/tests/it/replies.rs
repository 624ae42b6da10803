//! Reading tokens, refusals and pages.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The claims of a token, unchecked.
pub fn claims(token: &str) -> serde_json::Value {
    part(token, 1)
}

/// The header of a token.
pub fn header(token: &str) -> serde_json::Value {
    part(token, 0)
}

fn part(token: &str, place: usize) -> serde_json::Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let text = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

pub fn is_trust_unavailable(status: &Status) -> bool {
    let details = status.get_error_details();
    details
        .error_info()
        .is_some_and(|info| info.reason == "TRUST_UNAVAILABLE")
}

/// A refusal's code and reason.
pub fn refused(status: &Status) -> (Code, String) {
    let details = status.get_error_details();
    let info = details.error_info().expect("every refusal has an ErrorInfo");
    assert_eq!(info.domain, "gatehouse");
    (status.code(), info.reason.clone())
}

/// The fields that a refusal names.
pub fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.clone())
        .unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

/// How long a refusal asks to wait.
pub fn wait(status: &Status) -> Duration {
    status.get_error_details().retry_info().unwrap().retry_delay.unwrap()
}

/// The quota that an answer tells of, and what is left of it.
pub fn quota(metadata: &tonic::metadata::MetadataMap) -> [&str; 2] {
    ["ratelimit-policy", "ratelimit"].map(|name| metadata.get(name).map_or("", |value| value.to_str().unwrap()))
}

/// Code and reason of a call that must fail.
pub fn refusal<T>(outcome: Result<T, Status>) -> (Code, String) {
    match outcome {
        Ok(_) => panic!("the call succeeded"),
        Err(status) => refused(&status),
    }
}

/// Shorthand for a code and a reason.
pub fn said(code: Code, reason: &str) -> (Code, String) {
    (code, reason.to_owned())
}

/// A page of the operators' listener, head and body.
pub async fn http_get(addr: std::net::SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}
