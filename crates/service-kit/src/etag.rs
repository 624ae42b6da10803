//! Entity tags: what changes exactly when something stored changes (RFC 9110 section 8.8.3, AIP-154).

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// How many bytes of the hash a tag shows: enough that two states of one thing never share a tag by accident.
const SHOWN: usize = 16;

/// A tag over the parts of a stored thing, without quotes. Parts are told apart: `["a", "b"]` and `["ab"]` differ.
pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in parts {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(&hash.finish().as_ref()[..SHOWN])
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_tag_tells_parts_apart() {
        assert_eq!(of([b"a".as_slice(), b"b"]), of([b"a".as_slice(), b"b"]));
        assert_ne!(of([b"a".as_slice(), b"b"]), of([b"ab".as_slice()]));
        assert_ne!(of([b"a".as_slice(), b"b"]), of([b"b".as_slice(), b"a"]));
    }
}
