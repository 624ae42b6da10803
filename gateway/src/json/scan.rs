//! Looks for the bytes that end a run of plain text in a JSON string, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many bytes come before the first quote, backslash or control character.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + (special.trailing_zeros() / 8) as usize;
        }
    }
    let done = bytes.len() - tail.len();
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\') || *byte < 0x20;
    done + tail.iter().position(is_special).unwrap_or(tail.len())
}

/// Sets the high bit of each byte that is special. Bits above the first one set may be wrong, as a borrow runs upward;
/// only the lowest is used.
#[inline]
fn specials(word: u64) -> u64 {
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zeros(word ^ (ONES * 0x22));
    let backslashes = zeros(word ^ (ONES * 0x5c));
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::plain_length;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_is() {
        let slow = |bytes: &[u8]| {
            let is_special = |byte: &u8| matches!(byte, b'"' | b'\\') || *byte < 0x20;
            bytes.iter().position(is_special).unwrap_or(bytes.len())
        };
        for length in 0..40 {
            for at in 0..length {
                for byte in 0..=255_u8 {
                    let mut bytes = vec![b' '; length];
                    bytes[at] = byte;
                    bytes[length - 1] = b'!';
                    assert_eq!(plain_length(&bytes), slow(&bytes), "{bytes:?}");
                }
            }
        }
    }
}
