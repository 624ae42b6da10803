//! Maps and well-known types on their way into JSON.

use std::collections::HashMap;

use super::{
    encode::{Encoder, Printed},
    free, writer,
};
use crate::{
    plan::{Type, WellKnown},
    time::{self, Moment},
    wire::{FIXED64, Invalid, LENGTH, Raw, Reader, VARINT},
};

const ANOTHER_TYPE: Invalid = Invalid("a field of a well-known message has another wire type than its type");

/// An entry of a map.
pub(super) struct Entry<'a> {
    pub(super) key: Raw<'a>,
    pub(super) value: Option<Raw<'a>>,
    /// A message value that was there in several parts.
    pub(super) merged: Option<Vec<u8>>,
}

impl<'a> Entry<'a> {
    /// Takes a message value, or one more part of it.
    fn add(&mut self, value: Raw<'a>) {
        if let (Some(Raw::Bytes(before)), Raw::Bytes(part)) = (self.value, value) {
            self.merged
                .get_or_insert_with(|| before.to_vec())
                .extend_from_slice(part);
        }
        self.value = Some(value);
    }
}

/// Takes a map entry apart: key 1, value 2, the last of each counts.
pub(super) fn entry(bytes: &[u8], key_type: Type, value_type: Type) -> Result<Entry<'_>, Invalid> {
    let absent = if key_type == Type::String {
        Raw::Bytes(&[])
    } else {
        Raw::Number(0)
    };
    let mut entry = Entry {
        key: absent,
        value: None,
        merged: None,
    };
    for field in fields(bytes) {
        let (number, wire_type, raw) = field?;
        match number {
            1 if wire_type == key_type.wire_type() => entry.key = raw,
            2 if wire_type == value_type.wire_type() => {
                if matches!(value_type, Type::Message(_)) {
                    entry.add(raw);
                } else {
                    entry.value = Some(raw);
                }
            }
            1 | 2 => return Err(Invalid("a map entry has another wire type than its type")),
            _ => {}
        }
    }
    Ok(entry)
}

/// Of several entries with one key the last one counts.
pub(super) fn keep_last(entries: &mut Vec<Entry<'_>>) {
    if entries.len() < 2 {
        return;
    }
    let id = |key: &Raw<'_>| match key {
        Raw::Number(number) => number.to_le_bytes().to_vec(),
        Raw::Bytes(bytes) => bytes.to_vec(),
    };
    let last: HashMap<Vec<u8>, usize> = entries
        .iter()
        .enumerate()
        .map(|(at, entry)| (id(&entry.key), at))
        .collect();
    if last.len() == entries.len() {
        return;
    }
    let mut at = 0;
    entries.retain(|entry| {
        at += 1;
        last.get(&id(&entry.key)) == Some(&(at - 1))
    });
}

/// The fields of a message one after another: number, wire type, value.
fn fields(bytes: &[u8]) -> impl Iterator<Item = Result<(u32, u8, Raw<'_>), Invalid>> {
    let mut reader = Reader::new(bytes);
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed || reader.is_done() {
            return None;
        }
        let next = reader
            .tag()
            .and_then(|(number, wire_type)| Ok((number, wire_type, reader.value(number, wire_type)?)));
        failed = next.is_err();
        Some(next)
    })
}

impl Encoder<'_> {
    /// Prints a well-known message in its own form.
    pub(super) fn well_known(&mut self, kind: WellKnown, bytes: &[u8]) -> Printed {
        match kind {
            WellKnown::Timestamp => self.moment(bytes, time::print_timestamp),
            WellKnown::Duration => self.moment(bytes, time::print_duration),
            WellKnown::FieldMask => self.mask(bytes),
            WellKnown::Wrapper(inner) => self.wrapper(inner, bytes),
            WellKnown::Struct => self.free_struct(bytes),
            WellKnown::ListValue => self.free_list(bytes),
            WellKnown::Value => self.free_value(bytes),
            WellKnown::Any => self.any(bytes),
        }
    }

    fn moment(&mut self, bytes: &[u8], print: fn(&mut Vec<u8>, Moment) -> bool) -> Printed {
        let mut moment = Moment { seconds: 0, nanos: 0 };
        for field in fields(bytes) {
            match field? {
                (1, VARINT, Raw::Number(number)) => moment.seconds = number as i64,
                (2, VARINT, Raw::Number(number)) => moment.nanos = number as i32,
                (1 | 2, ..) => return Err(ANOTHER_TYPE),
                _ => {}
            }
        }
        self.out.push(b'"');
        if !print(&mut self.out, moment) {
            return Err(Invalid("a time is out of range"));
        }
        self.out.push(b'"');
        Ok(())
    }

    fn mask(&mut self, bytes: &[u8]) -> Printed {
        let mut text = String::new();
        for field in fields(bytes) {
            let path = match field? {
                (1, LENGTH, Raw::Bytes(path)) => path,
                (1, ..) => return Err(ANOTHER_TYPE),
                _ => continue,
            };
            let path = std::str::from_utf8(path).map_err(|_| Invalid("a string is not UTF-8"))?;
            if !text.is_empty() {
                text.push(',');
            }
            push_path(&mut text, path);
        }
        writer::string(&mut self.out, &text);
        Ok(())
    }

    fn wrapper(&mut self, inner: Type, bytes: &[u8]) -> Printed {
        let textual = matches!(inner, Type::String | Type::Bytes);
        let mut value = if textual { Raw::Bytes(&[]) } else { Raw::Number(0) };
        for field in fields(bytes) {
            match field? {
                (1, wire_type, raw) if wire_type == inner.wire_type() => value = raw,
                (1, ..) => return Err(ANOTHER_TYPE),
                _ => {}
            }
        }
        self.value(inner, value)
    }

    fn free_struct(&mut self, bytes: &[u8]) -> Printed {
        let mut entries = Vec::new();
        for field in fields(bytes) {
            match field? {
                (1, LENGTH, Raw::Bytes(bytes)) => entries.push(free_entry(bytes)?),
                (1, ..) => return Err(ANOTHER_TYPE),
                _ => {}
            }
        }
        keep_last(&mut entries);
        self.out.push(b'{');
        for entry in entries {
            if self.out.last() != Some(&b'{') {
                self.out.push(b',');
            }
            self.value(Type::String, entry.key)?;
            self.out.push(b':');
            match (&entry.merged, entry.value) {
                (Some(merged), _) => self.nested(WellKnown::Value, merged)?,
                (None, Some(Raw::Bytes(value))) => self.nested(WellKnown::Value, value)?,
                _ => return Err(Invalid("an entry of a Struct has no value")),
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn free_list(&mut self, bytes: &[u8]) -> Printed {
        self.out.push(b'[');
        for field in fields(bytes) {
            match field? {
                (1, LENGTH, Raw::Bytes(value)) => {
                    if self.out.last() != Some(&b'[') {
                        self.out.push(b',');
                    }
                    self.nested(WellKnown::Value, value)?;
                }
                (1, ..) => return Err(ANOTHER_TYPE),
                _ => {}
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// Prints the kind that came last; a Value without a kind is not valid.
    fn free_value(&mut self, bytes: &[u8]) -> Printed {
        let (mut last, mut merged) = (None, Vec::new());
        for field in fields(bytes) {
            let (number, wire_type, raw) = field?;
            match number {
                free::NULL | free::BOOL if wire_type == VARINT => {}
                free::NUMBER if wire_type == FIXED64 => {}
                free::STRING | free::STRUCT | free::LIST if wire_type == LENGTH => {}
                free::NULL..=free::LIST => return Err(ANOTHER_TYPE),
                _ => continue,
            }
            // A message that is there in several parts is the parts one after another.
            merged = match (last, raw) {
                (Some((before, Raw::Bytes(first))), Raw::Bytes(part)) if before == number && number != free::STRING => {
                    let begun = if merged.is_empty() { first.to_vec() } else { merged };
                    [&begun, part].concat()
                }
                _ => Vec::new(),
            };
            last = Some((number, raw));
        }
        if let (Some((number, Raw::Bytes(_))), false) = (last, merged.is_empty()) {
            last = Some((number, Raw::Bytes(&merged)));
        }
        match last {
            Some((free::NULL, Raw::Number(_))) => self.out.extend_from_slice(b"null"),
            Some((free::NUMBER, Raw::Number(bits))) if f64::from_bits(bits).is_finite() => {
                writer::double(&mut self.out, f64::from_bits(bits));
            }
            Some((free::BOOL, raw)) => self.value(Type::Bool, raw)?,
            Some((free::STRING, raw)) => self.value(Type::String, raw)?,
            Some((free::STRUCT, Raw::Bytes(inner))) => self.nested(WellKnown::Struct, inner)?,
            Some((free::LIST, Raw::Bytes(inner))) => self.nested(WellKnown::ListValue, inner)?,
            _ => return Err(Invalid("a Value has no kind that JSON can hold")),
        }
        Ok(())
    }

    fn any(&mut self, bytes: &[u8]) -> Printed {
        let (mut url, mut value): (&[u8], &[u8]) = (&[], &[]);
        for field in fields(bytes) {
            match field? {
                (1, LENGTH, Raw::Bytes(bytes)) => url = bytes,
                (2, LENGTH, Raw::Bytes(bytes)) => value = bytes,
                (1 | 2, ..) => return Err(ANOTHER_TYPE),
                _ => {}
            }
        }
        if url.is_empty() && value.is_empty() {
            self.out.extend_from_slice(b"{}");
            return Ok(());
        }
        let url = std::str::from_utf8(url).map_err(|_| Invalid("a string is not UTF-8"))?;
        let id = url.rsplit_once('/').and_then(|(_, name)| self.plans.find(name));
        let id = id.ok_or(Invalid("an Any has an unknown type"))?;
        self.out.extend_from_slice(b"{\"@type\":");
        writer::string(&mut self.out, url);
        let plans = self.plans;
        if plans.message(id).well_known.is_some() {
            self.out.extend_from_slice(b",\"value\":");
            self.message(id, value)?;
        } else {
            self.deeper(|encoder| encoder.members(plans.message(id), value))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn nested(&mut self, kind: WellKnown, bytes: &[u8]) -> Printed {
        self.deeper(|encoder| encoder.well_known(kind, bytes))
    }
}

/// An entry of a Struct: `string key = 1; Value value = 2`.
fn free_entry(bytes: &[u8]) -> Result<Entry<'_>, Invalid> {
    let mut entry = Entry {
        key: Raw::Bytes(&[]),
        value: None,
        merged: None,
    };
    for field in fields(bytes) {
        match field? {
            (1, LENGTH, key) => entry.key = key,
            (2, LENGTH, value) => entry.add(value),
            (1 | 2, ..) => return Err(ANOTHER_TYPE),
            _ => {}
        }
    }
    Ok(entry)
}

/// Appends a mask's path, each name in camel case or, where reading that would give another name, as it is.
fn push_path(text: &mut String, path: &str) {
    for name in path.split_inclusive(['.', ',']) {
        let lasts = |pair: &[u8]| pair[0] != b'_' || pair[1].is_ascii_lowercase();
        match name.as_bytes().windows(2).all(lasts) && !name.ends_with('_') {
            true => push_camel(text, name),
            false => text.push_str(name),
        }
    }
}

fn push_camel(text: &mut String, name: &str) {
    let mut raise = false;
    for character in name.chars() {
        match character {
            '_' => raise = true,
            _ if raise => {
                text.push(character.to_ascii_uppercase());
                raise = false;
            }
            _ => text.push(character),
        }
    }
}
