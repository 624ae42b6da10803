//! Migrations on both engines.

use database::{
    ConnectOptions, Database, Error, MigrateMode, Migration, MigrationState, Migrations, SchemaState, Scripts, args,
};
use test_kit::{TestDatabase, on_every_engine};

const COMMAND: &str = "demo-service migrate up";

fn files() -> Migrations {
    database::migrations!(in "/tests/migrations/", "demo", ["0001_readings", "0002_units"])
}

fn step(version: i64, name: &'static str, up: &'static str, down: &'static str) -> Migration {
    Migration {
        version,
        name,
        sqlite: Scripts { up, down },
        postgres: Scripts { up, down },
    }
}

const FIRST: &str = "CREATE TABLE one (n BIGINT)";

fn first() -> Migration {
    step(1, "0001_one", FIRST, "DROP TABLE one")
}

fn older() -> Migrations {
    Migrations::new("demo", vec![first()])
}

fn newer() -> Migrations {
    Migrations::new(
        "demo",
        vec![
            step(2, "0002_two", "CREATE TABLE two (n BIGINT)", "DROP TABLE two"),
            first(),
        ],
    )
}

async fn has_table(database: &Database, table: &str) -> bool {
    database
        .fetch_all(format!("SELECT * FROM {table}"), args![])
        .await
        .is_ok()
}

async fn states(migrations: &Migrations, database: &Database) -> Vec<(i64, MigrationState)> {
    migrations
        .status(database)
        .await
        .unwrap()
        .iter()
        .map(|one| (one.version, one.state))
        .collect()
}

fn problem<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome.unwrap_err() {
        Error::Schema { problem } => problem,
        other => panic!("{other:?}"),
    }
}

/// Migrates from many connections at once, as processes would, and returns what they applied between them.
async fn race(database: &TestDatabase) -> Vec<i64> {
    let mut processes = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let process = database.connect(&ConnectOptions::default()).await;
        processes.spawn(async move { files().up(&process).await });
    }
    processes
        .join_all()
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect()
}

on_every_engine! {
    async fn files_go_up_and_back_one_by_one(database: TestDatabase) {
        let database = database.database();
        let migrations = files();

        assert_eq!(migrations.up(database).await.unwrap(), [1, 2]);
        assert_eq!(migrations.up(database).await.unwrap(), Vec::<i64>::new());
        assert!(has_table(database, "units").await);
        assert_eq!(migrations.down(database, None).await.unwrap(), [2]);
        assert!(has_table(database, "readings").await && !has_table(database, "units").await);
        assert_eq!(migrations.down(database, None).await.unwrap(), [1]);
        assert!(!has_table(database, "readings").await);
        assert!(problem(migrations.down(database, None).await).contains("no migration above version 0"));
    }

    async fn down_to_a_version_takes_back_all_above_it(database: TestDatabase) {
        let database = database.database();
        files().up(database).await.unwrap();

        assert_eq!(files().down(database, Some(0)).await.unwrap(), [2, 1]);
        assert_eq!(files().up(database).await.unwrap(), [1, 2], "and up again");
        assert!(problem(files().down(database, Some(2)).await).contains("above version 2"));
    }

    async fn status_tells_applied_from_pending(database: TestDatabase) {
        let database = database.database();
        let before = states(&newer(), database).await;
        older().up(database).await.unwrap();

        assert_eq!(before, [(1, MigrationState::Pending), (2, MigrationState::Pending)]);
        assert_eq!(states(&newer(), database).await, [(1, MigrationState::Applied), (2, MigrationState::Pending)]);
        assert_eq!(newer().status(database).await.unwrap()[1].name, "0002_two");
    }

    async fn check_refuses_an_older_schema_and_names_the_command(database: TestDatabase) {
        let database = database.database();

        let refused = problem(newer().prepare(database, MigrateMode::Check, COMMAND).await);

        assert!(refused.contains("version 0") && refused.contains("needs 2") && refused.contains(COMMAND), "{refused}");
        assert!(!has_table(database, "one").await, "it changed something");
    }

    async fn auto_brings_an_older_schema_up_to_date(database: TestDatabase) {
        let database = database.database();
        older().up(database).await.unwrap();

        let state = newer().prepare(database, MigrateMode::Auto, COMMAND).await.unwrap();
        let again = newer().prepare(database, MigrateMode::Check, COMMAND).await.unwrap();

        assert_eq!(state, SchemaState::Migrated { from: 1, to: 2 });
        assert_eq!(again, SchemaState::Current { version: 2 });
    }

    async fn a_newer_schema_is_served_by_an_older_program(database: TestDatabase) {
        let database = database.database();
        newer().up(database).await.unwrap();

        for mode in [MigrateMode::Check, MigrateMode::Auto] {
            let state = older().prepare(database, mode, COMMAND).await.unwrap();
            assert_eq!(state, SchemaState::Newer { version: 2, known: 1 });
        }
        assert_eq!(states(&older(), database).await, [(1, MigrationState::Applied), (2, MigrationState::Unknown)]);
        assert!(problem(older().down(database, None).await).contains("use the newer program"));
    }

    async fn a_changed_migration_is_refused_by_its_version(database: TestDatabase) {
        let database = database.database();
        older().up(database).await.unwrap();
        let edited = Migrations::new("demo", vec![step(1, "0001_one", "CREATE TABLE one (n TEXT)", "DROP TABLE one")]);

        for mode in [MigrateMode::Check, MigrateMode::Auto] {
            assert!(problem(edited.prepare(database, mode, COMMAND).await).contains("migration 1 of demo was changed"));
        }
        assert!(problem(edited.up(database).await).contains("migration 1 of demo was changed"));
        assert_eq!(states(&edited, database).await, [(1, MigrationState::Changed)]);
    }

    async fn a_script_that_fails_leaves_nothing_behind(database: TestDatabase) {
        let database = database.database();
        let bad = step(2, "0002_bad", "CREATE TABLE half (n BIGINT); SELECT broken FROM nowhere", "DROP TABLE half");
        let broken = Migrations::new("demo", vec![first(), bad]);

        let failed = problem(broken.up(database).await);

        assert!(failed.contains("migration 2"), "{failed}");
        assert!(!has_table(database, "half").await);
        assert!(newer().up(database).await.is_ok(), "a corrected script does not run");
    }

    async fn of_many_that_start_at_once_one_migrates(database: TestDatabase) {
        assert_eq!(race(&database).await, [1, 2]);
        files().down(database.database(), None).await.unwrap();
        assert_eq!(race(&database).await, [2]);
    }

    async fn two_sets_share_a_database_without_mixing_up(database: TestDatabase) {
        let database = database.database();
        newer().up(database).await.unwrap();
        let others = Migrations::new("other", vec![step(1, "0001_it", "CREATE TABLE it (n BIGINT)", "DROP TABLE it")]);

        assert_eq!(others.up(database).await.unwrap(), [1]);
        let state = others.prepare(database, MigrateMode::Check, COMMAND).await.unwrap();
        assert_eq!(state, SchemaState::Current { version: 1 });
    }
}

#[tokio::test]
async fn a_table_that_others_refer_to_can_be_rebuilt_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    let database = database.database();
    files().up(database).await.unwrap();
    database
        .execute("INSERT INTO units VALUES ('m')", args![])
        .await
        .unwrap();
    database
        .execute("INSERT INTO readings VALUES (1, 'roof', 'm')", args![])
        .await
        .unwrap();
    let rebuild = "CREATE TABLE fresh (code TEXT PRIMARY KEY, name TEXT); INSERT INTO fresh (code) SELECT code FROM units; \
                   DROP TABLE units; ALTER TABLE fresh RENAME TO units";

    let rebuilt = Migrations::new("rebuilt", vec![step(1, "0001_rebuild", rebuild, "")])
        .up(database)
        .await;
    let emptied = Migrations::new("emptied", vec![step(1, "0001_empty", "DELETE FROM units", "")])
        .up(database)
        .await;

    assert_eq!(rebuilt.unwrap(), [1]);
    assert!(problem(emptied).contains("foreign key"), "a reading points nowhere");
}
