//! Accounts, passwords, tokens, revocation, signing keys.
//!
//! | to see | open |
//! |---|---|
//! | what an address and a password are | [`domain`] |
//! | how passwords are hashed without letting anybody use that up | [`passwords`] |
//! | how guessing is slowed down | `throttle` |
//! | how everything is kept | [`store`] and `migrations/auth` |
//! | how revocations get their numbers | [`store::Change`] |
//! | how this replica knows what is revoked, and tells others | [`trust`] |
//! | how keys are sealed, rotated and retired | [`keys`] |
//! | how calls are answered | `service` |
//! | how refusals look | [`Error`] |
//! | how it all comes together | [`build`] |

pub mod audit;
mod cli;
mod commands;
mod config;
pub mod domain;
mod error;
mod janitor;
mod journal;
pub mod keys;
mod metrics;
pub mod passwords;
mod server;
mod service;
mod settings;
pub mod store;
mod throttle;
mod time;
mod tokens;
pub mod trust;

pub use cli::Cli;
pub use config::{AuthArgs, Config, Registration};
pub use error::Error;
pub use server::{FirstAdministrator, Server, build};
pub use service_kit::process::StartError;
