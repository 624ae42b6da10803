use sqlx::error::ErrorKind;

/// Why a call on a database failed: the same kinds on both engines.
///
/// Texts are for logs. None of them holds the database's URL or password, or quotes a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row with this key exists already: a unique or primary key constraint refused the write.
    #[error("a row with this key exists already")]
    Unique,
    /// The transaction lost against a concurrent one (deadlock, serialization failure). Running it again can succeed.
    #[error("the transaction lost against a concurrent one")]
    Serialization,
    /// The database could not be reached, or a lock or connection did not come free in time. Trying again later can
    /// succeed. Of a write outside a transaction, and of a commit, it is unknown whether it happened.
    #[error("the database is unavailable: {cause}")]
    Unavailable {
        /// What was waited for or went wrong.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database's URL is not one that can be used. The text does not repeat it.
    #[error("the database URL {problem}")]
    Url {
        /// Completes the sentence "the database URL …".
        problem: String,
    },
    /// The database's file cannot be used, for example because others can read it.
    #[error("{problem}")]
    File {
        /// What is wrong with which file, and what to do.
        problem: String,
    },
    /// The schema and this program do not fit together.
    #[error("{problem}")]
    Schema {
        /// What differs, and what to do.
        problem: String,
    },
    /// Anything else: a mistake in a query, a violated check or foreign key, a damaged database.
    #[error("the database refused: {cause}")]
    Other {
        /// The engine's own error.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Whether trying again later can succeed, because the database was away or busy.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether a unique or primary key constraint refused the write.
    pub fn is_unique(&self) -> bool {
        matches!(self, Self::Unique)
    }

    /// Whether running the whole transaction again can succeed.
    pub fn is_serialization(&self) -> bool {
        matches!(self, Self::Serialization)
    }

    pub(crate) fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable { cause: cause.into() }
    }

    pub(crate) fn other(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other { cause: cause.into() }
    }
}

/// What an engine's error means for the caller and for the connection that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Unique,
    Serialization,
    /// A lock or another limit; the connection is sound.
    Busy,
    /// The connection, or what is at its other end, is gone: neither it nor any other idle one is to be used again.
    Gone,
    Other,
}

impl Class {
    /// Reads an error's kind where that is enough, and asks `by_code` about the engine's own code otherwise.
    pub(crate) fn of(error: &sqlx::Error, by_code: fn(&str) -> Class) -> Self {
        match error {
            sqlx::Error::Database(error) if error.kind() == ErrorKind::UniqueViolation => Self::Unique,
            sqlx::Error::Database(error) => by_code(&error.code().unwrap_or_default()),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                Self::Gone
            }
            _ => Self::Other,
        }
    }

    pub(crate) fn error(self, cause: sqlx::Error) -> Error {
        match self {
            Self::Unique => Error::Unique,
            Self::Serialization => Error::Serialization,
            Self::Busy | Self::Gone => Error::unavailable(Refusal::without_values(cause)),
            Self::Other => Error::other(Refusal::without_values(cause)),
        }
    }
}

/// A database's own error without its detail, which quotes rows (`Failing row contains (…)`).
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{message} (code {code})")]
    Database { code: String, message: String },
    #[error(transparent)]
    Driver(sqlx::Error),
}

impl Refusal {
    fn without_values(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => Self::Database {
                code: error.code().unwrap_or_default().into_owned(),
                message: error.message().to_owned(),
            },
            other => Self::Driver(other),
        }
    }
}
