//! Percent encoding (RFC 3986), strictly.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What needs no encoding in one path segment or one query value.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Decodes once. `None` for an escape that is none and for what is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    decode_but(text, |_| false).map(Cow::Owned)
}

/// Decodes everything but `%2F`, which stays as it came.
pub(crate) fn decode_but_slashes(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    decode_but(text, |byte| byte == b'/').map(Cow::Owned)
}

/// Decodes a query's key or value, where `+` is a space.
pub(crate) fn decode_query(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        return decode_but(&text.replace('+', " "), |_| false).map(Cow::Owned);
    }
    decode(text)
}

fn decode_but(text: &str, keep: impl Fn(u8) -> bool) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte != b'%' {
            decoded.push(*byte);
            at += 1;
            continue;
        }
        let escape = bytes.get(at..at + 3)?;
        let value = hex(*escape.get(1)?)? * 16 + hex(*escape.get(2)?)?;
        if keep(value) {
            decoded.extend_from_slice(escape);
        } else {
            decoded.push(value);
        }
        at += 3;
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Encodes a path segment or a query value.
pub(crate) fn encode(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, UNRESERVED)
}
