//! Wire format into JSON.

use gateway::transcode::Refused;
use prost_reflect::DynamicMessage;
use serde_json::Value as Json;

use super::{TRANSCODER, levels, reference, typed};

/// What the lexer takes.
const LEVELS: usize = 64;

/// Why we refuse what the reference shows: it reads a map's entry from any wire type, known or not, and knows no bounds
/// of times.
const STRICTER: [&str; 9] = [
    "a Value has no kind that JSON can hold",
    "a field has another wire type than its type",
    "a field number is out of range",
    "a field of a well-known message has another wire type than its type",
    "a time is out of range",
    "a wire type is unknown",
    "an entry of a Struct has no value",
    "messages nest too deep",
    "groups nest too deep",
];

/// The types in which no map can be, at any depth.
const WITHOUT_MAPS: [&str; 3] = ["Timestamp", "Duration", "FieldMask"];

/// How bytes may be faulty that are looked at from a wrong place.
const ELSEWHERE: [&str; 4] = ["is cut off", "that did not begin", "is too large", "is too long"];

/// Shows bytes as the reference does, and what is shown can be read and shown again. Values that others override are
/// not looked at, so bytes may be shown in which the reference finds a fault.
pub fn wire_to_json(data: &[u8]) {
    let Some((descriptor, id, bytes)) = typed(data) else {
        return;
    };
    // Reading a map's entry from another wire type, the reference finds the next field elsewhere.
    let may_hold_map = !WITHOUT_MAPS.contains(&descriptor.name());
    let theirs = DynamicMessage::decode(descriptor, bytes);
    let json = match (TRANSCODER.to_json(id, bytes), &theirs) {
        (Ok(json), _) => json,
        (Err(_), Err(_)) => return,
        (Err(invalid), Ok(message)) => {
            let shown = reference::shown(message);
            let is_stricter =
                STRICTER.contains(&invalid.0) || may_hold_map && ELSEWHERE.iter().any(|end| invalid.0.ends_with(end));
            assert!(is_stricter || shown.is_err(), "{invalid}: they show {shown:?}");
            return;
        }
    };
    let shown: Json = serde_json::from_slice(&json).expect("what is shown is JSON");
    if let Ok(Ok(theirs)) = theirs.map(|message| reference::shown(&message)) {
        reference::same(&shown, &theirs).unwrap();
    }

    let json = String::from_utf8(json).unwrap();
    match TRANSCODER.to_wire(id, &json) {
        Ok(back) => assert_eq!(TRANSCODER.to_json(id, &back).unwrap(), json.as_bytes()),
        Err(Refused::Malformed(problem)) => assert!(levels(json.as_bytes()) > LEVELS, "{json}: {problem}"),
        Err(Refused::Fields(fields)) => {
            let is_mask = |detail: &str| detail.starts_with("must be field names");
            assert!(fields.iter().all(|field| is_mask(&field.detail)), "{json}: {fields:?}");
        }
    }
}
