//! The types that the bodies work on.

#[path = "../../gateway/tests/it/kit/schema.rs"]
mod schema;

pub use schema::{POOL, pool};
