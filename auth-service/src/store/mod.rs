//! What is stored and how it is asked for. All SQL of this service is here; the engine is named nowhere.

mod audit;
mod change;
mod journal;
mod keys;
mod login;
mod prune;
mod sync;
mod users;
mod values;

pub use audit::{AuditFilter, AuditPosition};
pub use change::{Change, FIRST_GENERATION, StoredUser};
pub use journal::Entry;
pub use keys::StoredKey;
pub use login::FailureRow;
pub use prune::Pruned;
pub use sync::{RevocationRow, Subject, SyncRead, TrustMark};
pub use users::{Credentials, NewUser, UserPosition};

use database::{Database, Migrations};

/// How long revocations outlive what they kill, in microseconds: the difference between machines' clocks that is
/// tolerated.
pub const CLOCK_SKEW: i64 = 10 * 60 * 1_000_000;

/// How long a floor is kept, in microseconds: the longest lifetime that a verifier accepts, whatever `AUTH_TOKEN_TTL`
/// is or was.
pub const FLOOR_LIFETIME: i64 = access_token::MAX_LIFETIME * 1_000_000 + CLOCK_SKEW;

/// The schema's history.
pub fn migrations() -> Migrations {
    database::migrations!("auth", ["0001_users", "0002_trust", "0003_audit", "0004_throttle"])
}

/// The auth service's database.
///
/// Every method fails with [`database::Error`]: `is_unavailable` when the database is gone or busy for too long. What
/// else a method may answer, it says.
#[derive(Clone, Debug)]
pub struct Store {
    db: Database,
}

impl Store {
    /// A store on a database with this service's schema.
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), database::Error> {
        self.db.ping().await
    }

    /// The database's pool, for metrics.
    pub fn pool_state(&self) -> database::PoolState {
        self.db.pool_state()
    }
}
