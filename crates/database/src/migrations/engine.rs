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

pub(super) async fn up(migrations: &Migrations, database: &Database) -> Result<(), Error> {
    go(migrations, database, Way::Up).await
}

pub(super) async fn down(migrations: &Migrations, database: &Database, to: i64) -> Result<(), Error> {
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

async fn go(migrations: &Migrations, database: &Database, way: Way) -> Result<(), Error> {
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
async fn on_sqlite(mut connection: SqliteConnection, migrator: &Migrator, way: Way) -> Result<(), MigrateError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    run(&mut *transaction, migrator, way).await?;
    let dangling = sqlx::query("PRAGMA foreign_key_check")
        .fetch_optional(&mut *transaction)
        .await?;
    if dangling.is_some() {
        return Err(MigrateError::Source("a foreign key would point nowhere".into()));
    }
    transaction.commit().await?;
    Ok(connection.close().await?)
}

/// The advisory lock is waited for without a limit; it ends with the connection, whatever happens before.
async fn on_postgres(mut connection: PgConnection, migrator: &Migrator, way: Way) -> Result<(), MigrateError> {
    connection
        .execute("SET lock_timeout = 0; SET statement_timeout = 0")
        .await?;
    connection.lock().await?;
    let lock_wait = format!("SET lock_timeout = {}", LOCK_WAIT.as_millis());
    connection.execute(AssertSqlSafe(lock_wait)).await?;
    run(&mut connection, migrator, way).await?;
    Ok(connection.close().await?)
}

async fn run<C>(connection: &mut C, migrator: &Migrator, way: Way) -> Result<(), MigrateError>
where
    C: Migrate,
{
    match way {
        Way::Up => migrator.run_direct(None, connection, false).await,
        Way::Down(to) => undo(connection, migrator, to).await,
    }
}

async fn undo<C: Migrate>(connection: &mut C, migrator: &Migrator, to: i64) -> Result<(), MigrateError> {
    let applied = connection.list_applied_migrations(&migrator.table_name).await?;
    let wanted = |migration: &&EngineMigration| {
        migration.migration_type.is_down_migration()
            && migration.version > to
            && applied.iter().any(|one| one.version == migration.version)
    };
    for migration in migrator.iter().rev().filter(wanted) {
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
