//! What the targets run: the bodies that the gateway's own tests run, too.

pub mod kit;

#[path = "../../gateway/tests/it/fuzz/mod.rs"]
pub mod bodies;
