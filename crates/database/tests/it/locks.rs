//! How writers wait for each other, and readers do not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use database::{ConnectOptions, Database, args};
use test_kit::{TestDatabase, on_every_engine};

async fn with_counter(database: &Database) {
    database
        .execute(
            "CREATE TABLE counter (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)",
            args![],
        )
        .await
        .unwrap();
    database
        .execute("INSERT INTO counter VALUES (1, 0)", args![])
        .await
        .unwrap();
}

const COUNT_UP: &str = "UPDATE counter SET n = n + 1 WHERE id = 1 RETURNING n";

async fn count_up(database: &Database) -> i64 {
    let mut transaction = database.begin().await.unwrap();
    let n = transaction
        .fetch_one(COUNT_UP, args![])
        .await
        .unwrap()
        .get("n")
        .unwrap();
    transaction.commit().await.unwrap();
    n
}

fn impatient() -> ConnectOptions {
    ConnectOptions {
        wait: Duration::from_millis(300),
        ..ConnectOptions::default()
    }
}

on_every_engine! {
    async fn writers_take_turns(database: TestDatabase) {
        with_counter(database.database()).await;
        let other_process = database.connect(&ConnectOptions::default()).await;
        let mut writers = tokio::task::JoinSet::new();
        for handle in [database.database(), &other_process] {
            for _ in 0..20 {
                let handle = handle.clone();
                writers.spawn(async move { count_up(&handle).await });
            }
        }

        let mut seen = writers.join_all().await;

        seen.sort_unstable();
        assert_eq!(seen, (1..=40).collect::<Vec<i64>>());
    }

    async fn a_writer_behind_a_lock_gives_up_in_time_while_readers_go_on(database: TestDatabase) {
        with_counter(database.database()).await;
        let mut holder = database.database().begin().await.unwrap();
        holder.fetch_one(COUNT_UP, args![]).await.unwrap();
        let waiting = database.connect(&impatient()).await;

        let started = Instant::now();
        let write = waiting.execute("UPDATE counter SET n = 9", args![]).await.unwrap_err();
        let waited = started.elapsed();
        let read: i64 = waiting.fetch_one("SELECT n FROM counter", args![]).await.unwrap().get("n").unwrap();

        assert!(write.is_unavailable(), "{write}");
        assert!(waited >= Duration::from_millis(200) && waited < Duration::from_secs(2), "waited {waited:?}");
        assert_eq!(read, 0);
    }

    async fn a_transaction_behind_a_lock_gives_up_in_time(database: TestDatabase) {
        with_counter(database.database()).await;
        let waiting = database.connect(&impatient()).await;
        let mut holder = database.database().begin().await.unwrap();
        holder.fetch_one(COUNT_UP, args![]).await.unwrap();

        let started = Instant::now();
        let refused = async { waiting.begin().await?.execute("UPDATE counter SET n = 9", args![]).await }.await;
        let waited = started.elapsed();
        holder.commit().await.unwrap();

        assert!(refused.as_ref().is_err_and(database::Error::is_unavailable), "{refused:?}");
        assert!(waited < Duration::from_secs(2), "waited {waited:?}");
        assert_eq!(count_up(&waiting).await, 2, "the next one succeeds");
    }

    async fn writers_of_one_process_give_up_in_time_too(database: TestDatabase) {
        let database = database.connect(&impatient()).await;
        with_counter(&database).await;
        let mut holder = database.begin().await.unwrap();
        holder.fetch_one(COUNT_UP, args![]).await.unwrap();

        let (one, two) = tokio::join!(
            database.execute("UPDATE counter SET n = 9", args![]),
            database.execute("UPDATE counter SET n = 9", args![]),
        );

        assert!(one.is_err_and(|error| error.is_unavailable()));
        assert!(two.is_err_and(|error| error.is_unavailable()));
    }

    async fn a_writer_whose_caller_leaves_blocks_nobody(database: TestDatabase) {
        with_counter(database.database()).await;
        let waiting = Arc::new(database.connect(&ConnectOptions::default()).await);
        let mut holder = database.database().begin().await.unwrap();
        holder.fetch_one(COUNT_UP, args![]).await.unwrap();
        let left = tokio::time::timeout(Duration::from_millis(50), count_up(&waiting)).await;
        holder.rollback().await.unwrap();

        assert!(left.is_err(), "it did not have to wait");
        assert_eq!(count_up(&waiting).await, 1, "what the caller left behind was undone");
    }

    async fn waiting_writers_leave_a_connection_to_readers(database: TestDatabase) {
        with_counter(database.database()).await;
        let waiting = database.connect(&ConnectOptions { connections: 2, ..ConnectOptions::default() }).await;
        let mut holder = database.database().begin().await.unwrap();
        holder.fetch_one(COUNT_UP, args![]).await.unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let waiting = waiting.clone();
            writers.spawn(async move { count_up(&waiting).await });
        }
        while waiting.pool_state().used == 0 {
            tokio::task::yield_now().await;
        }

        let read: i64 = waiting.fetch_one("SELECT n FROM counter", args![]).await.unwrap().get("n").unwrap();
        holder.commit().await.unwrap();

        assert_eq!(read, 0);
        let mut seen = writers.join_all().await;
        seen.sort_unstable();
        assert_eq!(seen, [2, 3, 4, 5, 6]);
    }
}

/// Otherwise a transaction that reads first finds, when it wants to write, that another has written in between.
#[tokio::test]
async fn a_transaction_on_sqlite_is_the_only_writer_from_its_beginning() {
    let database = TestDatabase::sqlite().await;
    with_counter(database.database()).await;
    let other_process = database.connect(&impatient()).await;
    let mut holder = database.database().begin().await.unwrap();
    let n: i64 = holder
        .fetch_one("SELECT n FROM counter", args![])
        .await
        .unwrap()
        .get("n")
        .unwrap();

    let kept_out = other_process
        .execute("UPDATE counter SET n = 9", args![])
        .await
        .unwrap_err();
    holder.execute("UPDATE counter SET n = $1", args![n + 1]).await.unwrap();
    holder.commit().await.unwrap();

    assert!(kept_out.is_unavailable(), "{kept_out}");
    assert_eq!(count_up(&other_process).await, 2);
}
