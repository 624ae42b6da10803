//! The JSON forms of the well-known types, and of scalars.

use prost_reflect::Kind;
use serde_json::{Value, json};

/// A message whose content is passed through as it is.
pub(super) const RAW: &str = "google.api.HttpBody";

/// The schema of a message that ProtoJSON writes in its own way.
pub(super) fn message(full_name: &str) -> Option<Value> {
    let name = full_name.strip_prefix("google.protobuf.")?;
    let schema = match name {
        "Timestamp" => json!({"type": "string", "format": "date-time"}),
        "Duration" => json!({"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"}),
        "FieldMask" => json!({"type": "string"}),
        "Struct" => json!({"type": "object", "additionalProperties": true}),
        "Value" => json!({}),
        "ListValue" => json!({"type": "array", "items": {}}),
        "Empty" => json!({"type": "object", "additionalProperties": false}),
        "Any" => json!({
            "type": "object",
            "properties": {"@type": {"type": "string", "description": "The type's URL: what follows is in its form."}},
            "additionalProperties": true,
        }),
        "BoolValue" => scalar(&Kind::Bool)?,
        "StringValue" => scalar(&Kind::String)?,
        "BytesValue" => scalar(&Kind::Bytes)?,
        "Int32Value" => scalar(&Kind::Int32)?,
        "UInt32Value" => scalar(&Kind::Uint32)?,
        "Int64Value" => scalar(&Kind::Int64)?,
        "UInt64Value" => scalar(&Kind::Uint64)?,
        "FloatValue" => scalar(&Kind::Float)?,
        "DoubleValue" => scalar(&Kind::Double)?,
        _ => return None,
    };
    Some(schema)
}

/// The schema of a scalar; `None` for messages and enums.
pub(super) fn scalar(kind: &Kind) -> Option<Value> {
    let schema = match kind {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::String => json!({"type": "string"}),
        Kind::Bytes => json!({"type": "string", "format": "byte", "contentEncoding": "base64"}),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            json!({"type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX})
        }
        Kind::Uint32 | Kind::Fixed32 => {
            json!({"type": "integer", "format": "uint32", "minimum": 0, "maximum": u32::MAX})
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"})
        }
        Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$"}),
        Kind::Float => number("float"),
        Kind::Double => number("double"),
        Kind::Message(_) | Kind::Enum(_) => return None,
    };
    Some(schema)
}

/// A number, or one of the three texts for what JSON has no numbers for.
fn number(format: &str) -> Value {
    json!({"anyOf": [
        {"type": "number", "format": format},
        {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]},
    ]})
}
