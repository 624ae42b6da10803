//! Messages between JSON and wire format, without HTTP around them: for tools, tests and measurements.

use prost_reflect::DescriptorPool;

use crate::{
    bound::Bound,
    json::{decode::Decoder, encode::Encoder},
    plan::{MessageId, Plans},
    violation::Violations,
    wire::Invalid,
};

/// Moves messages of a descriptor pool between JSON and wire format.
#[derive(Debug)]
pub struct Transcoder {
    plans: Plans,
}

/// JSON that is not the message it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not JSON, or nests deeper than 64 levels.
    #[error("{0}")]
    Malformed(String),
    /// Some fields do not fit.
    #[error("some fields are not valid")]
    Fields(Violations),
}

impl Transcoder {
    /// Compiles the types of a pool.
    pub fn new(pool: &DescriptorPool) -> Self {
        Self {
            plans: Plans::compile(pool),
        }
    }

    /// A message type by its full name.
    pub fn find(&self, name: &str) -> Option<MessageId> {
        self.plans.find(name)
    }

    /// Reads ProtoJSON.
    ///
    /// # Errors
    /// When the text is not JSON, or not a message of this type; then every field that does not fit is named.
    pub fn to_wire(&self, id: MessageId, json: &str) -> Result<Vec<u8>, Refused> {
        let mut decoder = Decoder::new(&self.plans, json);
        match decoder.whole(id, Bound::NONE) {
            Err(malformed) => Err(Refused::Malformed(malformed.problem.to_owned())),
            Ok(()) if decoder.violations.is_empty() => Ok(decoder.out),
            Ok(()) => Err(Refused::Fields(decoder.violations)),
        }
    }

    /// Writes ProtoJSON with proto field names.
    ///
    /// # Errors
    /// When the bytes are not a message of this type.
    pub fn to_json(&self, id: MessageId, wire: &[u8]) -> Result<Vec<u8>, Invalid> {
        let mut encoder = Encoder::new(&self.plans, wire.len());
        encoder.message(id, wire)?;
        Ok(encoder.out)
    }
}
