//! Who owns widgets: the e-mail addresses behind user ids, asked of the auth service.
//!
//! An example of a call from service to service that must never matter: an address that cannot be had is left out.

mod cache;
mod lookup;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use access_token::Trust;
use chrono::{DateTime, Utc};
use service_kit::clock::SharedClock;
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};
use uuid::Uuid;

use self::{cache::Cache, lookup::Lookup};

/// The addresses of users. They are kept for 30 s at most; that of a deleted user is gone as soon as the deletion shows
/// in the trust view.
#[derive(Clone)]
pub(crate) struct Owners(Arc<Inner>);

struct Inner {
    lookup: Lookup,
    trust: Trust,
    clock: SharedClock,
    cache: Mutex<Cache>,
}

impl Owners {
    /// Asks any of the auth service's replicas, showing `authorization`.
    pub(crate) fn new(
        replicas: Vec<Channel>,
        authorization: MetadataValue<Ascii>,
        trust: Trust,
        clock: SharedClock,
    ) -> Self {
        Self(Arc::new(Inner {
            lookup: Lookup::new(replicas, authorization),
            trust,
            clock,
            cache: Mutex::default(),
        }))
    }

    /// The addresses of those of the users that exist, as far as they can be had. At most one call, of at most 250 ms.
    pub(crate) async fn emails(&self, ids: impl IntoIterator<Item = Uuid>) -> HashMap<Uuid, String> {
        let now = self.0.clock.now();
        let (mut emails, unknown) = self.known(ids, now);
        if !unknown.is_empty() {
            emails.extend(self.learn(&unknown, now).await);
        }
        self.drop_deleted(&mut emails);
        emails
    }

    /// What the cache knows, and the users that have to be asked for.
    fn known(&self, ids: impl IntoIterator<Item = Uuid>, now: DateTime<Utc>) -> (HashMap<Uuid, String>, Vec<Uuid>) {
        let ids: BTreeSet<Uuid> = ids.into_iter().collect();
        let cache = self.cache();
        let email = |id: &Uuid| Some((*id, cache.email(id, now)?.to_owned()));
        let known = ids.iter().filter_map(email).collect();
        let may_ask = cache.may_ask(now);
        let unknown = ids.into_iter().filter(|id| may_ask && !cache.knows(id, now)).collect();
        (known, unknown)
    }

    async fn learn(&self, unknown: &[Uuid], now: DateTime<Utc>) -> HashMap<Uuid, String> {
        match self.0.lookup.emails(unknown).await {
            Ok(found) => {
                self.cache().learn(unknown, &found, now);
                found
            }
            Err(status) => {
                self.cache().fail(now);
                let (code, error) = (status.code(), status.message());
                tracing::warn!(?code, error, "owners' addresses cannot be looked up");
                HashMap::new()
            }
        }
    }

    /// The view is looked at last: a deletion may have shown while the auth service was asked.
    fn drop_deleted(&self, emails: &mut HashMap<Uuid, String>) {
        let view = self.0.trust.latest();
        let gone: Vec<Uuid> = emails
            .extract_if(|id, _| view.is_deleted(id))
            .map(|(id, _)| id)
            .collect();
        for id in &gone {
            self.cache().forget(id);
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
