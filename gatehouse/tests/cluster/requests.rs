//! Requests that go on while something breaks, and what became of them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    cluster::Cluster,
    load::{Call, Caller},
    people::done,
    rest::{Lost, Reply, Rest},
};

pub type Outcome = Result<Reply, Lost>;

/// A widget that is there throughout.
const KEPT: &str = "/api/v1/widgets/kept";

/// Reads widgets and the caller's account through both gateways: requests that can be repeated.
pub struct Readers {
    pub widgets: [Caller<Outcome>; 2],
    pub account: Caller<Outcome>,
}

impl Readers {
    pub async fn of(cluster: &Cluster, root: &str) -> Self {
        done(&cluster.rest(), "POST", "/api/v1/widgets", root, &widget("kept")).await;
        // A client each: a connection stays with its caller, and so with one of the gateway's threads.
        let [first, second] = cluster.gateway.each_ref().map(|gateway| gateway.addr);
        Self {
            widgets: [
                get(Rest::http1(first), KEPT, root),
                get(Rest::http2(second), KEPT, root),
            ],
            account: get(Rest::http1(first), "/api/v1/auth/user", root),
        }
    }

    pub fn all(self) -> Vec<Caller<Outcome>> {
        self.widgets.into_iter().chain([self.account]).collect()
    }
}

/// The fields of a widget that can be created.
pub fn widget(name: &str) -> Value {
    json!({
        "name": name,
        "description": format!("what {name} is for"),
        "info_url": "https://example.com/widgets",
        "deadline": "2099-12-31T12:00:00Z",
    })
}

fn get(rest: Rest, path: &'static str, token: &str) -> Caller<Outcome> {
    let token = token.to_owned();
    Caller::new(move || {
        let (rest, token) = (rest.clone(), token.clone());
        async move { rest.get(path, &token).await }
    })
}

/// Creates one widget after the other.
pub fn creator(rest: Rest, root: &str, prefix: &'static str) -> Caller<Outcome> {
    let (root, number) = (root.to_owned(), Arc::new(AtomicUsize::new(0)));
    Caller::new(move || {
        let body = widget(&format!("{prefix}-{}", number.fetch_add(1, Ordering::Relaxed)));
        let (rest, root) = (rest.clone(), root.clone());
        async move { rest.send("POST", "/api/v1/widgets", &root, &body).await }
    })
}

/// The status; 0 when there was no answer.
pub fn status(outcome: &Outcome) -> u16 {
    outcome.as_ref().map_or(0, |reply| reply.status)
}

pub fn is_good(outcome: &Outcome) -> bool {
    matches!(status(outcome), 200..300)
}

/// How many calls got which status, and the longest.
pub struct Summary<'a>(pub &'a [Call<Outcome>]);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
        for call in self.0 {
            *counts.entry(status(&call.answer)).or_default() += 1;
        }
        let longest = longest(self.0);
        write!(
            out,
            "{} calls, by status {counts:?}, the longest {longest:?}",
            self.0.len()
        )
    }
}

pub fn longest(calls: &[Call<Outcome>]) -> Duration {
    calls.iter().map(|call| call.took).max().unwrap_or_default()
}

/// Every call got one of these statuses.
pub fn assert_only(calls: &[Call<Outcome>], allowed: &[u16], from: Instant) {
    let odd: Vec<String> = calls
        .iter()
        .filter(|call| !allowed.contains(&status(&call.answer)))
        .map(|call| {
            let at = call.began.saturating_duration_since(from);
            format!(
                "caller {} at {at:?} for {:?}: {:?}",
                call.caller, call.took, call.answer
            )
        })
        .collect();
    assert!(
        odd.is_empty(),
        "{} of {}: {:#?}",
        odd.len(),
        calls.len(),
        &odd[..odd.len().min(10)]
    );
}
