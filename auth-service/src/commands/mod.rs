//! What operators do by the command line.

mod accounts;
mod keys;
mod migrate;
mod password;

pub(crate) use accounts::{create_admin, ensure_administrator, first_administrator, set_password};
pub(crate) use keys::{Keys, keys, keys_refused, recover};
pub(crate) use migrate::{Migrate, migrate};

use service_kit::process::StartError;

/// The store failed a command.
fn failed(error: database::Error) -> StartError {
    StartError::failed("using the database", error)
}
