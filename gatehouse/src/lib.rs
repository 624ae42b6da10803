//! The whole house in one process, and one binary with every role.

mod cli;
mod health;
mod house;

pub use cli::Cli;
pub use house::{House, HouseArgs};
