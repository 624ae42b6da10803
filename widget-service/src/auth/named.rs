//! The auth service behind a name.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use access_token::{RemoteSource, SyncFuture, SyncSource};
use proto::auth::v1::{SyncRequest, SyncResponse};
use service_kit::config::ConfigError;
use tonic::Status;

use super::addresses::Addresses;

type Connect = Box<dyn Fn(SocketAddr) -> Result<RemoteSource, ConfigError> + Send + Sync>;

/// Asks one of a name's addresses for as long as the name has it and it answers, and then the next. A connection alone
/// would stay with the first that can be connected to, even one that hangs.
pub(super) struct NamedSource {
    name: String,
    addresses: Addresses,
    connect: Connect,
    current: Mutex<Option<Current>>,
}

#[derive(Clone)]
struct Current {
    addr: SocketAddr,
    source: Arc<RemoteSource>,
}

impl NamedSource {
    /// `name` is for logs.
    pub(super) fn new(
        name: String,
        addresses: Addresses,
        connect: impl Fn(SocketAddr) -> Result<RemoteSource, ConfigError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            addresses,
            connect: Box::new(connect),
            current: Mutex::default(),
        }
    }

    async fn ask(&self, request: SyncRequest) -> Result<SyncResponse, Status> {
        self.addresses.some().await;
        let current = self.current()?;
        let mut attempt = Attempt {
            of: self,
            at: current.addr,
            answered: false,
        };
        let answer = current.source.sync(request).await;
        attempt.answered = answer.is_ok();
        answer
    }

    /// The address that is asked, another one if the name has left it.
    fn current(&self) -> Result<Current, Status> {
        let mut current = self.lock();
        match &*current {
            Some(current) if self.addresses.has(current.addr) => Ok(current.clone()),
            left => {
                let next = self.after(left.as_ref().map(|left| left.addr))?;
                Ok(current.insert(next).clone())
            }
        }
    }

    /// What comes after an address. A connection to the only one there is renews itself.
    fn pass_over(&self, failed: SocketAddr) {
        self.addresses.doubt();
        let mut current = self.lock();
        let is_current = current.as_ref().is_some_and(|current| current.addr == failed);
        if is_current && self.addresses.after(Some(failed)) != Some(failed) {
            *current = self.after(Some(failed)).ok();
        }
    }

    fn after(&self, addr: Option<SocketAddr>) -> Result<Current, Status> {
        let nowhere = || Status::unavailable("the name leads nowhere");
        let addr = self.addresses.after(addr).ok_or_else(nowhere)?;
        let source = (self.connect)(addr).map_err(|error| Status::unavailable(error.to_string()))?;
        tracing::info!(source = self.name, %addr, "revocations are asked for at an address of this name");
        Ok(Current {
            addr,
            source: Arc::new(source),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SyncSource for NamedSource {
    fn sync(&self, request: SyncRequest) -> SyncFuture<'_> {
        Box::pin(self.ask(request))
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for NamedSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("NamedSource")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A Sync at an address. One that is given up without an answer has failed, too.
struct Attempt<'a> {
    of: &'a NamedSource,
    at: SocketAddr,
    answered: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.of.pass_over(self.at);
        }
    }
}
