//! This replica's own view of what is revoked, and answering others from it.

mod history;
mod known;
mod log;
mod source;

pub use history::History;
pub use known::Known;
pub(crate) use log::RevocationLog;
pub(crate) use source::DatabaseSource;
