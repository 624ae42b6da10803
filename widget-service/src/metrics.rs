//! What the service tells of itself beside how long calls take.

use access_token::{SyncOutcome, Trust};
use database::Database;
use service_kit::metrics::{Metrics, Samples};

pub(crate) fn register(metrics: &Metrics, db: &Database, trust: &Trust) {
    let (db, syncs, age) = (db.clone(), trust.clone(), trust.clone());
    metrics.gauge("db_pool_connections", "Connections to the database", move || {
        let state = db.pool_state();
        vec![
            sample("state", "idle", state.idle as f64),
            sample("state", "used", state.used as f64),
        ]
    });
    metrics.counter("trust_syncs", "Syncs with the auth service", move || {
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
}

fn sample(label: &'static str, value: &str, number: f64) -> <Samples as IntoIterator>::Item {
    (vec![(label, value.to_owned())], number)
}
