//! Widget services that die or hang.

use std::time::{Duration, Instant};

use crate::{
    cluster::{Cluster, Layout, ready},
    load::Load,
    requests::{Readers, Summary, assert_only, is_good, longest},
};

/// How long the gateway waits for an answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// After which a service that hangs gets no more calls.
const LEFT_OUT: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_widget_service_that_dies_fails_no_read_and_one_that_hangs_holds_some_up_and_is_left_out() {
    let Some(mut cluster) = Cluster::start(Layout::default()).await else {
        return;
    };
    let root = cluster.root().await;
    let began = Instant::now();
    let mut load = Load::start(Readers::of(&cluster, &root).await.all(), 1);
    load.until_each("served before", 10, is_good).await;

    cluster.widget[0].kill().await;
    load.go_on(Duration::from_secs(1)).await;
    cluster.widget[0].restart().await;
    ready(&cluster.widget[0]).await;
    load.until_each("served after it was back", 10, is_good).await;

    let hung = Instant::now();
    cluster.widget[1].freeze().await;
    load.go_on(LEFT_OUT + Duration::from_secs(2)).await;
    let woken = Instant::now();
    cluster.widget[1].thaw().await;
    load.until_each("served after it woke up", 10, is_good).await;

    let calls = load.stop().await;
    println!("one widget service killed, the other frozen: {}", Summary(&calls));
    assert_only(&calls, &[200], began);
    assert!(longest(&calls) < DEADLINE, "{}", Summary(&calls));
    let mut late = calls;
    late.retain(|call| (hung + LEFT_OUT..woken).contains(&call.began));
    assert!(late.len() > 10, "{}", Summary(&late));
    assert!(
        longest(&late) < Duration::from_secs(1),
        "it is still asked: {}",
        Summary(&late)
    );
}
