//! JSON/HTTP to gRPC and back, from descriptors alone.

mod app;
mod bound;
pub mod cli;
pub mod config;
pub mod cors;
pub mod docs;
mod endpoint;
pub mod fault;
mod handler;
mod json;
mod lookup;
pub mod matching;
mod number;
pub mod openapi;
pub mod options;
pub mod page;
mod percent;
pub mod plan;
mod problem;
mod request;
mod response;
pub mod route;
mod server;
pub mod template;
mod time;
pub mod transcode;
mod upstream;
mod value;
pub mod violation;
pub mod wire;

pub use cli::Cli;
pub use config::{Config, GatewayArgs, Upstreams};
pub use server::{Server, build, routes};
pub use upstream::{Resolver, SystemResolver};
