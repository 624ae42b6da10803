//! PostgreSQL going away and coming back.

use std::time::{Duration, Instant};

use test_kit::Cluster as Postgres;

use crate::{
    cluster::{Cluster, Layout},
    load::Load,
    requests::{Readers, Summary, assert_only, creator, is_good, status},
    rest::Rest,
};

/// Within which all is well again.
const RECOVERY: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_postgres_gives_nothing_but_503_and_five_seconds_later_all_is_well() {
    let Some(cluster) = Cluster::start(Layout::default()).await else {
        return;
    };
    let root = cluster.root().await;
    let mut callers = Readers::of(&cluster, &root).await.all();
    callers.push(creator(Rest::http2(cluster.gateway[1].addr), &root, "made"));
    let mut load = Load::start(callers, 1);

    for (how, end) in [
        ("stopped", Postgres::stop as fn(&Postgres)),
        ("crashed", Postgres::crash),
    ] {
        load.until_each("served before", 10, is_good).await;
        let began = Instant::now();
        cluster.at_postgres(end).await;
        load.until_each("refused", 1, |outcome| status(outcome) == 503).await;
        cluster.at_postgres(Postgres::boot).await;
        let back = Instant::now();
        load.until_each("served again", 10, is_good).await;
        load.go_on(Duration::from_secs(1)).await;

        let calls = load.calls_since(began);
        println!("PostgreSQL {how}: {}", Summary(&calls));
        assert_only(&calls, &[200, 201, 503], began);
        let bad = calls
            .iter()
            .filter(|call| !is_good(&call.answer))
            .map(|call| call.began);
        let last = bad.max().unwrap_or(began);
        assert!(
            last <= back + RECOVERY,
            "{how}: refused {:?} after its return",
            last - back
        );
    }
    assert_only(&load.stop().await, &[200, 201, 503], Instant::now());
}
