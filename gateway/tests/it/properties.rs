//! Both directions against prost-reflect's serde, over messages that chance made.
//!
//! Where ProtoJSON and the reference differ, ProtoJSON wins, and the case is in a list at the end.

use std::sync::LazyLock;

use gateway::{plan::MessageId, transcode::Transcoder};
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, SerializeOptions, Value,
};
use serde_json::Value as Json;

use crate::kit::POOL;

static TRANSCODER: LazyLock<Transcoder> = LazyLock::new(|| Transcoder::new(&POOL));

fn everything() -> (MessageDescriptor, MessageId) {
    let name = "echo.v1.Everything";
    (POOL.get_message_by_name(name).unwrap(), TRANSCODER.find(name).unwrap())
}

/// Decisions out of bytes that chance gave; shorter input makes simpler messages.
struct Chance<'a>(&'a [u8]);

impl Chance<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()].clone()
    }

    fn number(&mut self) -> i64 {
        let edges = [
            0,
            1,
            -1,
            127,
            128,
            300,
            i64::from(i32::MAX),
            i64::from(i32::MIN),
            i64::MAX,
            i64::MIN,
            i64::from(u32::MAX),
        ];
        match self.byte() {
            0..=200 => self.pick(&edges),
            other => i64::from(other) << (self.byte() % 56),
        }
    }

    fn float(&mut self) -> f64 {
        self.pick(&[
            0.0,
            -0.0,
            1.0,
            -1.5,
            0.1,
            1e21,
            1e-7,
            123_456_789.125,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::INFINITY,
            f64::NEG_INFINITY,
            5e-324,
        ])
    }

    fn text(&mut self) -> String {
        self.pick(&[
            "",
            "a",
            "ü😀",
            "\"\\/\u{8}\u{c}\n\r\t\u{1}",
            "\u{2028}\u{7f}",
            "null",
            "a.b",
            " ",
        ])
        .to_owned()
    }

    fn message(&mut self, descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        match descriptor.full_name() {
            "google.protobuf.Timestamp" => {
                let seconds = self.pick(&[
                    0,
                    1,
                    -1,
                    -62_135_596_800,
                    253_402_300_799,
                    1_893_456_000,
                    -2_203_891_200,
                ]);
                message.set_field_by_name("seconds", Value::I64(seconds));
                message.set_field_by_name("nanos", Value::I32(self.pick(&[0, 1, 999_999_999, 120_000_000, 1_000])));
            }
            "google.protobuf.Duration" => {
                let sign = self.pick(&[1, -1]);
                message.set_field_by_name(
                    "seconds",
                    Value::I64(sign * self.pick(&[0, 1, 3_600, 315_576_000_000 - 1])),
                );
                message.set_field_by_name(
                    "nanos",
                    Value::I32(sign as i32 * self.pick(&[0, 1, 500_000_000, 999_999_999])),
                );
            }
            "google.protobuf.FieldMask" => {
                let paths = [vec![], vec!["a"], vec!["foo_bar", "baz.qux_quux"]];
                let paths = self
                    .pick(&paths)
                    .into_iter()
                    .map(|path| Value::String(path.to_owned()))
                    .collect();
                message.set_field_by_name("paths", Value::List(paths));
            }
            "google.protobuf.Any" => {
                let inner = POOL.get_message_by_name("echo.v1.Name").unwrap();
                let mut name = DynamicMessage::new(inner);
                name.set_field_by_name("name", Value::String(self.text()));
                message.set_field_by_name("type_url", Value::String("type.googleapis.com/echo.v1.Name".to_owned()));
                message.set_field_by_name("value", Value::Bytes(name.encode_to_vec().into()));
            }
            "google.protobuf.DoubleValue" => {
                let value = self.pick(&[0.0, -1.5, 1e300]);
                message.set_field_by_name("value", Value::F64(value));
            }
            "google.protobuf.Value" => self.free(&mut message, depth),
            _ => {
                for field in descriptor.fields() {
                    if self.byte() > 128 && depth < 6 {
                        let value = self.field(&field, depth);
                        message.set_field(&field, value);
                    }
                }
            }
        }
        message
    }

    /// Sets one kind of a Value; JSON has no others than finite numbers.
    fn free(&mut self, message: &mut DynamicMessage, depth: usize) {
        let kinds = [
            "null_value",
            "bool_value",
            "string_value",
            "number_value",
            "struct_value",
            "list_value",
        ];
        let kind = if depth < 5 { self.pick(&kinds) } else { "null_value" };
        let field = message.descriptor().get_field_by_name(kind).unwrap();
        let value = match kind {
            "null_value" => Value::EnumNumber(0),
            "number_value" => Value::F64(self.pick(&[0.0, 1.5, -3.0, 1e300])),
            _ => self.field(&field, depth),
        };
        message.set_field(&field, value);
    }

    fn field(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        let count = self.byte() % 4;
        if field.is_list() {
            return Value::List((0..count).map(|_| self.value(&field.kind(), depth)).collect());
        }
        if let Kind::Message(entry) = field.kind()
            && field.is_map()
        {
            let entries = (0..count).map(|_| {
                let key = match entry.map_entry_key_field().kind() {
                    Kind::String => MapKey::String(self.text()),
                    Kind::Bool => MapKey::Bool(self.byte() > 128),
                    Kind::Int32 => MapKey::I32(self.number() as i32),
                    _ => MapKey::U64(self.number() as u64),
                };
                (key, self.value(&entry.map_entry_value_field().kind(), depth))
            });
            return Value::Map(entries.collect());
        }
        self.value(&field.kind(), depth)
    }

    fn value(&mut self, kind: &Kind, depth: usize) -> Value {
        match kind {
            Kind::Double => Value::F64(self.float()),
            Kind::Float => Value::F32(self.pick(&[0.0, -1.5, 0.1, 1e20, f32::MIN_POSITIVE, f32::INFINITY])),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.number() as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.number()),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.number() as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.number() as u64),
            Kind::Bool => Value::Bool(self.byte() > 128),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => Value::Bytes(
                self.pick(&[&b""[..], b"\0", b"\xff\xfe", b"abc", b"\xfb\xff\xbf!"])
                    .into(),
            ),
            Kind::Enum(item) if item.full_name() == "google.protobuf.NullValue" => Value::EnumNumber(0),
            Kind::Enum(_) => Value::EnumNumber(self.pick(&[0, 1, -5, 17])),
            Kind::Message(message) => Value::Message(self.message(message, depth + 1)),
        }
    }
}

fn options() -> SerializeOptions {
    SerializeOptions::new()
        .use_proto_field_name(true)
        .skip_default_fields(false)
}

fn reference(message: &DynamicMessage, options: &SerializeOptions) -> String {
    let mut text = Vec::new();
    message
        .serialize_with_options(&mut serde_json::Serializer::new(&mut text), options)
        .unwrap();
    String::from_utf8(text).unwrap()
}

/// All that is in a message. (Comparing messages of recursive types does not end in the reference.)
fn content(message: &DynamicMessage) -> Json {
    serde_json::from_str(&reference(message, &SerializeOptions::new())).unwrap()
}

/// Reads by the reference, which needs more stack than a test's thread has.
fn read_by_reference(text: &str) -> Result<DynamicMessage, serde_json::Error> {
    let read = || {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let message = DynamicMessage::deserialize(everything().0, &mut deserializer)?;
        deserializer.end().map(|()| message)
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(256 << 20);
        thread.spawn_scoped(scope, read).unwrap().join().unwrap()
    })
}

/// Whether two JSON texts say the same: `1` is `1.0`, and what the reference shows as `null` may be absent.
fn same(ours: &Json, theirs: &Json) -> Result<(), String> {
    match (ours, theirs) {
        (Json::Number(left), Json::Number(right)) if left.as_f64() == right.as_f64() => Ok(()),
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

/// Whether two JSON texts are equal but for the last bit of numbers, which serde_json does not always get right.
fn near(left: &Json, right: &Json) -> bool {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wire_format_becomes_the_json_of_the_reference(chance in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (descriptor, id) = everything();
        let message = Chance(&chance).message(&descriptor, 0);
        let json = TRANSCODER.to_json(id, &message.encode_to_vec()).unwrap();
        let ours: Json = serde_json::from_slice(&json).unwrap();
        same(&ours, &serde_json::from_str(&reference(&message, &options())).unwrap()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn json_becomes_the_message_of_the_reference(chance in proptest::collection::vec(any::<u8>(), 0..600), proto_names: bool) {
        let (descriptor, id) = everything();
        let message = Chance(&chance).message(&descriptor, 0);
        let text = reference(&message, &SerializeOptions::new().use_proto_field_name(proto_names));
        let wire = TRANSCODER.to_wire(id, &text).map_err(|refused| TestCaseError::fail(format!("{text}: {refused:?}")))?;
        let ours = DynamicMessage::decode(descriptor.clone(), wire.as_slice()).unwrap();
        prop_assert_eq!(content(&ours), content(&read_by_reference(&text).unwrap()));
    }

    #[test]
    fn what_goes_there_and_back_is_the_same(chance in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (descriptor, id) = everything();
        let wire = Chance(&chance).message(&descriptor, 0).encode_to_vec();
        let json = TRANSCODER.to_json(id, &wire).unwrap();
        let back = TRANSCODER.to_wire(id, std::str::from_utf8(&json).unwrap()).unwrap();
        prop_assert_eq!(TRANSCODER.to_json(id, &back).unwrap(), json);
    }

    #[test]
    fn damaged_json_is_judged_like_the_reference_does(
        chance in proptest::collection::vec(any::<u8>(), 0..200),
        damage in proptest::collection::vec((any::<usize>(), "[\\[\\]{}\",:0-9a-z.eE+\\-\\\\ ]"), 1..3),
    ) {
        let (descriptor, id) = everything();
        let message = Chance(&chance).message(&descriptor, 0);
        let mut text: Vec<char> = reference(&message, &SerializeOptions::new()).chars().collect();
        for (at, with) in damage {
            let at = at % text.len();
            text[at] = with.chars().next().unwrap();
        }
        let text: String = text.into_iter().collect();
        let theirs = read_by_reference(&text);
        let ours = TRANSCODER.to_wire(id, &text).map(|wire| DynamicMessage::decode(descriptor, wire.as_slice()).unwrap());
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert!(near(&content(&ours), &content(&theirs)), "{text}"),
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => prop_assert!(is_laxer(&error.to_string()), "{text}: they say {error}"),
            (Err(refused), Ok(_)) => prop_assert!(is_stricter(&refused, &text), "{text}: we say {refused:?}"),
        }
    }

    #[test]
    fn bytes_of_chance_never_panic_and_are_shown_only_where_the_reference_can(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (descriptor, id) = everything();
        if let Ok(json) = TRANSCODER.to_json(id, &bytes) {
            prop_assert!(serde_json::from_slice::<Json>(&json).is_ok());
            prop_assert!(DynamicMessage::decode(descriptor, bytes.as_slice()).is_ok());
        }
        let _ = TRANSCODER.to_wire(id, &String::from_utf8_lossy(&bytes));
    }
}

/// What ProtoJSON takes and the reference refuses: see the rows of [`where_the_reference_differs_protojson_wins`].
fn is_laxer(error: &str) -> bool {
    ["float value out of range", "invalid digit", "number too large"]
        .iter()
        .any(|known| error.contains(known))
}

/// What ProtoJSON, or our rules beyond it, refuse and the reference takes: see the same rows.
fn is_stricter(refused: &gateway::transcode::Refused, text: &str) -> bool {
    let mut known = vec!["must be field names", "is given twice", "is given together"];
    if ["\"+", "\"0", "\"-0"].iter().any(|start| text.contains(start)) {
        known.extend(["must be a whole number", "has a key that must be a whole number"]);
    }
    match refused {
        gateway::transcode::Refused::Malformed(_) => false,
        gateway::transcode::Refused::Fields(fields) => fields
            .iter()
            .all(|field| known.iter().any(|known| field.detail.starts_with(known))),
    }
}

#[test]
fn where_the_reference_differs_protojson_wins() {
    let (_, id) = everything();
    // What we take, and whether the reference takes it.
    let taken = [
        (r#"{"float_value":3.4028235e38}"#, false),
        (r#"{"fixed64_value":"2147E2"}"#, false),
    ];
    // What we refuse, and whether the reference takes it.
    let refused = [
        (r#"{"mask":"}a"}"#, true),
        (r#"{"sint64_value":"+27"}"#, true),
        (r#"{"fixed64_value":"08"}"#, true),
    ];
    for (text, theirs) in taken {
        assert!(TRANSCODER.to_wire(id, text).is_ok(), "{text}");
        assert_eq!(read_by_reference(text).is_ok(), theirs, "{text}");
    }
    for (text, theirs) in refused {
        assert!(TRANSCODER.to_wire(id, text).is_err(), "{text}");
        assert_eq!(read_by_reference(text).is_ok(), theirs, "{text}");
    }
}
