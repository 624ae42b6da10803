use std::time::Duration;

use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration as EngineMigration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr as _};

use super::{Migrations, status};
use crate::database::Engine;
use crate::{Database, Error};

/// How long a script waits for a lock on PostgreSQL. While it waits, everybody else queues up behind it.
const LOCK_WAIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
enum Way {
    Up,
    /// To this version.
    Down(i64),
}

/// The versions that this call applied.
pub(super) async fn up(migrations: &Migrations, database: &Database) -> Result<Vec<i64>, Error> {
    go(migrations, database, Way::Up).await
}

/// The versions that this call took back.
pub(super) async fn down(migrations: &Migrations, database: &Database, to: i64) -> Result<Vec<i64>, Error> {
    go(migrations, database, Way::Down(to)).await
}

/// Each migration twice, up and down, as the engine's own scripts.
pub(super) fn resolved(migrations: &Migrations, database: &Database) -> Vec<EngineMigration> {
    let both_ways = migrations.list.iter().flat_map(|migration| {
        let scripts = match &database.engine {
            Engine::Sqlite(_) => &migration.sqlite,
            Engine::Postgres(_) => &migration.postgres,
        };
        [
            (MigrationType::ReversibleUp, scripts.up),
            (MigrationType::ReversibleDown, scripts.down),
        ]
        .map(|(way, sql)| {
            let unwrapped = sql.starts_with("-- no-transaction");
            EngineMigration::new(
                migration.version,
                migration.name.into(),
                way,
                sql.into_sql_str(),
                unwrapped,
            )
        })
    });
    both_ways.collect()
}

/// What the schema has had applied, by version.
pub(super) async fn applied(migrations: &Migrations, database: &Database) -> Result<Vec<AppliedMigration>, Error> {
    let table = table(migrations);
    let exists = match &database.engine {
        Engine::Sqlite(_) => "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1) AS found",
        Engine::Postgres(_) => "SELECT to_regclass($1) IS NOT NULL AS found",
    };
    if !database
        .fetch_one(exists, crate::args![&table])
        .await?
        .get::<bool>("found")?
    {
        return Ok(Vec::new());
    }
    let rows = database
        .fetch_all(
            format!("SELECT version, checksum FROM {table} ORDER BY version"),
            vec![],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(AppliedMigration {
                version: row.get("version")?,
                checksum: row.get::<Vec<u8>>("checksum")?.into(),
            })
        })
        .collect()
}

/// Two services that share a PostgreSQL database keep their records apart.
fn table(migrations: &Migrations) -> String {
    format!("{}_migrations", migrations.set)
}

fn migrator(migrations: &Migrations, database: &Database) -> Migrator {
    let mut migrator = Migrator::with_migrations(resolved(migrations, database));
    migrator.dangerous_set_table_name(table(migrations));
    migrator.set_ignore_missing(true).set_locking(false);
    migrator
}

async fn go(migrations: &Migrations, database: &Database, way: Way) -> Result<Vec<i64>, Error> {
    let migrator = migrator(migrations, database);
    let outcome = match &database.engine {
        Engine::Sqlite(sqlite) => match sqlite.open_for_migrations().await {
            Ok(connection) => on_sqlite(connection, &migrator, way).await,
            Err(error) => return Err(Error::unavailable(error)),
        },
        Engine::Postgres(postgres) => match postgres.open_for_migrations().await {
            Ok(connection) => on_postgres(connection, &migrator, way).await,
            Err(error) => return Err(Error::unavailable(error)),
        },
    };
    outcome.map_err(|error| explain(migrations.set, error))
}

/// The whole run is one transaction that holds the write lock from its start, so a second process finds it done.
async fn on_sqlite(mut connection: SqliteConnection, migrator: &Migrator, way: Way) -> Result<Vec<i64>, MigrateError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let versions = run(&mut *transaction, migrator, way).await?;
    let dangling = sqlx::query("PRAGMA foreign_key_check")
        .fetch_optional(&mut *transaction)
        .await?;
    if dangling.is_some() {
        return Err(MigrateError::Source("a foreign key would point nowhere".into()));
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(versions)
}

/// The advisory lock is waited for without a limit; it ends with the connection, whatever happens before.
async fn on_postgres(mut connection: PgConnection, migrator: &Migrator, way: Way) -> Result<Vec<i64>, MigrateError> {
    connection
        .execute("SET lock_timeout = 0; SET statement_timeout = 0")
        .await?;
    connection.lock().await?;
    let lock_wait = format!("SET lock_timeout = {}", LOCK_WAIT.as_millis());
    connection.execute(AssertSqlSafe(lock_wait)).await?;
    let versions = run(&mut connection, migrator, way).await?;
    connection.close().await?;
    Ok(versions)
}

/// Runs under the lock, so the difference that it returns is its own doing.
async fn run<C: Migrate>(connection: &mut C, migrator: &Migrator, way: Way) -> Result<Vec<i64>, MigrateError> {
    connection.ensure_migrations_table(&migrator.table_name).await?;
    let before = versions(connection, migrator).await?;
    match way {
        Way::Up => migrator.run_direct(None, connection, false).await?,
        Way::Down(to) => undo(connection, migrator, &before, to).await?,
    }
    let after = versions(connection, migrator).await?;
    Ok(match way {
        Way::Up => after.into_iter().filter(|version| !before.contains(version)).collect(),
        Way::Down(_) => before
            .into_iter()
            .rev()
            .filter(|version| !after.contains(version))
            .collect(),
    })
}

async fn versions<C: Migrate>(connection: &mut C, migrator: &Migrator) -> Result<Vec<i64>, MigrateError> {
    let applied = connection.list_applied_migrations(&migrator.table_name).await?;
    Ok(applied.into_iter().map(|one| one.version).collect())
}

async fn undo<C>(connection: &mut C, migrator: &Migrator, applied: &[i64], to: i64) -> Result<(), MigrateError>
where
    C: Migrate,
{
    let goes = |one: &&EngineMigration| {
        one.migration_type.is_down_migration() && one.version > to && applied.contains(&one.version)
    };
    for migration in migrator.iter().rev().filter(goes) {
        connection.revert(&migrator.table_name, migration).await?;
    }
    Ok(())
}

fn explain(set: &str, error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMismatch(version) => status::was_changed(set, version),
        MigrateError::Execute(error) => Error::unavailable(error),
        other => Error::Schema {
            problem: format!("the {set} schema could not be migrated: {other}"),
        },
    }
}
