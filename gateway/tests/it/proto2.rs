//! Messages of proto2: groups, required fields, defaults, extensions.

use std::sync::LazyLock;

use gateway::{openapi, route::Routes, transcode::Transcoder};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::{Value, json};

use crate::kit;

const SOURCE: &str = r#"
syntax = "proto2"; package old.v1;
import "google/api/annotations.proto";
service Old {
  rpc Call(Request) returns (Request) {
    option (google.api.http) = {get: "/old" additional_bindings {put: "/old/{id}" body: "*"}};
  }
}
message Request {
  required string id = 1;
  optional int32 count = 2 [default = 7];
  repeated int32 numbers = 3;
  optional Color color = 4;
  optional group Box = 5 { optional string label = 1; optional group Inner = 2 { repeated bool flags = 1; } }
  repeated group Item = 6 { optional int64 number = 1; }
  extensions 100 to 200;
}
extend Request { optional string extra = 100; }
enum Color { RED = 3; BLUE = 5; }
"#;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| kit::pool(SOURCE));

/// There and back: the wire format that JSON becomes, as the reference shows it, and what we show of it.
fn both_ways(given: &Value) -> (Value, Value) {
    let transcoder = Transcoder::new(&POOL);
    let id = transcoder.find("old.v1.Request").unwrap();
    let wire = transcoder.to_wire(id, &given.to_string()).unwrap();
    let descriptor = POOL.get_message_by_name("old.v1.Request").unwrap();
    let message = DynamicMessage::decode(descriptor, wire.as_slice()).unwrap();
    let options = SerializeOptions::new().use_proto_field_name(true);
    let reference = message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .unwrap();
    let ours = transcoder.to_json(id, &message.encode_to_vec()).unwrap();
    (reference, serde_json::from_slice(&ours).unwrap())
}

#[test]
fn groups_are_objects_in_json() {
    let given = json!({
        "id": "a",
        "box": {"label": "b", "inner": {"flags": [true, false]}},
        "item": [{"number": "1"}, {}, {"number": "-3"}],
    });
    let (reference, ours) = both_ways(&given);
    let shown = json!({
        "id": "a",
        "numbers": [],
        "box": {"label": "b", "inner": {"flags": [true, false]}},
        "item": [{"number": "1"}, {}, {"number": "-3"}],
    });
    assert_eq!(ours, shown);
    assert_eq!(reference["box"], shown["box"]);
    assert_eq!(reference["item"], shown["item"]);
}

#[test]
fn a_group_that_comes_in_parts_is_put_together() {
    let transcoder = Transcoder::new(&POOL);
    let id = transcoder.find("old.v1.Request").unwrap();
    // `box` twice (a group's tags are 0x2b and 0x2c), each with an `inner` (0x13, 0x14).
    let wire = b"\x2b\x0a\x01x\x13\x08\x01\x14\x2c\x2b\x13\x08\x00\x14\x2c";
    let json: Value = serde_json::from_slice(&transcoder.to_json(id, wire).unwrap()).unwrap();
    assert_eq!(json["box"], json!({"label": "x", "inner": {"flags": [true, false]}}));
}

#[test]
fn what_is_absent_is_not_shown_whatever_its_default() {
    let (_, ours) = both_ways(&json!({"id": ""}));
    assert_eq!(ours, json!({"id": "", "numbers": [], "item": []}));
    let (_, ours) = both_ways(&json!({"id": "a", "count": 0, "color": "RED", "numbers": [1, 2]}));
    assert_eq!((&ours["count"], &ours["color"]), (&json!(0), &json!("RED")));
}

#[test]
fn groups_are_filled_by_bodies_alone() {
    let document = openapi::document(&Routes::compile(&POOL).unwrap());
    let parameters = document["paths"]["/old"]["get"]["parameters"].as_array().unwrap();
    let names: Vec<_> = parameters.iter().map(|parameter| &parameter["name"]).collect();
    assert_eq!(names, ["id", "count", "numbers", "color"]);

    let bound = SOURCE.replace("{id}", "{box.label}");
    let faults = Routes::compile(&kit::pool(&bound)).unwrap_err().to_string();
    assert!(
        faults.ends_with("`/old/{box.label}` column 7: `box` is a group; a path variable cannot go into one"),
        "{faults}"
    );
}
