//! A new version, one process after the other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use serde_json::Value;

use crate::{
    cluster::{Cluster, Layout, ready},
    load::{Caller, Load},
    requests::{Outcome, Readers, Summary, assert_only, is_good, widget},
    rest::Rest,
};

/// A client that goes to the other gateway when the one takes no more requests: what a balancer in front would do.
#[derive(Clone)]
struct Roamer {
    gateways: [Rest; 2],
    at: Arc<AtomicUsize>,
}

impl Roamer {
    fn new(gateways: [Rest; 2]) -> Self {
        Self {
            gateways,
            at: Arc::default(),
        }
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Outcome {
        let first = self.at.load(Ordering::Relaxed);
        match self.gateways[first].send(method, path, token, body).await {
            Err(lost) if lost.untaken => {
                self.at.store(1 - first, Ordering::Relaxed);
                self.gateways[1 - first].send(method, path, token, body).await
            }
            outcome => outcome,
        }
    }

    fn reader(self, path: &'static str, token: &str) -> Caller<Outcome> {
        let token = token.to_owned();
        Caller::new(move || {
            let (roamer, token) = (self.clone(), token.clone());
            async move { roamer.send("GET", path, &token, &Value::Null).await }
        })
    }

    fn creator(self, token: &str) -> Caller<Outcome> {
        let token = token.to_owned();
        Caller::new(move || {
            let body = widget(&format!("new-{}", uuid::Uuid::new_v4()));
            let (roamer, token) = (self.clone(), token.clone());
            async move { roamer.send("POST", "/api/v1/widgets", &token, &body).await }
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarting_every_process_one_by_one_fails_no_request() {
    let Some(mut cluster) = Cluster::start(Layout::default()).await else {
        return;
    };
    let root = cluster.root().await;
    // What is read has to be there.
    drop(Readers::of(&cluster, &root).await);
    let gateways = cluster.gateway.each_ref().map(|gateway| gateway.addr);
    let mut callers = Vec::new();
    for client in [Rest::http1, Rest::http2] {
        let roamer = || Roamer::new(gateways.map(client));
        callers.extend([
            roamer().reader("/api/v1/widgets/kept", &root),
            roamer().reader("/api/v1/auth/user", &root),
            roamer().creator(&root),
        ]);
    }
    let began = Instant::now();
    let mut load = Load::start(callers, 1);
    load.until_each("served before", 10, is_good).await;

    for place in 0..2 {
        cluster.auth[place].terminate().await;
        cluster.auth[place].restart().await;
        ready(&cluster.auth[place]).await;
        load.until_each("served with a new auth service", 10, is_good).await;
    }
    for place in 0..2 {
        cluster.widget[place].terminate().await;
        cluster.widget[place].restart().await;
        ready(&cluster.widget[place]).await;
        load.until_each("served with a new widget service", 10, is_good).await;
    }
    for place in 0..2 {
        cluster.gateway[place].terminate().await;
        cluster.gateway[place].restart().await;
        load.until_each("served with a new gateway", 10, is_good).await;
    }

    let calls = load.stop().await;
    println!("all processes restarted one by one: {}", Summary(&calls));
    assert_only(&calls, &[200, 201], began);
}
