//! The contract: generated messages, clients, servers and the descriptor set. No logic.
//!
//! The `.proto` files beside this crate's manifest are the source of every name and comment here.

/// The auth service and what other services ask it.
pub mod auth {
    /// Package `auth.v1`.
    #[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
    pub mod v1 {
        tonic::include_proto!("auth.v1");
    }
}

/// The widget service.
pub mod widget {
    /// Package `widget.v1`.
    #[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
    pub mod v1 {
        tonic::include_proto!("widget.v1");
    }
}

/// Gatehouse's own method options.
pub mod options {
    /// Package `gatehouse.options.v1`.
    #[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
    pub mod v1 {
        tonic::include_proto!("gatehouse.options.v1");
    }
}

/// Every file of the contract and all that it imports, as an encoded `google.protobuf.FileDescriptorSet` with source
/// comments and with the option extensions intact.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
