//! The widget service: a generic resource behind gRPC, and the folder to copy for one's own.
//!
//! | to see | open |
//! |---|---|
//! | what a widget is | [`domain`] |
//! | how it is kept | [`store`] and `migrations/widget` |
//! | how calls are answered | `api` |
//! | how refusals look | [`Error`] |
//! | how it all comes together | [`build`] |
//!
//! `docs/your-own-service.md` leads through making another service of it.

mod api;
mod auth;
mod cli;
mod config;
pub mod domain;
mod error;
mod metrics;
mod owners;
mod server;
pub mod store;

pub use cli::Cli;
pub use config::{Config, WidgetArgs};
pub use error::Error;
pub use server::{Server, build, build_with_trust};

/// The schema of the service's database, by versions.
pub fn migrations() -> database::Migrations {
    database::migrations!("widget", ["0001_widgets"])
}
