//! What was acknowledged survives the death of whoever wrote it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use database::{ConnectOptions, Database, args};
use test_kit::{Cluster, ClusterOptions, TestDatabase, on_every_engine};

const URL: &str = "CRASH_TEST_DATABASE_URL";
const ENOUGH: i64 = 50;

/// The process that is killed: it writes numbers and says each one that was acknowledged.
#[tokio::test]
#[ignore = "it is started by the tests below"]
async fn writer() {
    let url = std::env::var(URL).expect("it is started by the tests below");
    let database = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
    for n in 1_i64.. {
        if n % 2 == 0 {
            database
                .execute("INSERT INTO written VALUES ($1)", args![n])
                .await
                .unwrap();
        } else {
            let mut transaction = database.begin().await.unwrap();
            transaction
                .execute("INSERT INTO written VALUES ($1)", args![n])
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        }
        writeln!(std::io::stdout(), "acknowledged {n}").unwrap();
    }
}

/// Kills a writer in the middle of its work and returns the last number that it said.
fn kill_a_writer(url: &str) -> i64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::writer", "--ignored", "--nocapture"])
        .env(URL, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut number = || lines.find_map(|line| line.unwrap().strip_prefix("acknowledged ")?.parse::<i64>().ok());
    while number().expect("the writer ended early") < ENOUGH {}
    child.kill().unwrap();
    child.wait().unwrap();
    let mut last = ENOUGH;
    while let Some(said) = number() {
        last = said;
    }
    last
}

async fn prepare(database: &Database) {
    database
        .execute("CREATE TABLE written (n BIGINT PRIMARY KEY)", args![])
        .await
        .unwrap();
}

async fn numbers_up_to(database: &Database, last: i64) -> i64 {
    let question = "SELECT count(*) AS found FROM written WHERE n <= $1";
    database
        .fetch_one(question, args![last])
        .await
        .unwrap()
        .get("found")
        .unwrap()
}

on_every_engine! {
    async fn acknowledged_writes_survive_a_kill_of_the_program(database: TestDatabase) {
        prepare(database.database()).await;
        let url = database.url().to_owned();

        let last = tokio::task::spawn_blocking(move || kill_a_writer(&url)).await.unwrap();

        assert!(last >= ENOUGH);
        assert_eq!(numbers_up_to(database.database(), last).await, last);
        database.database().execute("INSERT INTO written VALUES (0)", args![]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_a_crash_of_the_server() {
    let Some(cluster) = Cluster::for_test(ClusterOptions { durable: true }).await else {
        return;
    };
    let database = Database::connect(&cluster.url("postgres"), &ConnectOptions::default())
        .await
        .unwrap();
    prepare(&database).await;
    for n in 1..=ENOUGH {
        database
            .execute("INSERT INTO written VALUES ($1)", args![n])
            .await
            .unwrap();
    }

    let cluster = tokio::task::spawn_blocking(move || {
        cluster.crash();
        cluster.boot();
        cluster
    });

    let _cluster = cluster.await.unwrap();
    assert_eq!(numbers_up_to(&database, ENOUGH).await, ENOUGH);
}
