//! Who is asked: replicas in turn, those that came back among them.

use std::time::{Duration, Instant};

use crate::{
    cluster::{Cluster, Layout, ready},
    load::Load,
    requests::{Readers, is_good},
};

/// Within which a replica that is back is asked again.
const SECONDS: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_widget_services_are_asked_alike_and_one_that_came_back_within_seconds() {
    let Some(mut cluster) = Cluster::start(Layout::default()).await else {
        return;
    };
    let root = cluster.root().await;
    let mut load = Load::start(Readers::of(&cluster, &root).await.widgets.into(), 1);
    load.until_each("served", 50, is_good).await;
    let [one, other] = [cluster.widget[0].served().await, cluster.widget[1].served().await];
    assert!(one.abs_diff(other) * 4 <= one + other, "{one} and {other} calls");

    cluster.widget[0].terminate().await;
    load.until_each("served by one", 20, is_good).await;
    cluster.widget[0].restart().await;
    ready(&cluster.widget[0]).await;
    let back = Instant::now();
    while cluster.widget[0].served().await < 10 {
        load.until_each("served", 1, is_good).await;
        assert!(back.elapsed() < SECONDS, "it is not asked");
    }
    println!(
        "a widget service that came back had ten calls after {:?}",
        back.elapsed()
    );
    drop(load.stop().await);
}
