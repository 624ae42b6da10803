//! Everything killed at once, in the middle of writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use database::args;
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, Layout, PASSWORD},
    load::{Caller, Load},
    people::{done, token},
    requests::{is_good, widget},
    rest::Rest,
    scale::Scale,
};

/// The widget that is written again and again.
const COUNTER: &str = "/api/v1/widgets/counter";

/// Something that was tried. What was not acknowledged may have happened or not.
#[derive(Debug, Clone)]
enum Wrote {
    Widget {
        name: String,
        acknowledged: bool,
    },
    Count {
        to: usize,
        acknowledged: bool,
    },
    /// A user who registered and then logged out: the token, if there was one, and whether the end was acknowledged.
    Session {
        token: Option<String>,
        ended: bool,
    },
}

impl Wrote {
    fn is_acknowledged(&self) -> bool {
        match self {
            Self::Widget { acknowledged, .. } | Self::Count { acknowledged, .. } => *acknowledged,
            Self::Session { ended, .. } => *ended,
        }
    }
}

/// Who writes: numbers go on from round to round.
struct Writers {
    rests: [Rest; 2],
    root: String,
    number: Arc<AtomicUsize>,
}

impl Writers {
    async fn of(cluster: &Cluster) -> Self {
        let root = cluster.root().await;
        done(&cluster.rest(), "POST", "/api/v1/widgets", &root, &widget("counter")).await;
        Self {
            rests: cluster.gateway.each_ref().map(|gateway| Rest::http1(gateway.addr)),
            root,
            number: Arc::default(),
        }
    }

    fn callers(&self) -> Vec<Caller<Wrote>> {
        vec![
            self.caller(0, make_widget),
            self.caller(1, count),
            self.caller(1, begin_and_end_a_session),
        ]
    }

    /// Calls through one of the gateways, each with a number of its own.
    fn caller<F>(&self, gateway: usize, call: fn(Rest, String, usize) -> F) -> Caller<Wrote>
    where
        F: Future<Output = Wrote> + Send + 'static,
    {
        let (rest, root, number) = (self.rests[gateway].clone(), self.root.clone(), self.number.clone());
        Caller::new(move || call(rest.clone(), root.clone(), number.fetch_add(1, Ordering::Relaxed)))
    }
}

async fn make_widget(rest: Rest, root: String, number: usize) -> Wrote {
    let name = format!("made-{number}");
    let reply = rest.send("POST", "/api/v1/widgets", &root, &widget(&name)).await;
    let acknowledged = is_good(&reply);
    Wrote::Widget { name, acknowledged }
}

async fn count(rest: Rest, root: String, to: usize) -> Wrote {
    let change = json!({"description": to.to_string()});
    let acknowledged = is_good(&rest.send("PATCH", COUNTER, &root, &change).await);
    Wrote::Count { to, acknowledged }
}

async fn begin_and_end_a_session(rest: Rest, _: String, number: usize) -> Wrote {
    let body = json!({"email": format!("user-{number}@example.com"), "password": PASSWORD});
    let token = match rest.send("POST", "/api/v1/auth/register", "", &body).await {
        Ok(reply) if reply.status == 201 => token(&reply),
        _ => {
            return Wrote::Session {
                token: None,
                ended: false,
            };
        }
    };
    let ended = is_good(&rest.send("POST", "/api/v1/auth/logout", &token, &Value::Null).await);
    let token = Some(token);
    Wrote::Session { token, ended }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_everything_is_killed_no_acknowledged_write_is_lost_and_none_is_half_done() {
    let Some(mut cluster) = Cluster::start(Layout::default()).await else {
        return;
    };
    let writers = Writers::of(&cluster).await;
    let mut all = Vec::new();
    for round in 1..=Scale::get().kills {
        let mut load = Load::start(writers.callers(), 1);
        load.until_each("acknowledged", round % 5 + 1, Wrote::is_acknowledged)
            .await;
        cluster.kill_everything().await;
        all.extend(load.stop().await.into_iter().map(|call| call.answer));
        cluster.start_again().await;

        let acknowledged = all.iter().filter(|wrote| wrote.is_acknowledged()).count();
        println!(
            "killed {round} times: {acknowledged} of {} writes were acknowledged",
            all.len()
        );
        widgets_are_whole(&cluster, &writers.root, &all).await;
        sessions_are_as_acknowledged(&cluster, &all).await;
        accounts_are_whole(&cluster).await;
    }
}

async fn widgets_are_whole(cluster: &Cluster, root: &str, all: &[Wrote]) {
    let mut stored = stored_widgets(cluster, root).await;
    let counter = stored.remove("counter").unwrap();
    let (mut tried, mut least) = (BTreeSet::new(), 0);
    for wrote in all {
        match wrote {
            Wrote::Widget { name, acknowledged } => {
                let description = stored.remove(name);
                assert!(description.is_some() || !acknowledged, "{name} is lost");
                let whole = widget(name)["description"].as_str().map(str::to_owned);
                assert!(description.is_none() || description == whole, "{description:?}");
            }
            Wrote::Count { to, acknowledged } => {
                tried.insert(to.to_string());
                least = least.max(if *acknowledged { *to } else { 0 });
            }
            Wrote::Session { .. } => {}
        }
    }
    assert!(stored.is_empty(), "nobody made {stored:?}");
    assert!(tried.contains(&counter), "nobody wrote {counter}");
    assert!(counter.parse::<usize>().unwrap() >= least, "{least} is lost: {counter}");
}

/// The descriptions of all widgets by name.
async fn stored_widgets(cluster: &Cluster, root: &str) -> BTreeMap<String, String> {
    let mut stored = BTreeMap::new();
    let mut page = String::new();
    loop {
        let path = format!("/api/v1/widgets?page_size=1000&page_token={page}");
        let reply = done(&cluster.rest(), "GET", &path, root, &Value::Null).await;
        let text = |widget: &Value, field: &str| widget[field].as_str().unwrap().to_owned();
        let widgets = reply.body["widgets"].as_array().unwrap().iter();
        stored.extend(widgets.map(|widget| (text(widget, "name"), text(widget, "description"))));
        page = reply.body["next_page_token"].as_str().unwrap().to_owned();
        if page.is_empty() {
            return stored;
        }
    }
}

async fn sessions_are_as_acknowledged(cluster: &Cluster, all: &[Wrote]) {
    let rest = cluster.rest();
    for wrote in all {
        if let Wrote::Session {
            token: Some(token),
            ended,
        } = wrote
        {
            let reply = rest.get("/api/v1/auth/user", token).await.unwrap();
            let expected: &[u16] = if *ended { &[401] } else { &[200, 401] };
            assert!(expected.contains(&reply.status), "ended: {ended}, {reply:?}");
        }
    }
}

/// An account and its event, a revocation and its event are there together or not at all.
async fn accounts_are_whole(cluster: &Cluster) {
    let database = cluster.open_auth_database().await;
    let pairs = [
        (
            "SELECT count(*) AS n FROM users",
            "SELECT count(*) AS n FROM audit_events WHERE kind = 1",
        ),
        (
            "SELECT count(*) AS n FROM revocations WHERE kind = 1",
            "SELECT count(*) AS n FROM audit_events WHERE kind = 3",
        ),
    ];
    for (one, other) in pairs {
        let count = async |sql: &'static str| {
            let row = database.fetch_one(sql, args![]).await.unwrap();
            row.get::<i64>("n").unwrap()
        };
        assert_eq!(count(one).await, count(other).await, "{one}; {other}");
    }
}
