//! prost-reflect's serde as the reference, and where it is known to differ.

use gateway::transcode::Refused;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value as Json;

/// A message as the reference writes it.
pub fn text(message: &DynamicMessage, options: &SerializeOptions) -> Result<String, serde_json::Error> {
    let mut text = Vec::new();
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut text), options)?;
    Ok(String::from_utf8(text).unwrap())
}

/// A message as we should show it: with proto names and without leaving anything out.
pub fn shown(message: &DynamicMessage) -> Result<Json, serde_json::Error> {
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .skip_default_fields(false);
    serde_json::from_str(&text(message, &options)?)
}

/// All that is in a message. (Comparing messages of recursive types does not end in the reference.)
pub fn content(message: &DynamicMessage) -> Json {
    serde_json::from_str(&text(message, &SerializeOptions::new()).unwrap()).unwrap()
}

/// Reads by the reference, which needs more stack than a test's thread has.
pub fn read(descriptor: &MessageDescriptor, text: &str) -> Result<DynamicMessage, serde_json::Error> {
    let read = || {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let message = DynamicMessage::deserialize(descriptor.clone(), &mut deserializer)?;
        deserializer.end().map(|()| message)
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(256 << 20);
        thread.spawn_scoped(scope, read).unwrap().join().unwrap()
    })
}

/// Whether two JSON texts say the same: `1` is `1.0`, whatever serde_json makes of its last bit, and what the reference
/// shows as `null` may be absent, a number of a wrapper that is none, or an unknown NullValue. A mask's underscores
/// it drops where no letter follows, and with them names of nothing else.
pub fn same(ours: &Json, theirs: &Json) -> Result<(), String> {
    match (ours, theirs) {
        (Json::Number(_), Json::Number(_)) if near(ours, theirs) => Ok(()),
        (Json::Number(_), Json::Null) => Ok(()),
        (Json::String(text), Json::Null) if ["NaN", "Infinity", "-Infinity"].contains(&text.as_str()) => Ok(()),
        (Json::String(ours), Json::String(theirs)) if ours.contains('_') && letters(ours) == letters(theirs) => Ok(()),
        (Json::Array(left), Json::Array(right)) if left.len() == right.len() => {
            left.iter().zip(right).try_for_each(|(left, right)| same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            for (key, value) in left {
                same(value, right.get(key).unwrap_or(&Json::Null)).map_err(|error| format!("{key}: {error}"))?;
            }
            match right
                .iter()
                .find(|(key, value)| !left.contains_key(*key) && !value.is_null())
            {
                Some((key, value)) => Err(format!("{key} is missing: {value}")),
                None => Ok(()),
            }
        }
        _ if ours == theirs => Ok(()),
        _ => Err(format!("{ours} is not {theirs}")),
    }
}

/// What is left of a mask without what separates its words.
fn letters(mask: &str) -> String {
    mask.replace(['_', ','], "").to_ascii_lowercase()
}

/// Whether two JSON texts are equal but for the last bit of numbers, which serde_json does not always get right.
pub fn near(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            (left - right).abs() <= right.abs() * 1e-15
        }
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| near(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            let equal = |(key, value)| right.get(key).is_some_and(|other| near(value, other));
            left.len() == right.len() && left.iter().all(equal)
        }
        _ => left == right,
    }
}

/// What ProtoJSON takes and the reference refuses: see the rows of `where_the_reference_differs_protojson_wins`.
pub fn is_laxer(error: &str) -> bool {
    [
        "expected '@type' field",
        "float value out of range",
        "invalid digit",
        "invalid field mask",
        "number too large",
    ]
    .iter()
    .any(|known| error.contains(known))
}

/// What ProtoJSON, or our rules beyond it, refuse and the reference takes: see the same rows.
pub fn is_stricter(refused: &Refused, text: &str) -> bool {
    let mut known = vec!["must be field names", "is given twice", "is given together"];
    if ["\"+", "\"0", "\"-0"].iter().any(|start| text.contains(start)) {
        known.extend([
            "must be a whole number",
            "has a key that must be a whole number",
            "must be a duration",
        ]);
    }
    // Of a second there are nine digits at most.
    if text
        .split('.')
        .skip(1)
        .any(|rest| rest.bytes().take_while(u8::is_ascii_digit).count() > 9)
    {
        known.extend(["must be a time", "must be a duration"]);
    }
    match refused {
        Refused::Malformed(_) => false,
        Refused::Fields(fields) => fields
            .iter()
            .all(|field| known.iter().any(|known| field.detail.starts_with(known))),
    }
}
