//! Signing keys and recovery, while everything runs.

use std::time::{Duration, Instant};

use crate::{
    cluster::{Cluster, Follows, Layout},
    door::{Answer, Door},
    load::{Call, Caller, Load},
    people::log_out,
};

/// Uses each of the tokens at each door; the callers of the first token come first.
fn users(doors: &[Door], tokens: &[&str]) -> Vec<Caller<Answer>> {
    let pairs = tokens
        .iter()
        .flat_map(|token| doors.iter().map(move |door| (door, *token)));
    pairs.map(|(door, token)| door.caller(token)).collect()
}

fn accepts(answer: &Answer) -> bool {
    *answer == Answer::Accepted
}

/// After a recovery nobody knows the older keys any more.
fn is_dead(answer: &Answer) -> bool {
    *answer == Answer::Invalid
}

/// The id of the only key that signs.
async fn signing(cluster: &Cluster) -> String {
    let listed = cluster.operate(&["keys", "list"]).await;
    let signs = listed.lines().filter(|line| line.contains(" signs "));
    let [line] = signs.collect::<Vec<_>>()[..] else {
        panic!("{listed}");
    };
    line.split(' ').next().unwrap().to_owned()
}

/// Every call got what `expected` says of the place of its caller and of when it began.
fn assert_each(calls: &[Call<Answer>], expected: impl Fn(&Call<Answer>) -> &'static [Answer]) {
    for call in calls {
        assert!(expected(call).contains(&call.answer), "{call:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated_retired_and_replaced_under_load_and_only_what_they_signed_is_refused() {
    let Some(cluster) = Cluster::start(Layout::default()).await else {
        return;
    };
    let doors = Door::all(&cluster).await;
    let old = cluster.root().await;
    let first = signing(&cluster).await;
    let mut load = Load::start(users(&doors, &[&old]), 1);
    load.until_each("accepted before", 3, accepts).await;
    cluster.operate(&["keys", "rotate", "--now"]).await;
    load.until_each("accepted after the rotation", 3, accepts).await;
    assert_each(&load.stop().await, |_| &[Answer::Accepted]);
    let new = cluster.root().await;
    assert_ne!(signing(&cluster).await, first);

    let mut load = Load::start(users(&doors, &[&old, &new]), 1);
    load.until_each("accepted with both keys", 3, accepts).await;
    let retiring = Instant::now();
    cluster.operate(&["keys", "retire", &first]).await;
    let retired = Instant::now();
    load.go_on(Duration::from_millis(500)).await;
    let calls = load.stop().await;
    println!("retired a key in {:?} among {} calls", retired - retiring, calls.len());
    let is_old = |call: &Call<Answer>| call.caller < doors.len();
    assert_each(&calls, |call| match is_old(call) {
        true if call.began >= retired => &[Answer::Refused],
        true if call.began + call.took >= retiring => &[Answer::Accepted, Answer::Refused],
        _ => &[Answer::Accepted],
    });
    assert!(calls.iter().any(|call| is_old(call) && call.began >= retired));

    let mut load = Load::start(users(&doors, &[&new]), 1);
    load.until_each("accepted before the recovery", 3, accepts).await;
    let recovering = Instant::now();
    cluster.operate(&["recover"]).await;
    let recovered = Instant::now();
    load.until_each("refused after the recovery", 3, is_dead).await;
    assert_each(&load.stop().await, |call| {
        if call.began >= recovered {
            &[Answer::Invalid]
        } else if call.began + call.took >= recovering {
            &[Answer::Accepted, Answer::Invalid]
        } else {
            &[Answer::Accepted]
        }
    });
    let newest = cluster.root().await;
    for door in &doors {
        assert_eq!(door.knock(&newest).await, Answer::Accepted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restored_backup_nothing_is_accepted_before_recover_and_no_older_token_after_it() {
    let follows = Follows::One;
    let Some(cluster) = Cluster::start(Layout {
        follows,
        ..Layout::default()
    })
    .await
    else {
        return;
    };
    let doors = Door::all(&cluster).await;
    let root = cluster.root().await;
    let user = cluster.register("ada@example.com").await;
    let name = cluster.auth_database().to_owned();
    let backed_up = name.clone();
    cluster.at_postgres(move |server| server.back_up(&backed_up)).await;
    let mut load = Load::start(users(&doors, &[&root, &user]), 1);
    load.until_each("accepted before", 2, accepts).await;
    let auth = cluster.auth[0].channel().await;
    log_out(&auth, &user).await;
    let ended = Instant::now();

    cluster.at_postgres(move |server| server.restore(&name)).await;
    let restored = Instant::now();
    load.until_each("undecided", 2, |answer| *answer == Answer::Unavailable)
        .await;
    let recovering = Instant::now();
    cluster.operate(&["recover"]).await;
    let recovered = Instant::now();
    load.until_each("refused after the recovery", 3, is_dead).await;

    let calls = load.stop().await;
    let count = |answer| {
        calls
            .iter()
            .filter(|call| call.began >= restored && call.answer == answer)
            .count()
    };
    let counts = [Answer::Accepted, Answer::Unavailable, Answer::Invalid].map(count);
    println!("after a restored backup: accepted, undecided, refused: {counts:?}");
    assert_each(&calls, |call| {
        let is_root = call.caller < doors.len();
        match call.began {
            began if began >= recovered => &[Answer::Invalid, Answer::Unavailable],
            began if began >= restored && began + call.took < recovering => &[Answer::Unavailable],
            began if began >= restored => &[Answer::Invalid, Answer::Unavailable],
            began if began >= ended && !is_root => &[Answer::Refused, Answer::Unavailable],
            _ => &[Answer::Accepted, Answer::Unavailable, Answer::Refused],
        }
    });
    let again = cluster.root().await;
    for door in &doors {
        assert_eq!(door.knock(&again).await, Answer::Accepted);
    }
}
