//! The whole house in one process, and one binary with every role.
fn main() {}
