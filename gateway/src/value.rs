//! Single values, from a path, a query or JSON, onto the wire.

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::{
    number,
    plan::{Plans, Type, WellKnown},
    time::{self, Moment},
    wire::{self, begin_length, end_length, put_bytes, put_tag, put_varint},
};

/// A single value as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    /// Text without quotes: of a path, a query, a form or a map's key.
    Text(&'a str),
    /// A JSON string.
    String(&'a str),
    /// A JSON number.
    Number(&'a str),
    /// `true` or `false` of JSON.
    Bool(bool),
}

impl<'a> Input<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::String(text) => Some(text),
            _ => None,
        }
    }

    fn numeric(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::String(text) | Self::Number(text) => Some(text),
            Self::Bool(_) => None,
        }
    }
}

/// Appends the value without its tag. `None` when it does not fit the type; then nothing is appended.
pub(crate) fn write(plans: &Plans, ty: Type, input: Input<'_>, out: &mut Vec<u8>) -> Option<()> {
    match ty {
        Type::Bool => put_varint(out, u64::from(boolean(input)?)),
        Type::Int32 => put_varint(out, i64::from(whole::<i32>(input)?) as u64),
        Type::Int64 => put_varint(out, whole::<i64>(input)? as u64),
        Type::Uint32 => put_varint(out, u64::from(whole::<u32>(input)?)),
        Type::Uint64 => put_varint(out, whole::<u64>(input)?),
        Type::Sint32 => put_varint(out, zigzag(i64::from(whole::<i32>(input)?))),
        Type::Sint64 => put_varint(out, zigzag(whole::<i64>(input)?)),
        Type::Fixed32 => out.extend_from_slice(&whole::<u32>(input)?.to_le_bytes()),
        Type::Sfixed32 => out.extend_from_slice(&whole::<i32>(input)?.to_le_bytes()),
        Type::Fixed64 => out.extend_from_slice(&whole::<u64>(input)?.to_le_bytes()),
        Type::Sfixed64 => out.extend_from_slice(&whole::<i64>(input)?.to_le_bytes()),
        Type::Float => out.extend_from_slice(&float(input)?.to_le_bytes()),
        Type::Double => out.extend_from_slice(&double(input)?.to_le_bytes()),
        Type::String => put_bytes(out, input.text()?.as_bytes()),
        Type::Bytes => put_bytes(out, &base64_bytes(input.text()?)?),
        Type::Enum(id) => {
            let plan = plans.enumeration(id);
            let number = match input {
                Input::String(name) => plan.by_name.get(name).copied()?,
                Input::Text(text) => plan.by_name.get(text).copied().or_else(|| whole::<i32>(input))?,
                _ => whole::<i32>(input)?,
            };
            put_varint(out, i64::from(number) as u64);
        }
        Type::Message(id) => {
            let start = begin_length(out);
            if write_well_known(plans, plans.message(id).well_known?, input, out).is_none() {
                out.truncate(start - 1);
                return None;
            }
            end_length(out, start);
        }
        Type::Group(_) => return None,
    }
    Some(())
}

/// Appends the content of a scalar-like well-known message.
fn write_well_known(plans: &Plans, kind: WellKnown, input: Input<'_>, out: &mut Vec<u8>) -> Option<()> {
    match kind {
        WellKnown::Timestamp => put_moment(out, time::parse_timestamp(input.text()?)?),
        WellKnown::Duration => put_moment(out, time::parse_duration(input.text()?)?),
        WellKnown::FieldMask => put_mask(out, input.text()?)?,
        WellKnown::Wrapper(inner) => {
            put_tag(out, 1, inner.wire_type());
            write(plans, inner, input, out)?;
        }
        _ => return None,
    }
    Some(())
}

fn put_moment(out: &mut Vec<u8>, moment: Moment) {
    if moment.seconds != 0 {
        put_tag(out, 1, wire::VARINT);
        put_varint(out, moment.seconds as u64);
    }
    if moment.nanos != 0 {
        put_tag(out, 2, wire::VARINT);
        put_varint(out, i64::from(moment.nanos) as u64);
    }
}

/// Appends a FieldMask's paths, in proto names whatever the spelling.
fn put_mask(out: &mut Vec<u8>, text: &str) -> Option<()> {
    if text.is_empty() {
        return Some(());
    }
    for path in text.split(',') {
        let snake = snake_path(path)?;
        put_tag(out, 1, wire::LENGTH);
        put_bytes(out, snake.as_bytes());
    }
    Some(())
}

fn snake_path(path: &str) -> Option<String> {
    let mut snake = String::with_capacity(path.len() + 4);
    for part in path.split('.') {
        if part.is_empty()
            || !part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || part == "*")
        {
            return None;
        }
        if !snake.is_empty() {
            snake.push('.');
        }
        // With an underscore it is no camel case, but the name itself.
        let is_name = part.contains('_');
        for character in part.chars() {
            match character.is_ascii_uppercase() && !is_name {
                true => snake.extend(['_', character.to_ascii_lowercase()]),
                false => snake.push(character),
            }
        }
    }
    Some(snake)
}

fn boolean(input: Input<'_>) -> Option<bool> {
    match input {
        Input::Bool(value) => Some(value),
        Input::Text("true") => Some(true),
        Input::Text("false") => Some(false),
        _ => None,
    }
}

fn whole<T: TryFrom<i128>>(input: Input<'_>) -> Option<T> {
    T::try_from(number::integer(input.numeric()?)?).ok()
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn double(input: Input<'_>) -> Option<f64> {
    match input.text() {
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        _ => number::double(input.numeric()?),
    }
}

fn float(input: Input<'_>) -> Option<f32> {
    match input.text() {
        Some("NaN") => Some(f32::NAN),
        Some("Infinity") => Some(f32::INFINITY),
        Some("-Infinity") => Some(f32::NEG_INFINITY),
        _ => number::float(input.numeric()?),
    }
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const ANY_STANDARD: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const ANY_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) {
        &ANY_URL_SAFE
    } else {
        &ANY_STANDARD
    };
    engine.decode(text).ok()
}

/// What a field of this type takes, for people.
pub(crate) fn expectation(plans: &Plans, ty: Type) -> String {
    let text = match ty {
        Type::Bool => "must be true or false",
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => "must be a whole number from -2147483648 to 2147483647",
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => {
            "must be a whole number from -9223372036854775808 to 9223372036854775807"
        }
        Type::Uint32 | Type::Fixed32 => "must be a whole number from 0 to 4294967295",
        Type::Uint64 | Type::Fixed64 => "must be a whole number from 0 to 18446744073709551615",
        Type::Float => "must be a number in the range of a 32-bit float",
        Type::Double => "must be a number in the range of a 64-bit float",
        Type::String => "must be a string",
        Type::Bytes => "must be base64 text",
        Type::Enum(id) => return enum_expectation(&plans.enumeration(id).listed),
        Type::Group(_) => "must be an object",
        Type::Message(id) => match plans.message(id).well_known {
            Some(WellKnown::Timestamp) => "must be a time such as 2030-01-31T12:00:00Z (RFC 3339)",
            Some(WellKnown::Duration) => "must be a duration in seconds such as 3.5s",
            Some(WellKnown::FieldMask) => "must be field names with commas between them",
            Some(WellKnown::Wrapper(inner)) => return expectation(plans, inner),
            Some(WellKnown::ListValue) => "must be a list",
            _ => "must be an object",
        },
    };
    text.to_owned()
}

fn enum_expectation(listed: &str) -> String {
    if listed.len() > 300 {
        return "must be the name of one of the enum's values".to_owned();
    }
    format!("must be one of {listed}")
}
