//! What a transaction promises, on both engines.

use database::{Database, Error, args};
use test_kit::{TestDatabase, on_every_engine};

async fn with_names(database: &Database) {
    let table =
        "CREATE TABLE names (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, nr BIGINT NOT NULL CHECK (nr > 0))";
    database.execute(table, args![]).await.unwrap();
    database
        .execute(
            "CREATE TABLE nicknames (of_id BIGINT NOT NULL REFERENCES names (id))",
            args![],
        )
        .await
        .unwrap();
}

const INSERT: &str = "INSERT INTO names (id, name, nr) VALUES ($1, $2, 1)";

async fn count(database: &Database) -> i64 {
    database
        .fetch_one("SELECT count(*) AS n FROM names", args![])
        .await
        .unwrap()
        .get("n")
        .unwrap()
}

on_every_engine! {
    async fn a_commit_is_seen_and_a_rollback_is_not(database: TestDatabase) {
        let database = database.database();
        with_names(database).await;

        let mut kept = database.begin().await.unwrap();
        kept.execute(INSERT, args![1_i64, "ada"]).await.unwrap();
        kept.commit().await.unwrap();
        let mut undone = database.begin().await.unwrap();
        undone.execute(INSERT, args![2_i64, "bob"]).await.unwrap();
        undone.rollback().await.unwrap();

        assert_eq!(count(database).await, 1);
    }

    async fn dropping_a_transaction_rolls_it_back_and_frees_its_locks(database: TestDatabase) {
        let database = database.database();
        with_names(database).await;
        let mut dropped = database.begin().await.unwrap();
        dropped.execute(INSERT, args![1_i64, "ada"]).await.unwrap();

        drop(dropped);

        database.execute(INSERT, args![1_i64, "ada"]).await.unwrap();
        assert_eq!(count(database).await, 1);
    }

    async fn a_second_row_of_a_key_is_unique_by_kind(database: TestDatabase) {
        let database = database.database();
        with_names(database).await;
        database.execute(INSERT, args![1_i64, "ada"]).await.unwrap();

        let same_id = database.execute(INSERT, args![1_i64, "bob"]).await.unwrap_err();
        let same_name = database.execute(INSERT, args![2_i64, "ada"]).await.unwrap_err();

        assert!(same_id.is_unique(), "{same_id}");
        assert!(same_name.is_unique(), "{same_name}");
    }

    async fn other_violations_are_not_unique(database: TestDatabase) {
        let database = database.database();
        with_names(database).await;

        let dangling = database.execute("INSERT INTO nicknames (of_id) VALUES ($1)", args![7_i64]).await.unwrap_err();
        let null = database.execute(INSERT, args![1_i64, None::<String>]).await.unwrap_err();
        let checked = database.execute("INSERT INTO names VALUES ($1, $2, $3)", args![1_i64, "s3cret", -5_i64]).await;
        let checked = checked.unwrap_err();

        assert!(matches!(dangling, Error::Other { .. }), "{dangling}");
        assert!(matches!(null, Error::Other { .. }), "{null}");
        assert!(matches!(checked, Error::Other { .. }), "{checked}");
        assert!(!format!("{checked} {checked:?}").contains("s3cret"), "a row is quoted: {checked:?}");
    }

    async fn after_an_error_only_a_rollback_is_left(database: TestDatabase) {
        let database = database.database();
        with_names(database).await;
        let mut transaction = database.begin().await.unwrap();
        transaction.execute(INSERT, args![1_i64, "ada"]).await.unwrap();
        transaction.execute(INSERT, args![1_i64, "ada"]).await.unwrap_err();

        let next = transaction.execute(INSERT, args![2_i64, "bob"]).await;
        let commit = transaction.commit().await;

        assert!(matches!(next, Err(Error::Other { .. })));
        assert!(matches!(commit, Err(Error::Other { .. })));
        assert_eq!(count(database).await, 0);
    }

    async fn a_transaction_can_write_and_return_rows(database: TestDatabase) {
        let database = database.database();
        with_names(database).await;
        let mut transaction = database.begin().await.unwrap();

        let row = transaction.fetch_one(format!("{INSERT} RETURNING name"), args![1_i64, "ada"]).await.unwrap();
        let rows = transaction.fetch_all("SELECT name FROM names", args![]).await.unwrap();
        let none = transaction.fetch_optional("SELECT name FROM names WHERE id = $1", args![5_i64]).await.unwrap();
        transaction.commit().await.unwrap();

        assert_eq!(row.get::<String>("name").unwrap(), "ada");
        assert_eq!(rows.len(), 1);
        assert!(none.is_none());
    }

    async fn a_reading_transaction_sees_one_state(database: TestDatabase) {
        let database = database.database();
        with_names(database).await;
        let mut reading = database.begin_read().await.unwrap();
        let question = "SELECT count(*) AS n FROM names";
        let before: i64 = reading.fetch_one(question, args![]).await.unwrap().get("n").unwrap();

        database.execute(INSERT, args![1_i64, "ada"]).await.unwrap();

        let after: i64 = reading.fetch_one(question, args![]).await.unwrap().get("n").unwrap();
        assert_eq!((before, after, count(database).await), (0, 0, 1));
        assert!(reading.execute(INSERT, args![2_i64, "bob"]).await.is_err(), "it can write");
    }

    async fn the_primary_answers_the_primary_check(database: TestDatabase) {
        let database = database.database();

        let row = database.fetch_one(format!("SELECT {} AS primary_now", database.primary_check()), args![]).await;

        assert!(row.unwrap().get::<bool>("primary_now").unwrap());
        database.ping().await.unwrap();
    }

    async fn pool_state_counts_what_is_in_use(database: TestDatabase) {
        let database = database.database();
        let before = database.pool_state();
        let transaction = database.begin().await.unwrap();

        let during = database.pool_state();
        transaction.rollback().await.unwrap();
        let after = database.pool_state();

        assert_eq!((before.used, during.used, after.used), (0, 1, 0));
        assert!(after.idle > during.idle);
    }
}

#[tokio::test]
async fn a_deadlock_is_a_serialization_error_for_one_of_the_two() {
    let Some(database) = TestDatabase::postgres().await else {
        return;
    };
    let database = database.database();
    with_names(database).await;
    database.execute(INSERT, args![1_i64, "ada"]).await.unwrap();
    database.execute(INSERT, args![2_i64, "bob"]).await.unwrap();
    let (mut first, mut second) = (database.begin().await.unwrap(), database.begin().await.unwrap());
    let take = "UPDATE names SET nr = nr + 1 WHERE id = $1";
    first.execute(take, args![1_i64]).await.unwrap();
    second.execute(take, args![2_i64]).await.unwrap();

    let (one, two) = tokio::join!(
        async {
            let outcome = first.execute(take, args![2_i64]).await;
            drop(first);
            outcome
        },
        async {
            let outcome = second.execute(take, args![1_i64]).await;
            drop(second);
            outcome
        }
    );

    let lost = [one, two].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(lost.len(), 1);
    assert!(lost[0].is_serialization(), "{}", lost[0]);
}
