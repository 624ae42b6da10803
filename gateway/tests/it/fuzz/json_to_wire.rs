//! JSON onto the wire.

use prost_reflect::DynamicMessage;
use serde_json::Value as Json;

use super::{TRANSCODER, levels, reference, typed};

/// Decoders of Protobuf give up at 100 nested messages; a level of a Struct takes three.
const LEVELS: usize = 30;

/// Judges text as the reference does, and what it accepts is shown as what the reference reads from it.
pub fn json_to_wire(data: &[u8]) {
    let Some((descriptor, id, text)) = typed(data) else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let ours = TRANSCODER.to_wire(id, text);
    if levels(text.as_bytes()) > LEVELS {
        return;
    }
    let theirs = reference::read(&descriptor, text);
    let wire = match (ours, &theirs) {
        (Ok(wire), _) => wire,
        (Err(_), Err(_)) => return,
        (Err(refused), Ok(_)) => {
            assert!(reference::is_stricter(&refused, text), "{text}: we say {refused:?}");
            return;
        }
    };
    let message = DynamicMessage::decode(descriptor, wire.as_slice()).expect("the wire is of its type");
    match theirs {
        Ok(theirs) => assert!(
            reference::near(&reference::content(&message), &reference::content(&theirs)),
            "{text}"
        ),
        Err(error) => assert!(reference::is_laxer(&error.to_string()), "{text}: they say {error}"),
    }

    let json = TRANSCODER.to_json(id, &wire).expect("what was read can be shown");
    let shown: Json = serde_json::from_slice(&json).expect("what is shown is JSON");
    match reference::shown(&message) {
        Ok(theirs) => reference::same(&shown, &theirs).unwrap(),
        // The path of a mask, which we take and show as it is in the schema, too, and an empty Any.
        Err(error) => assert!(
            ["cannot roundtrip field name", "unsupported type url ''"]
                .iter()
                .any(|known| error.to_string().starts_with(known)),
            "{text}: {error}"
        ),
    }
    let json = String::from_utf8(json).unwrap();
    let back = TRANSCODER.to_wire(id, &json).expect("what is shown can be read");
    assert_eq!(TRANSCODER.to_json(id, &back).unwrap(), json.as_bytes());
}
