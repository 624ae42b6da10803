//! This replica's own view of what is revoked, and answering others from it.

mod log;
mod source;

pub(crate) use log::RevocationLog;
pub(crate) use source::DatabaseSource;
