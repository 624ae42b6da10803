//! A session that has ended is over at every replica, for every request that begins after the reply.

use serde_json::json;
use tonic::transport::Channel;

use crate::{
    cluster::{Cluster, Follows, Layout, PASSWORD},
    door::Door,
    fire::{Tally, under_fire},
    people::{done, log_out},
    scale::Scale,
};

/// Calls that have to be sent at once for a session to prove anything.
const AT_ONCE: usize = 100;

#[derive(Debug, Clone, Copy)]
enum Ending {
    Logout,
    Demotion,
    Disabling,
    PasswordChange,
}

/// A cluster whose sessions end.
struct Stage {
    cluster: Cluster,
    doors: Vec<Door>,
    auth: [Channel; 2],
    root: String,
}

impl Stage {
    async fn set(staleness: &'static str) -> Option<Self> {
        let follows = Follows::One;
        let cluster = Cluster::start(Layout { follows, staleness }).await?;
        Some(Self {
            doors: Door::all(&cluster).await,
            auth: [cluster.auth[0].channel().await, cluster.auth[1].channel().await],
            root: cluster.root().await,
            cluster,
        })
    }

    /// Begins a session and ends it under fire: every other one at each auth service.
    async fn end(&self, ending: Ending, turn: usize, calls: usize) -> Tally {
        let email = format!("{ending:?}-{turn}@example.com");
        let mut token = self.cluster.register(&email).await;
        let id = self.cluster.id(&token).await;
        let set = async |change| {
            let path = format!("/api/v1/users/{id}");
            done(&self.cluster.rest(), "PATCH", &path, &self.root, &change).await;
        };
        if matches!(ending, Ending::Demotion) {
            set(json!({"admin": true})).await;
            token = self.cluster.login(&email).await;
        }
        let end = async {
            match ending {
                Ending::Logout => log_out(&self.auth[turn % 2], &token).await,
                Ending::Demotion => set(json!({"admin": false})).await,
                Ending::Disabling => set(json!({"disabled": true})).await,
                Ending::PasswordChange => {
                    let body = json!({"current": PASSWORD, "new": "a quite different sentence"});
                    done(&self.cluster.rest(), "POST", "/api/v1/auth/password", &token, &body).await;
                }
            }
        };
        under_fire(&self.doors, &token, calls, end).await
    }

    /// Ends so many sessions. A busy machine may hold the sender up: what was not sent at once is counted, but proves
    /// less, and another session takes its place.
    async fn end_many(&self, ending: Ending, sessions: usize, calls: usize) -> Tally {
        let mut all = Tally::default();
        let (mut tight, mut turn) = (0, 0);
        while tight < sessions {
            assert!(
                turn < 6 * sessions,
                "only {tight} of {turn} sessions were called at once"
            );
            let tally = self.end(ending, turn, calls).await;
            assert_eq!(
                (tally.accepted, tally.odd.len()),
                (0, 0),
                "{ending:?} {turn}: {tally:?}"
            );
            assert!(tally.before >= self.doors.len(), "{tally:?}");
            tight += usize::from(tally.at_once >= AT_ONCE);
            turn += 1;
            all.add(tally);
        }
        println!("{ending:?}: {turn} sessions, {all:?}");
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_begun_after_the_reply_is_accepted_at_any_replica() {
    let Some(stage) = Stage::set("0s").await else { return };
    let scale = Scale::get();
    let mut all = stage.end_many(Ending::Logout, scale.logouts, scale.calls).await;
    for ending in [Ending::Demotion, Ending::Disabling, Ending::PasswordChange] {
        all.add(stage.end_many(ending, scale.other_endings, scale.calls).await);
    }
    assert_eq!(all.accepted, 0);
    assert!(
        all.after >= scale.calls * (scale.logouts + 3 * scale.other_endings),
        "{all:?}"
    );
    assert!(
        all.unavailable * 20 < all.after,
        "most calls have to be decided: {all:?}"
    );
}

/// Without this the test above might not notice anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_second_of_staleness_the_same_calls_are_accepted_now_and_then() {
    let Some(stage) = Stage::set("1s").await else { return };
    let calls = Scale::get().calls;
    let mut all = Tally::default();
    for turn in 0..6 {
        all.add(stage.end(Ending::Logout, turn, calls).await);
    }
    println!("with a second of staleness: {all:?}");
    assert!(all.accepted > 0, "{all:?}");
}
