//! `google.api.HttpBody`: `string content_type = 1; bytes data = 2`.

use super::Parts;
use crate::{
    request::body::Media,
    wire::{self, put_bytes, put_tag},
};

/// Appends the content of an HttpBody.
pub(super) fn put(out: &mut Vec<u8>, parts: &Parts<'_>) {
    if let Media::Raw(content_type) = parts.media {
        put_tag(out, 1, wire::LENGTH);
        put_bytes(out, content_type.as_bytes());
    }
    put_tag(out, 2, wire::LENGTH);
    put_bytes(out, parts.body);
}
