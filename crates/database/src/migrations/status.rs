use sqlx::migrate::{AppliedMigration, Migration as EngineMigration};

use crate::Error;

/// A migration and how the schema stands to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub version: i64,
    /// Its name, empty when this program does not know it.
    pub name: String,
    /// How the schema stands to it.
    pub state: MigrationState,
}

/// How a schema stands to a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// Its script was run.
    Applied,
    /// Its script was run, and is not the script that this program has.
    Changed,
    /// Its script was not run yet.
    Pending,
    /// It was run by a newer program; this one does not know it.
    Unknown,
}

impl MigrationState {
    pub(super) fn is_applied(self) -> bool {
        matches!(self, Self::Applied | Self::Changed)
    }
}

/// How a schema stands to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// It has what the program needs.
    Current {
        /// The latest migration, 0 when there is none.
        version: i64,
    },
    /// It lacks migrations.
    Older {
        /// The latest that it has, 0 when there is none.
        version: i64,
        /// The latest that the program has.
        wanted: i64,
    },
    /// It was older and has been brought up to date.
    Migrated {
        /// The latest migration before.
        from: i64,
        /// The latest migration now.
        to: i64,
    },
    /// It has migrations that the program does not know.
    Newer {
        /// The latest that it has.
        version: i64,
        /// The latest that the program has.
        known: i64,
    },
}

pub(super) fn compare(own: &[EngineMigration], applied: &[AppliedMigration]) -> Vec<MigrationStatus> {
    let state_of = |migration: &EngineMigration| match applied.iter().find(|one| one.version == migration.version) {
        None => MigrationState::Pending,
        Some(one) if one.checksum == migration.checksum => MigrationState::Applied,
        Some(_) => MigrationState::Changed,
    };
    let mut status: Vec<MigrationStatus> = own
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| MigrationStatus {
            version: migration.version,
            name: migration.description.clone().into_owned(),
            state: state_of(migration),
        })
        .collect();
    let unknown = applied
        .iter()
        .filter(|one| own.iter().all(|migration| migration.version != one.version));
    status.extend(unknown.map(|one| MigrationStatus {
        version: one.version,
        name: String::new(),
        state: MigrationState::Unknown,
    }));
    status.sort_by_key(|one| one.version);
    status
}

pub(super) fn judge(set: &str, status: &[MigrationStatus]) -> Result<SchemaState, Error> {
    if let Some(changed) = status.iter().find(|one| one.state == MigrationState::Changed) {
        return Err(was_changed(set, changed.version));
    }
    let highest = |wanted: fn(MigrationState) -> bool| {
        status
            .iter()
            .filter(|one| wanted(one.state))
            .map(|one| one.version)
            .max()
            .unwrap_or(0)
    };
    let version = highest(|state| state != MigrationState::Pending);
    let known = highest(|state| state != MigrationState::Unknown);
    Ok(match () {
        () if status.iter().any(|one| one.state == MigrationState::Pending) => {
            SchemaState::Older { version, wanted: known }
        }
        () if version > known => SchemaState::Newer { version, known },
        () => SchemaState::Current { version },
    })
}

fn schema(problem: String) -> Error {
    Error::Schema { problem }
}

pub(super) fn was_changed(set: &str, version: i64) -> Error {
    schema(format!(
        "migration {version} of {set} was changed after it had been applied; write a new one instead"
    ))
}

pub(super) fn too_old(set: &str, version: i64, wanted: i64, command: &str) -> Error {
    schema(format!(
        "the {set} schema is at version {version} and this program needs {wanted}; run `{command}`"
    ))
}

pub(super) fn made_by_newer(version: i64) -> Error {
    schema(format!(
        "the schema has migration {version}, which this program does not know; use the newer program"
    ))
}

pub(super) fn nothing_above(version: i64) -> Error {
    schema(format!("there is no migration above version {version} to take back"))
}
