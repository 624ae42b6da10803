//! Single values out of a message in wire format, without reading the rest.

use crate::{
    plan::{MessageId, Plans, Shape, Type},
    wire::{Invalid, LENGTH, Raw, Reader},
};

/// A field path as numbers, checked at start to end in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextPath(Vec<u32>);

impl TextPath {
    /// The path to a singular string field of a message.
    pub(crate) fn to_string_field(plans: &Plans, message: MessageId, names: &[&str]) -> Option<Self> {
        let mut numbers = Vec::new();
        let mut message = Some(message);
        for (depth, name) in names.iter().enumerate() {
            let (_, field) = plans.message(message?).named(name)?;
            let is_last = depth + 1 == names.len();
            if field.shape != Shape::Single || (is_last && field.ty != Type::String) {
                return None;
            }
            numbers.push(field.number);
            message = match field.ty {
                // A group has no length to be put behind.
                Type::Group(_) => None,
                ty => plans.plain_message(ty),
            };
        }
        Some(Self(numbers))
    }

    /// The numbers of the fields, outermost first.
    pub(crate) fn numbers(&self) -> &[u32] {
        &self.0
    }

    /// The text, if the field is there: of several occurrences the last.
    pub(crate) fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<&'a str>, Invalid> {
        let found = last(bytes, &self.0)?;
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Invalid("a string is not UTF-8"));
        found.map(text).transpose()
    }
}

fn last<'a>(bytes: &'a [u8], numbers: &[u32]) -> Result<Option<&'a [u8]>, Invalid> {
    let Some((wanted, rest)) = numbers.split_first() else {
        return Ok(Some(bytes));
    };
    let mut found = None;
    let mut reader = Reader::new(bytes);
    while !reader.is_done() {
        let (number, wire_type) = reader.tag()?;
        let raw = reader.value(number, wire_type)?;
        if number == *wanted
            && wire_type == LENGTH
            && let Raw::Bytes(inner) = raw
        {
            found = last(inner, rest)?.or(found);
        }
    }
    Ok(found)
}

/// Whether a boolean field of the outermost message is there and true.
pub(crate) fn is_true(bytes: &[u8], wanted: u32) -> bool {
    let mut reader = Reader::new(bytes);
    let mut value = false;
    while !reader.is_done() {
        let field = reader
            .tag()
            .and_then(|(number, wire_type)| Ok((number, reader.value(number, wire_type)?)));
        match field {
            Ok((number, Raw::Number(bit))) if number == wanted => value = bit != 0,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    value
}

/// Whether a field of the outermost message is there with any content.
pub(crate) fn is_set(bytes: &[u8], wanted: u32) -> bool {
    last(bytes, &[wanted]).is_ok_and(|found| found.is_some_and(|content| !content.is_empty()))
}
