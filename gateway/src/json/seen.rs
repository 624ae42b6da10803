//! What of an object was given before.

use std::collections::HashSet;

use crate::plan::FieldPlan;

/// Which fields of a message were given.
#[derive(Default)]
pub(super) struct Seen {
    low: u128,
    high: Vec<u16>,
    oneofs: Vec<(u16, u16)>,
}

impl Seen {
    /// `false` when the field was there before.
    pub(super) fn insert(&mut self, index: u16) -> bool {
        if index < 128 {
            let bit = 1_u128 << index;
            let fresh = self.low & bit == 0;
            self.low |= bit;
            return fresh;
        }
        let fresh = !self.high.contains(&index);
        self.high.push(index);
        fresh
    }

    /// `false` when another member of the field's oneof was there before.
    pub(super) fn claim_oneof(&mut self, field: &FieldPlan, index: u16) -> bool {
        let Some(oneof) = field.oneof else {
            return true;
        };
        match self.oneofs.iter().find(|(known, _)| *known == oneof) {
            Some((_, member)) => *member == index,
            None => {
                self.oneofs.push((oneof, index));
                true
            }
        }
    }
}

/// The keys of a map so far: a few are searched through, many are hashed.
#[derive(Default)]
pub(super) struct Keys {
    few: Vec<Vec<u8>>,
    many: HashSet<Vec<u8>>,
}

impl Keys {
    /// `false` when the key was there before.
    pub(super) fn insert(&mut self, key: &[u8]) -> bool {
        if self.many.is_empty() && self.few.len() < 8 {
            let fresh = !self.few.iter().any(|known| known == key);
            self.few.push(key.to_vec());
            return fresh;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(key.to_vec())
    }
}
