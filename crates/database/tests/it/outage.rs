//! PostgreSQL going away and coming back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use database::{ConnectOptions, Database, Error, args};
use test_kit::{Cluster, ClusterOptions};

/// A cluster of the test's own, since the shared one has other users. A skipped test has said so.
async fn cluster() -> Option<Arc<Cluster>> {
    Cluster::for_test(ClusterOptions::default()).await.map(Arc::new)
}

async fn at(cluster: &Arc<Cluster>, act: fn(&Cluster)) {
    let cluster = Arc::clone(cluster);
    tokio::task::spawn_blocking(move || act(&cluster)).await.unwrap();
}

async fn connect(cluster: &Cluster) -> Database {
    let options = ConnectOptions {
        wait: Duration::from_secs(1),
        statement_limit: Duration::from_secs(2),
        ..ConnectOptions::default()
    };
    let database = Database::connect(&cluster.url("postgres"), &options).await.unwrap();
    database
        .execute("CREATE TABLE IF NOT EXISTS t (n BIGINT)", args![])
        .await
        .unwrap();
    database
}

async fn write(database: &Database) -> Result<u64, Error> {
    database.execute("INSERT INTO t VALUES (1)", args![]).await
}

async fn write_in_transaction(database: &Database) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    transaction.execute("INSERT INTO t VALUES (1)", args![]).await?;
    transaction.commit().await
}

/// Fills the pool with connections that know the statements.
async fn warm_up(database: &Database) {
    let work = || async { tokio::try_join!(write(database), write_in_transaction(database), database.ping()) };
    tokio::try_join!(work(), work(), work()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_load_gives_only_unavailable_and_heals_at_once() {
    let Some(cluster) = cluster().await else { return };
    let database = connect(&cluster).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut load = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (database, stop) = (database.clone(), Arc::clone(&stop));
        load.spawn(async move {
            let mut errors = vec![];
            while !stop.load(Ordering::SeqCst) {
                errors.extend(write(&database).await.err());
                errors.extend(write_in_transaction(&database).await.err());
                errors.extend(database.ping().await.err());
                tokio::task::yield_now().await;
            }
            errors
        });
    }

    at(&cluster, Cluster::stop).await;
    let down = database.ping().await.unwrap_err();
    at(&cluster, Cluster::boot).await;
    let after = (
        write(&database).await,
        write_in_transaction(&database).await,
        database.ping().await,
    );
    at(&cluster, Cluster::crash).await;
    at(&cluster, Cluster::boot).await;
    let after_crash = (
        write(&database).await,
        write_in_transaction(&database).await,
        database.ping().await,
    );
    stop.store(true, Ordering::SeqCst);

    assert!(down.is_unavailable(), "{down:?}");
    assert!(after.0.is_ok() && after.1.is_ok() && after.2.is_ok(), "{after:?}");
    assert!(
        after_crash.0.is_ok() && after_crash.1.is_ok() && after_crash.2.is_ok(),
        "{after_crash:?}"
    );
    let errors: Vec<Error> = load.join_all().await.into_iter().flatten().collect();
    assert!(!errors.is_empty(), "the restart was not noticed");
    let odd: Vec<_> = errors.iter().filter(|error| !error.is_unavailable()).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_nobody_saw_is_no_error_at_all() {
    let Some(cluster) = cluster().await else { return };
    for first in 0..3 {
        let database = connect(&cluster).await;
        warm_up(&database).await;

        at(&cluster, Cluster::stop).await;
        at(&cluster, Cluster::boot).await;

        match first {
            0 => drop(write(&database).await.unwrap()),
            1 => write_in_transaction(&database).await.unwrap(),
            _ => database.ping().await.unwrap(),
        }
        warm_up(&database).await;
    }
}

/// Ends all connections to a server but the one that it uses, as a failover does.
async fn cut_off_all_but(database: &Database) {
    let end_all = "SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity \
                   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    database.fetch_all(end_all, args![]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lost_connection_is_enough_to_drop_the_others() {
    let Some(cluster) = cluster().await else { return };
    let (database, other) = (connect(&cluster).await, connect(&cluster).await);
    warm_up(&database).await;
    assert!(database.pool_state().idle > 1, "{database:?}");

    cut_off_all_but(&other).await;
    let outcomes = [write(&database).await, write(&database).await, write(&database).await];

    let lost: Vec<&Error> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(lost.len() <= 1, "{lost:?}");
    assert!(lost.iter().all(|error| error.is_unavailable()), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_repeated_is_not_lost_with_its_connection() {
    let Some(cluster) = cluster().await else { return };
    let (database, other) = (connect(&cluster).await, connect(&cluster).await);

    warm_up(&database).await;
    cut_off_all_but(&other).await;
    database.ping().await.unwrap();
    warm_up(&database).await;
    cut_off_all_but(&other).await;
    database.fetch_all("SELECT n FROM t", args![]).await.unwrap();
    warm_up(&database).await;
    cut_off_all_but(&other).await;
    write_in_transaction(&database).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_an_error_at_once() {
    let Some(cluster) = cluster().await else { return };
    let database = connect(&cluster).await;
    at(&cluster, Cluster::stop).await;

    let started = Instant::now();
    let refused = write(&database).await.unwrap_err();

    assert!(refused.is_unavailable(), "{refused}");
    assert!(
        started.elapsed() < Duration::from_millis(900),
        "it waited for {:?}",
        started.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_unavailable_in_time_and_heals() {
    let Some(cluster) = cluster().await else { return };
    let database = connect(&cluster).await;
    warm_up(&database).await;
    cluster.freeze();

    let started = Instant::now();
    let (read, written) = tokio::join!(database.ping(), write(&database));
    let waited = started.elapsed();
    cluster.thaw();

    assert!(read.unwrap_err().is_unavailable());
    assert!(written.unwrap_err().is_unavailable());
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    warm_up(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_table_does_not_break_prepared_statements() {
    let Some(cluster) = cluster().await else { return };
    let database = connect(&cluster).await;
    write(&database).await.unwrap();
    let read = || database.fetch_all("SELECT * FROM t", args![]);
    read().await.unwrap();

    database
        .execute("ALTER TABLE t ADD COLUMN m BIGINT", args![])
        .await
        .unwrap();

    let rows = read().await.unwrap();
    assert_eq!(rows[0].get::<Option<i64>>("m").unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_still_starting_up_is_waited_for_and_a_missing_database_is_not() {
    let Some(cluster) = cluster().await else { return };
    at(&cluster, Cluster::stop).await;

    let booting = tokio::spawn({
        let cluster = Arc::clone(&cluster);
        async move { at(&cluster, Cluster::boot).await }
    });
    let connected = Database::connect(&cluster.url("postgres"), &ConnectOptions::default()).await;
    booting.await.unwrap();
    let started = Instant::now();
    let missing = Database::connect(&cluster.url("nothing_here"), &ConnectOptions::default())
        .await
        .unwrap_err();
    let waited = started.elapsed();

    connected.unwrap();
    assert!(matches!(missing, Error::Other { .. }), "{missing:?}");
    assert!(waited < ConnectOptions::default().wait, "{waited:?}");
}
