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

    /// Checks the token of a request that arrived at a moment: the token itself first, then, only if that is good, by a
    /// view that is fresh enough for the request.
    ///
    /// # Errors
    /// Any of `TOKEN_MALFORMED`, `TOKEN_INVALID`, `TOKEN_EXPIRED`, `TOKEN_REVOKED`, `TRUST_UNAVAILABLE`.
    pub async fn authenticate(&self, token: &[u8], arrived: Instant) -> Result<Caller, Refusal> {
        let verified = self.verify(token, arrived).await?;
        let view = self.trust.fresh(arrived).await?;
        view.check(&verified, self.verifier.now())?;
        Ok(verified.caller)
    }

    /// Whether a token's signature and claims are good by what is known now, without waiting for anything.
    pub fn is_ours(&self, token: &[u8]) -> bool {
        self.verifier.verify(token, &self.trust.latest()).is_ok()
    }

    async fn verify(&self, token: &[u8], arrived: Instant) -> Result<Verified, Refusal> {
        match self.verifier.verify(token, &self.trust.latest()) {
            Ok(verified) => Ok(verified),
            Err(Rejection::Refused(refusal)) => Err(refusal),
            Err(Rejection::UnknownKey) => {
                let view = self.trust.fresh(arrived).await?;
                match self.verifier.verify(token, &view) {
                    Ok(verified) => Ok(verified),
                    Err(Rejection::Refused(refusal)) => Err(refusal),
                    Err(Rejection::UnknownKey) => Err(Refusal::Invalid),
                }
            }
        }
    }
}

impl From<TrustUnavailable> for Refusal {
    fn from(_: TrustUnavailable) -> Self {
        Self::Unavailable
    }
}
