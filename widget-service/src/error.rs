use service_kit::{refusal::Refusal, violations::Violations};
use tonic::{Code, Status};

/// Why a widget call failed. Messages are shown to callers; causes are logged and never shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Some fields are wrong, and each is named.
    #[error("some fields of the request are not valid")]
    Invalid(Violations),

    /// There is nothing to show, change or delete.
    #[error("there is no widget of this name")]
    NotFound,

    /// The name is taken.
    #[error("a widget of this name exists already")]
    Exists,

    /// The etag that was given is not the widget's, or there is no widget.
    #[error("the widget has changed since this etag was read, or is gone")]
    Stale,

    /// The database failed.
    #[error("the widget store failed")]
    Store(#[from] database::Error),
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let said = error.to_string();
        match error {
            Error::Invalid(violations) => Refusal::invalid(violations),
            Error::NotFound => Refusal::new(Code::NotFound, "WIDGET_NOT_FOUND", said),
            Error::Exists => Refusal::new(Code::AlreadyExists, "WIDGET_EXISTS", said),
            Error::Stale => Refusal::new(Code::Aborted, "WIDGET_STALE", said),
            Error::Store(cause) if cause.is_unavailable() => Refusal::store_unavailable(&cause),
            Error::Store(cause) => Refusal::internal(&cause),
        }
        .into()
    }
}
