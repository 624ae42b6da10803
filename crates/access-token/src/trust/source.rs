use std::{future::Future, pin::Pin};

use proto::auth::v1::{SyncRequest, SyncResponse};
use tonic::Status;

/// A Sync under way.
pub type SyncFuture<'a> = Pin<Box<dyn Future<Output = Result<SyncResponse, Status>> + Send + 'a>>;

/// Where revocations come from: the auth service for others, its database for the auth service itself.
pub trait SyncSource: Send + Sync + 'static {
    /// Asks for what is past a cursor.
    ///
    /// The answer holds all that was committed before the call. It may be given up at any await. A request of another
    /// epoch than the source's is answered from the beginning, whatever its cursor.
    ///
    /// # Errors
    /// UNAUTHENTICATED or PERMISSION_DENIED for a wrong service token; anything else when there is no answer now.
    fn sync(&self, request: SyncRequest) -> SyncFuture<'_>;

    /// What to call the source in logs.
    fn name(&self) -> &str {
        "the source of revocations"
    }
}
