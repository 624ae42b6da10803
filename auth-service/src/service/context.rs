//! What calls work with.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use access_token::{Authenticator, Caller};
use chrono::{DateTime, Utc};
use service_kit::{client_address::TrustedProxies, clock::SharedClock, request_id::RequestId};
use tonic::Request;

use crate::{
    audit::Origin,
    domain::{Password, PasswordPolicy},
    error::Error,
    journal::Journal,
    keys::KeyRing,
    passwords::{HashPool, Verified},
    store::{Credentials, Entry, Store},
    throttle::Throttle,
    time::to_micros,
    tokens::TokenIssuer,
    trust::RevocationLog,
};

/// Everything that calls share.
pub(crate) struct Context {
    /// What is stored.
    pub(crate) store: Store,
    /// Small writes of many calls.
    pub(crate) journal: Journal,
    /// The time.
    pub(crate) clock: SharedClock,
    /// Hashing passwords.
    pub(crate) passwords: HashPool,
    /// What new passwords must be like.
    pub(crate) policy: PasswordPolicy,
    /// Slowing down guesses.
    pub(crate) throttle: Arc<Throttle>,
    /// Issuing tokens.
    pub(crate) tokens: TokenIssuer,
    /// Checking tokens, for Introspect.
    pub(crate) authenticator: Authenticator,
    /// The keys.
    pub(crate) ring: Arc<KeyRing>,
    /// The revocations.
    pub(crate) log: Arc<RevocationLog>,
    /// Whether anybody may register.
    pub(crate) registration_open: bool,
    /// Whose `x-forwarded-for` is believed.
    pub(crate) proxies: TrustedProxies,
}

impl Context {
    /// The time, in what can be stored.
    pub(super) fn now(&self) -> DateTime<Utc> {
        to_micros(self.clock.now())
    }

    /// The client's address, behind trusted proxies.
    pub(super) fn client<T>(&self, request: &Request<T>) -> IpAddr {
        let peer = request
            .remote_addr()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let forwarded = request.metadata().get_all("x-forwarded-for");
        self.proxies
            .client(peer, forwarded.iter().filter_map(|value| value.to_str().ok()))
    }

    /// Where a request comes from, for the audit: from its caller if it has one.
    pub(super) fn origin<T>(&self, request: &Request<T>) -> Origin {
        let extensions = request.extensions();
        Origin {
            actor: extensions
                .get::<Caller>()
                .map(|caller| caller.user_id.to_string())
                .unwrap_or_default(),
            request_id: extensions
                .get::<RequestId>()
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default(),
            client: self.client(request).to_string(),
        }
    }

    /// Checks a logged-in user's password once more, throttled like a login.
    ///
    /// # Errors
    /// [`Error::Throttled`]; [`Error::WrongPassword`] after `failure` was noted.
    pub(super) async fn confirm(
        &self,
        stored: &Credentials,
        given: &str,
        client: IpAddr,
        failure: Entry,
    ) -> Result<(), Error> {
        let place = self.passwords.reserve()?;
        let attempt = self.throttle.admit(&stored.email_key, client).await?;
        let hash = Some(stored.password_hash.clone());
        match self.passwords.verify(place, Password::parse(given).ok(), hash).await? {
            Verified::Right { .. } => Ok(self.journal.write(self.throttle.succeeded(&attempt)).await?),
            Verified::Wrong => {
                let mut entries = vec![failure];
                entries.extend(self.throttle.failed(&attempt));
                self.journal.write(entries).await?;
                Err(Error::WrongPassword)
            }
        }
    }
}
