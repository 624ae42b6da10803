//! JSON/HTTP to gRPC and back, from descriptors alone.
fn main() {}
