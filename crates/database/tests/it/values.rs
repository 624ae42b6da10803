//! What goes into a query comes out of it the same, on both engines.

use database::{Database, Error, Value, args};
use test_kit::{TestDatabase, on_every_engine};
use uuid::Uuid;

/// Types are spelled so that both engines take them: SQLite takes any name for a type.
async fn with_table(database: &Database) {
    let columns = "label TEXT, amount BIGINT, flag BOOLEAN, id UUID, raw BYTEA";
    database
        .execute(
            format!("CREATE TABLE things (nr BIGINT PRIMARY KEY, {columns})"),
            args![],
        )
        .await
        .unwrap();
}

const INSERT: &str = "INSERT INTO things (nr, label, amount, flag, id, raw) VALUES ($1, $2, $3, $4, $5, $6)";
const SELECT: &str = "SELECT label, amount, flag, id, raw FROM things WHERE nr = $1";

on_every_engine! {
    async fn every_kind_of_value_comes_back(database: TestDatabase) {
        let database = database.database();
        with_table(database).await;
        let id = Uuid::from_u128(0x00ff_0001_0002_0003_0004_0005_0006_0007);
        let bytes = vec![0_u8, 255, 10, 0];
        let written = database.execute(INSERT, args![1_i64, "héllo \u{1f600}", i64::MIN, true, id, bytes.clone()]).await;

        let row = database.fetch_one(SELECT, args![1_i64]).await.unwrap();

        assert_eq!(written.unwrap(), 1);
        assert_eq!(row.get::<String>("label").unwrap(), "héllo \u{1f600}");
        assert_eq!(row.get::<i64>("amount").unwrap(), i64::MIN);
        assert!(row.get::<bool>("flag").unwrap());
        assert_eq!(row.get::<Uuid>("id").unwrap(), id);
        assert_eq!(row.get::<Vec<u8>>("raw").unwrap(), bytes);
        assert_eq!(row.get::<Option<Uuid>>("id").unwrap(), Some(id));
    }

    async fn every_kind_of_null_comes_back(database: TestDatabase) {
        let database = database.database();
        with_table(database).await;
        let none = args![2_i64, None::<String>, None::<i64>, None::<bool>, None::<Uuid>, None::<Vec<u8>>];
        database.execute(INSERT, none).await.unwrap();

        let row = database.fetch_one(SELECT, args![2_i64]).await.unwrap();

        assert_eq!(row.get::<Option<String>>("label").unwrap(), None);
        assert_eq!(row.get::<Option<i64>>("amount").unwrap(), None);
        assert_eq!(row.get::<Option<bool>>("flag").unwrap(), None);
        assert_eq!(row.get::<Option<Uuid>>("id").unwrap(), None);
        assert_eq!(row.get::<Option<Vec<u8>>>("raw").unwrap(), None);
        assert!(matches!(row.get::<String>("label"), Err(Error::Other { .. })), "a NULL is not a text");
    }

    async fn empty_is_not_null(database: TestDatabase) {
        let database = database.database();
        with_table(database).await;
        database.execute(INSERT, args![3_i64, "", 0_i64, false, Uuid::nil(), Vec::new()]).await.unwrap();

        let row = database.fetch_one(SELECT, args![3_i64]).await.unwrap();

        assert_eq!(row.get::<Option<String>>("label").unwrap().as_deref(), Some(""));
        assert_eq!(row.get::<Option<Vec<u8>>>("raw").unwrap(), Some(vec![]));
        assert_eq!(row.get::<Option<bool>>("flag").unwrap(), Some(false));
    }

    async fn counts_and_literals_are_integers(database: TestDatabase) {
        let database = database.database();
        with_table(database).await;

        let row = database.fetch_one("SELECT count(*) AS n, 7 AS seven, max(nr) AS top FROM things", args![]).await.unwrap();

        assert_eq!(row.get::<i64>("n").unwrap(), 0);
        assert_eq!(row.get::<i64>("seven").unwrap(), 7);
        assert_eq!(row.get::<Option<i64>>("seven").unwrap(), Some(7));
        assert_eq!(row.get::<Option<i64>>("top").unwrap(), None);
    }

    async fn a_column_of_another_type_or_name_is_an_error(database: TestDatabase) {
        let row = database.database().fetch_one("SELECT 'text' AS label", args![]).await.unwrap();

        assert!(matches!(row.get::<i64>("label"), Err(Error::Other { .. })));
        assert!(matches!(row.get::<String>("lable"), Err(Error::Other { .. })));
    }

    async fn uuids_are_ordered_by_their_bytes(database: TestDatabase) {
        let database = database.database();
        with_table(database).await;
        let ids = [0x8000_u128 << 112, 1, u128::MAX, 0x0100_u128 << 112].map(Uuid::from_u128);
        for (nr, id) in (0_i64..).zip(ids) {
            database.execute("INSERT INTO things (nr, id) VALUES ($1, $2)", args![nr, id]).await.unwrap();
        }

        let rows = database.fetch_all("SELECT id FROM things ORDER BY id", args![]).await.unwrap();

        let mut sorted = ids;
        sorted.sort();
        let found: Vec<Uuid> = rows.iter().map(|row| row.get("id").unwrap()).collect();
        assert_eq!(found, sorted);
    }

    async fn fetch_one_without_a_row_is_an_error(database: TestDatabase) {
        let database = database.database();
        with_table(database).await;

        assert!(matches!(database.fetch_one(SELECT, args![9_i64]).await, Err(Error::Other { .. })));
        assert!(database.fetch_optional(SELECT, args![9_i64]).await.unwrap().is_none());
        assert!(database.fetch_all(SELECT, args![9_i64]).await.unwrap().is_empty());
    }
}

on_every_engine! {
    async fn identifiers_compare_byte_by_byte(database: TestDatabase) {
        let binary = if database.database().is_shared() { "COLLATE \"C\"" } else { "" };
        let database = database.database();
        database.execute(format!("CREATE TABLE names (name TEXT {binary} PRIMARY KEY)"), args![]).await.unwrap();
        let names = ["a", "B", "a-b", "ab", "a_b", "a1", "é", "z"];
        for name in names {
            database.execute("INSERT INTO names VALUES ($1)", args![name]).await.unwrap();
        }

        let rows = database.fetch_all("SELECT name FROM names ORDER BY name", args![]).await.unwrap();
        let above = database.fetch_all("SELECT name FROM names WHERE name > $1", args!["a_"]).await.unwrap();

        let mut sorted = names;
        sorted.sort();
        let found: Vec<String> = rows.iter().map(|row| row.get("name").unwrap()).collect();
        assert_eq!(found, sorted);
        assert_eq!(above.len(), 4, "a_b, ab, z and é");
    }
}

#[test]
fn debug_shows_no_text_and_no_bytes() {
    let values: Vec<Value> = args!["planted", b"planted".to_vec(), 7_i64];

    let shown = format!("{values:?}");

    assert!(!shown.contains("planted") && !shown.contains("112"), "{shown}");
    assert!(shown.contains("Int(Some(7))"), "{shown}");
}
