use std::sync::Arc;

use tokio::time::Instant;

use super::Refusal;
use crate::{Caller, Rejection, Trust, TrustUnavailable, Verified, Verifier};

/// Decides whether a token is good at this moment.
#[derive(Clone)]
pub struct Authenticator {
    trust: Trust,
    verifier: Arc<Verifier>,
}

impl Authenticator {
    /// Puts the two halves together.
    pub fn new(trust: Trust, verifier: Arc<Verifier>) -> Self {
        Self { trust, verifier }
    }

    /// Checks the token of a request that arrived at a moment: [`verify`](Self::verify) and then
    /// [`decide`](Self::decide).
    ///
    /// # Errors
    /// As these two.
    pub async fn authenticate(&self, token: &[u8], arrived: Instant) -> Result<Caller, Refusal> {
        let verified = self.verify(token, arrived).await?;
        self.decide(&verified, arrived).await?;
        Ok(verified.caller)
    }

    /// Checks the token by itself. Junk costs no Sync.
    ///
    /// # Errors
    /// `TOKEN_MALFORMED`, `TOKEN_INVALID`, `TOKEN_EXPIRED`; `TRUST_UNAVAILABLE` when the keys are not known.
    pub async fn verify(&self, token: &[u8], arrived: Instant) -> Result<Verified, Refusal> {
        match self.verifier.verify(token, &self.trust.latest()) {
            Err(Rejection::UnknownKey) => {
                let view = self.trust.fresh_for_unknown_key(arrived).await?;
                let verified = self.verifier.verify(token, &view)?;
                self.trust.unknown_key_found();
                Ok(verified)
            }
            known => known.map_err(Refusal::from),
        }
    }

    /// Decides about a verified token by a view that is fresh enough for the request.
    ///
    /// # Errors
    /// `TOKEN_EXPIRED`, `TOKEN_REVOKED`, `TOKEN_INVALID`, `TRUST_UNAVAILABLE`.
    pub async fn decide(&self, verified: &Verified, arrived: Instant) -> Result<(), Refusal> {
        let view = self.trust.fresh(arrived).await?;
        view.check(verified, self.verifier.now())
    }

    /// What is wrong with a user's token that was shown where a service's is wanted, by what is known now.
    pub(super) fn not_a_service(&self, token: &[u8]) -> Refusal {
        match self.verifier.verify(token, &self.trust.latest()) {
            Ok(_) => Refusal::NotService,
            Err(Rejection::Refused(Refusal::Expired)) => Refusal::Expired,
            Err(_) => Refusal::Invalid,
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Refused(refusal) => refusal,
            Rejection::UnknownKey => Self::Invalid,
        }
    }
}

impl From<TrustUnavailable> for Refusal {
    fn from(_: TrustUnavailable) -> Self {
        Self::Unavailable
    }
}
