//! What the targets run: the bodies that the gateway's own tests run, too.

/// The types that the bodies work on.
pub mod kit {
    #[path = "../../../gateway/tests/it/kit/schema.rs"]
    mod schema;

    pub use schema::POOL;
}

#[path = "../../gateway/tests/it/fuzz/mod.rs"]
pub mod bodies;
