//! Signing keys: making, sealing, using, rotating and retiring them.

mod manage;
mod ring;
mod seal;

pub use manage::{KeyError, KeyReport, OVERLAP, first_start, list, recover, retire, rotate};
pub use ring::KeyRing;
pub use seal::{SealError, Sealer};
