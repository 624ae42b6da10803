use std::hash::{Hash, Hasher};

/// Odd, with its bits well spread.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// 128 bits that stand for a state. The standard hasher has 64, of which a million states would use up too many.
pub fn fingerprint(state: &impl Hash) -> u128 {
    let mut hasher = Fingerprint(SPREAD);
    state.hash(&mut hasher);
    hasher.0
}

struct Fingerprint(u128);

impl Fingerprint {
    /// No two values of what came before lead to the same one here, nor do two words.
    fn mix(&mut self, word: u64) {
        let mixed = (self.0 ^ u128::from(word)).wrapping_mul(SPREAD);
        self.0 = mixed ^ (mixed >> 64);
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.mix(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}
