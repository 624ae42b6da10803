//! JSON/HTTP to gRPC and back, from descriptors alone.

pub mod docs;
pub mod fault;
pub mod openapi;
pub mod options;
pub mod page;
pub mod route;
pub mod template;
