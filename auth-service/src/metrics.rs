//! What the service tells of itself beside how long calls take.

use std::sync::{Arc, atomic::Ordering};

use access_token::SyncOutcome;
use service_kit::metrics::{Metrics, Samples};

use crate::service::Context;

pub(crate) fn register(metrics: &Metrics, context: &Arc<Context>) {
    let (store, waiting) = (context.store.clone(), context.passwords.waiting());
    metrics.gauge("db_pool_connections", "Connections to the database", move || {
        let state = store.pool_state();
        vec![
            sample("state", "idle", state.idle as f64),
            sample("state", "used", state.used as f64),
        ]
    });
    metrics.gauge(
        "password_hash_queue",
        "Password hashes that wait for their turn",
        move || vec![(vec![], waiting.load(Ordering::Relaxed) as f64)],
    );
    let hashed = context.passwords.hashed();
    metrics.counter("password_hashes", "Password hashes that were computed", move || {
        vec![(vec![], hashed.load(Ordering::Relaxed) as f64)]
    });
    let passwords = context.passwords.clone();
    metrics.counter(
        "password_hash_blocks",
        "Blocks of 1 KiB that hashing passwords filled, in all passes",
        move || vec![(vec![], passwords.filled() as f64)],
    );
    let (syncs, age) = (context.tokens.trust.clone(), context.tokens.trust.clone());
    metrics.counter("trust_syncs", "Readings of revocations from the database", move || {
        let count = |outcome| {
            sample(
                "outcome",
                SyncOutcome::label(outcome),
                syncs.stats().syncs(outcome) as f64,
            )
        };
        SyncOutcome::ALL.into_iter().map(count).collect()
    });
    metrics.gauge(
        "trust_view_age_seconds",
        "How old the view of revocations is",
        move || {
            age.view_age()
                .map(|age| (vec![], age.as_secs_f64()))
                .into_iter()
                .collect()
        },
    );
    let log = context.log.clone();
    metrics.gauge("revocations", "Revocations that are held", move || {
        vec![(vec![], log.held() as f64)]
    });
}

fn sample(label: &'static str, value: &str, number: f64) -> <Samples as IntoIterator>::Item {
    (vec![(label, value.to_owned())], number)
}
