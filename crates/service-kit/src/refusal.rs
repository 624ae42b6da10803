//! How a call is refused: one shape for every service.
//!
//! What is said to the caller and what is logged are two texts. A refusal carries the first; a hidden cause goes to
//! the log here, once, and nowhere else.

use std::{error::Error, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{rate_limit::RateLimit, violations::Violations};

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "gatehouse";

/// A refused call: the canonical code, a stable reason for programs and a message for people.
#[derive(Debug, Clone)]
pub struct Refusal {
    code: Code,
    reason: &'static str,
    message: String,
    violations: Violations,
    retry_after: Option<Duration>,
    rate_limit: Option<RateLimit>,
}

impl Refusal {
    /// A refusal with a code, a reason of docs/errors.md and a message.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            violations: Violations::new(),
            retry_after: None,
            rate_limit: None,
        }
    }

    /// INVALID_ARGUMENT, INVALID_FIELDS: some fields are wrong, and each is named.
    pub fn invalid(violations: Violations) -> Self {
        Self {
            violations,
            ..Self::new(
                Code::InvalidArgument,
                "INVALID_FIELDS",
                "some fields of the request are not valid",
            )
        }
    }

    /// UNAVAILABLE, STORE_UNAVAILABLE: the service's database is gone or busy. The cause goes to the log.
    pub fn store_unavailable(cause: &(dyn Error + 'static)) -> Self {
        tracing::warn!(error = %Chain(cause), "the database is unavailable");
        Self::new(
            Code::Unavailable,
            "STORE_UNAVAILABLE",
            "the service cannot reach its database at the moment",
        )
        .retry_after(Duration::from_secs(1))
    }

    /// INTERNAL: something broke that the caller cannot help. The cause goes to the log.
    pub fn internal(cause: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = %Chain(cause), "a call failed");
        Self::new(Code::Internal, "INTERNAL", "the call failed inside the service")
    }

    /// Says when trying again makes sense: `google.rpc.RetryInfo`, and `Retry-After` in REST.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Says which quota is used up, and when trying again makes sense.
    pub fn rate_limit(self, limit: RateLimit) -> Self {
        Self {
            rate_limit: Some(limit),
            ..self.retry_after(limit.reset)
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let mut details = ErrorDetails::new();
        details.set_error_info(refusal.reason, DOMAIN, []);
        for violation in refusal.violations {
            details.add_bad_request_violation(violation.field, violation.detail);
        }
        if refusal.retry_after.is_some() {
            details.set_retry_info(refusal.retry_after);
        }
        let mut status = Status::with_error_details(refusal.code, refusal.message, details);
        if let Some(limit) = refusal.rate_limit {
            limit.write(status.metadata_mut());
        }
        status
    }
}

/// An error and all its causes on one line.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(out, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::{Code, Status};
    use tonic_types::StatusExt;

    use super::Refusal;
    use crate::{rate_limit::RateLimit, violations::Violations};

    #[test]
    fn a_refusal_carries_reason_fields_and_retry() {
        let mut violations = Violations::new();
        violations.push("name", "too long");
        violations.push("info_url", "not absolute");
        let refusal = Refusal::invalid(violations.under("widget")).retry_after(Duration::from_secs(2));

        let status = Status::from(refusal);

        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("INVALID_FIELDS", "gatehouse")
        );
        let fields: Vec<_> = details
            .bad_request()
            .unwrap()
            .field_violations
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        assert_eq!(fields, ["widget.name", "widget.info_url"]);
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_used_up_quota_is_told_with_when_to_try_again() {
        let limit = RateLimit {
            policy: "network",
            quota: 50,
            window: Duration::from_secs(600),
            remaining: 0,
            reset: Duration::from_secs(9),
        };
        let status = Status::from(Refusal::new(Code::ResourceExhausted, "THROTTLED", "wait").rate_limit(limit));

        let retry = status.get_error_details().retry_info().unwrap().retry_delay;
        assert_eq!(retry, Some(limit.reset));
        assert_eq!(status.metadata().get("ratelimit").unwrap(), "\"network\";r=0;t=9");
    }

    #[test]
    fn an_internal_failure_says_nothing_of_its_cause() {
        let cause = std::io::Error::other("password=hunter2");

        let status = Status::from(Refusal::internal(&cause));

        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("hunter2"));
    }
}
