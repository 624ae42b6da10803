//! The bodies of the fuzz targets: each takes any bytes and panics where a rule is broken. The folder `fuzz` beside the
//! workspace runs them with coverage as a guide; [`bounded`](super::bounded) runs them on generated input.

mod json_to_wire;
mod paths;
pub mod reference;
mod wire_to_json;

use std::sync::LazyLock;

use gateway::{plan::MessageId, transcode::Transcoder};
use prost_reflect::MessageDescriptor;

pub use self::{json_to_wire::json_to_wire, paths::paths, wire_to_json::wire_to_json};
use crate::kit::POOL;

/// Over the types of `echo.proto`.
pub static TRANSCODER: LazyLock<Transcoder> = LazyLock::new(|| Transcoder::new(&POOL));

/// The message types that a target's first byte chooses from.
const TYPES: [&str; 9] = [
    "echo.v1.Everything",
    "echo.v1.Envelope",
    "google.protobuf.Value",
    "google.protobuf.Struct",
    "google.protobuf.ListValue",
    "google.protobuf.Any",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
];

/// The type that the first byte chooses, and the rest.
fn typed(data: &[u8]) -> Option<(MessageDescriptor, MessageId, &[u8])> {
    let (choice, rest) = data.split_first()?;
    let name = TYPES[usize::from(*choice) % TYPES.len()];
    Some((POOL.get_message_by_name(name)?, TRANSCODER.find(name)?, rest))
}

/// How many levels of brackets a text has at most, those in strings included.
fn levels(text: &[u8]) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for byte in text {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}
