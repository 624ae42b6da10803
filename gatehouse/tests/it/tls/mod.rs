//! TLS on every listener and on every way between them.

mod files;
mod house;
mod mutual;
mod versions;
