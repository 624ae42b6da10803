//! Auth services that die or hang.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::{
    cluster::{Cluster, Layout, ready},
    load::{Call, Load},
    requests::{Outcome, Readers, Summary, assert_only, is_good, longest, status},
    rest::Reply,
};

/// Within which a request is refused that nobody can decide.
const REFUSAL: Duration = Duration::from_secs(1);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(600);

/// Within which all is well again.
const RECOVERY: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_auth_service_that_dies_or_hangs_fails_no_request_that_can_be_repeated() {
    let Some(mut cluster) = Cluster::start(Layout::default()).await else {
        return;
    };
    let root = cluster.root().await;
    let began = Instant::now();
    let mut load = Load::start(Readers::of(&cluster, &root).await.all(), 1);
    load.until_each("served before", 10, is_good).await;

    cluster.auth[0].kill().await;
    load.go_on(Duration::from_secs(1)).await;
    cluster.auth[0].restart().await;
    ready(&cluster.auth[0]).await;
    load.until_each("served after it was back", 10, is_good).await;

    cluster.auth[1].freeze().await;
    load.go_on(Duration::from_secs(4)).await;
    load.until_each("served while one hangs", 10, is_good).await;
    cluster.auth[1].thaw().await;
    load.until_each("served after it woke up", 10, is_good).await;

    let calls = load.stop().await;
    println!("one auth service killed, the other frozen: {}", Summary(&calls));
    assert_only(&calls, &[200], began);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_no_auth_service_requests_get_503_within_a_second_and_all_is_well_two_seconds_after_their_return() {
    let Some(mut cluster) = Cluster::start(Layout::default()).await else {
        return;
    };
    let root = cluster.root().await;
    let mut load = Load::start(Readers::of(&cluster, &root).await.widgets.into(), 2);
    load.until_each("served before", 10, is_good).await;
    let refused = |outcome: &Outcome| status(outcome) == 503;

    let hung = Instant::now();
    for auth in &cluster.auth {
        auth.freeze().await;
    }
    load.until_each("refused while both hang", 5, refused).await;
    for auth in &cluster.auth {
        auth.thaw().await;
    }
    let woken = Instant::now();
    load.until_each("served after they woke up", 10, is_good).await;
    load.go_on(RECOVERY).await;

    let died = Instant::now();
    for auth in &mut cluster.auth {
        auth.kill().await;
    }
    load.until_each("refused while both are dead", 20, refused).await;
    for auth in &mut cluster.auth {
        auth.restart().await;
    }
    let back = Instant::now();
    load.until_each("served after they came back", 10, is_good).await;
    load.go_on(RECOVERY).await;

    let calls = load.stop().await;
    println!("both auth services frozen, then killed: {}", Summary(&calls));
    assert_only(&calls, &[200, 503], hung);
    let replies = calls.iter().flat_map(|call| &call.answer);
    let reasons: BTreeSet<&str> = replies.filter(|reply| reply.status == 503).map(Reply::reason).collect();
    assert_eq!(reasons, BTreeSet::from(["TRUST_UNAVAILABLE"]));
    assert!(longest(&calls) <= REFUSAL + SLACK, "{}", Summary(&calls));
    for (gone, returned, end) in [(hung, woken, died), (died, back, Instant::now())] {
        let late = last_refused(&calls, gone, end).saturating_duration_since(returned);
        assert!(late <= RECOVERY, "refused {late:?} after their return");
    }
}

/// When the last call began that was refused between two moments.
fn last_refused(calls: &[Call<Outcome>], from: Instant, to: Instant) -> Instant {
    let within = |call: &&Call<Outcome>| call.began >= from && call.began + call.took <= to;
    let refused = calls.iter().filter(|call| status(&call.answer) == 503);
    refused.filter(within).map(|call| call.began).max().unwrap_or(from)
}
