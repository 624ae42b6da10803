//! Both directions against prost-reflect's serde, over messages that chance made.
//!
//! Where ProtoJSON and the reference differ, ProtoJSON wins, and the case is in a list at the end.

use gateway::plan::MessageId;
use proptest::{collection::vec, prelude::*, string::string_regex, test_runner::RngSeed};
use prost::Message;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, SerializeOptions, Value,
};
use serde_json::Value as Json;

use crate::{
    fuzz::{self, TRANSCODER, reference},
    kit::POOL,
};

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

proptest! {
    // The same cases each time: looking for new ones is what the fuzzer is for.
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn wire_format_becomes_the_json_of_the_reference(chance in vec(any::<u8>(), 0..600)) {
        let (descriptor, id) = everything();
        let message = Chance(&chance).message(&descriptor, 0);
        let json = TRANSCODER.to_json(id, &message.encode_to_vec()).unwrap();
        let ours: Json = serde_json::from_slice(&json).unwrap();
        reference::same(&ours, &reference::shown(&message).unwrap()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn json_becomes_the_message_of_the_reference(chance in vec(any::<u8>(), 0..600), proto_names: bool) {
        let (descriptor, id) = everything();
        let message = Chance(&chance).message(&descriptor, 0);
        let text = reference::text(&message, &SerializeOptions::new().use_proto_field_name(proto_names)).unwrap();
        let wire = TRANSCODER.to_wire(id, &text).map_err(|refused| TestCaseError::fail(format!("{text}: {refused:?}")))?;
        let ours = DynamicMessage::decode(descriptor.clone(), wire.as_slice()).unwrap();
        let theirs = reference::read(&descriptor, &text).unwrap();
        prop_assert_eq!(reference::content(&ours), reference::content(&theirs));
    }

    #[test]
    fn what_goes_there_and_back_is_the_same(chance in vec(any::<u8>(), 0..600)) {
        let (descriptor, id) = everything();
        let wire = Chance(&chance).message(&descriptor, 0).encode_to_vec();
        let json = TRANSCODER.to_json(id, &wire).unwrap();
        let back = TRANSCODER.to_wire(id, std::str::from_utf8(&json).unwrap()).unwrap();
        prop_assert_eq!(TRANSCODER.to_json(id, &back).unwrap(), json);
    }

    #[test]
    fn damaged_json_is_judged_like_the_reference_does(
        chance in vec(any::<u8>(), 0..200),
        damage in vec((any::<usize>(), "[\\[\\]{}\",:0-9a-z.eE+\\-\\\\ ]"), 1..3),
    ) {
        let message = Chance(&chance).message(&everything().0, 0);
        let mut text: Vec<char> = reference::text(&message, &SerializeOptions::new()).unwrap().chars().collect();
        for (at, with) in damage {
            let at = at % text.len();
            text[at] = with.chars().next().unwrap();
        }
        fuzz::json_to_wire(&typed(0, String::from_iter(text).as_bytes()));
    }

    #[test]
    fn damaged_wire_format_is_shown_as_the_reference_does(
        chance in vec(any::<u8>(), 0..200),
        damage in vec((any::<usize>(), any::<u8>()), 0..3),
    ) {
        let mut wire = Chance(&chance).message(&everything().0, 0).encode_to_vec();
        for (at, with) in damage {
            let at = at % (wire.len() + 1);
            wire.splice(at..(at + 1).min(wire.len()), [with]);
        }
        fuzz::wire_to_json(&typed(0, &wire));
    }

    #[test]
    fn bytes_of_chance_are_judged_like_the_reference_does(kind: u8, bytes in vec(any::<u8>(), 0..200)) {
        fuzz::wire_to_json(&typed(kind, &bytes));
        fuzz::json_to_wire(&typed(kind, String::from_utf8_lossy(&bytes).as_bytes()));
    }

    #[test]
    fn paths_are_matched_as_the_rules_say(lines in vec(line(), 1..12)) {
        fuzz::paths(lines.join("\n").as_bytes());
    }
}

fn typed(kind: u8, data: &[u8]) -> Vec<u8> {
    [&[kind], data].concat()
}

/// A method and a path or template, of few and short words, so that they meet often.
fn line() -> impl Strategy<Value = String> {
    let segment = "a|b|ab|\\*|\\*\\*|\\{[ab]\\}|\\{[ab]=\\*\\*\\}|\\{[ab](\\.[ab])?=(a|\\*)/(b|\\*|\\*\\*)\\}|%61|%2F|%zz|[a:*{}=%/.]{0,4}";
    let path = format!("(/({segment})){{1,4}}(:a|:b|:%61)?");
    ("GET|HEAD|POST|OPTIONS|\\*", string_regex(&path).unwrap()).prop_map(|(method, path)| format!("{method} {path}"))
}

#[test]
fn where_the_reference_differs_protojson_wins() {
    let (descriptor, id) = everything();
    // What we take, and whether the reference takes it.
    let taken = [
        (r#"{"float_value":3.4028235e38}"#, false),
        (r#"{"fixed64_value":"2147E2"}"#, false),
        (r#"{"mask":"foo_bar"}"#, false),
        (r#"{"any":{}}"#, false),
    ];
    // What we refuse, and whether the reference takes it.
    let refused = [
        (r#"{"mask":"}a"}"#, true),
        (r#"{"sint64_value":"+27"}"#, true),
        (r#"{"fixed64_value":"08"}"#, true),
    ];
    for (text, theirs) in taken {
        assert!(TRANSCODER.to_wire(id, text).is_ok(), "{text}");
        assert_eq!(reference::read(&descriptor, text).is_ok(), theirs, "{text}");
    }
    for (text, theirs) in refused {
        assert!(TRANSCODER.to_wire(id, text).is_err(), "{text}");
        assert_eq!(reference::read(&descriptor, text).is_ok(), theirs, "{text}");
    }
}

#[test]
fn well_known_messages_with_a_field_of_another_wire_type_are_refused() {
    // A varint in field 1, in which each of these has something else.
    for name in ["Struct", "ListValue", "Any", "FieldMask", "StringValue", "DoubleValue"] {
        let id = TRANSCODER.find(&format!("google.protobuf.{name}")).unwrap();
        assert!(TRANSCODER.to_json(id, b"\x08\x00").is_err(), "{name}");
    }
    // Eight bytes where a varint belongs: seconds, and a Value's null.
    for name in ["Timestamp", "Duration", "Value", "Int64Value"] {
        let id = TRANSCODER.find(&format!("google.protobuf.{name}")).unwrap();
        assert!(TRANSCODER.to_json(id, b"\x09\0\0\0\0\0\0\0\0").is_err(), "{name}");
    }
}

#[test]
fn a_mask_is_shown_so_that_it_reads_as_what_it_is() {
    let id = TRANSCODER.find("google.protobuf.FieldMask").unwrap();
    for (text, shown) in [
        ("a_b,c.d_e", "aB,c.dE"),
        ("a_1", "a_1"),
        ("a_1B", "a_1B"),
        ("a__b", "a__b"),
        ("_.U", "_.U"),
        ("a_", "a_"),
    ] {
        let wire = TRANSCODER.to_wire(id, &format!("{text:?}")).unwrap();
        let json = TRANSCODER.to_json(id, &wire).unwrap();
        assert_eq!(json, format!("{shown:?}").as_bytes(), "{text}");
        let back = TRANSCODER.to_wire(id, std::str::from_utf8(&json).unwrap()).unwrap();
        assert_eq!(back, wire, "{text}");
    }
}

#[test]
fn a_map_entry_of_an_unknown_wire_type_is_refused() {
    // Field 6 is a map; wire type 4 ends a group that was not begun, and 7 is none.
    for tag in [0x34, 0x37] {
        let id = TRANSCODER.find("echo.v1.Envelope").unwrap();
        assert!(TRANSCODER.to_json(id, &[tag, 0]).is_err(), "{tag:#x}");
    }
}

#[test]
fn a_value_that_comes_in_parts_is_put_together() {
    let id = TRANSCODER.find("google.protobuf.Value").unwrap();
    // Two list_values, of a null and of true; then the same with a string between them, after which only the last counts.
    let (first, last) = (b"\x32\x04\x0a\x02\x08\x00", b"\x32\x04\x0a\x02\x20\x01");
    let together = TRANSCODER.to_json(id, &[&first[..], last].concat());
    assert_eq!(together.as_deref(), Ok(&b"[null,true]"[..]));
    let apart = TRANSCODER.to_json(id, &[&first[..], b"\x1a\x01a", last].concat());
    assert_eq!(apart.as_deref(), Ok(&b"[true]"[..]));
}
