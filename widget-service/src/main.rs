//! The resource: the folder that others copy.
fn main() {}
