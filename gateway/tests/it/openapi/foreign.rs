use gateway::{openapi, route::Routes};
use serde_json::{Value, json};

use crate::kit;

const SOURCE: &str = r#"
syntax = "proto3"; package shop.v1;
import "google/api/annotations.proto"; import "google/api/field_behavior.proto"; import "google/api/httpbody.proto";
import "google/protobuf/any.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto"; import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";

service Shop {
  rpc GetThing(GetThingRequest) returns (Thing) {
    option (google.api.http) = {
      get: "/v1/{name=shelves/*/things/*}"
      additional_bindings {get: "/v1/things/{name}:peek"}
    };
  }
  rpc PutThing(Thing) returns (Thing) { option (google.api.http) = {put: "/v1/things/{inner.leaf}" body: "*"}; }
  rpc Watch(GetThingRequest) returns (stream Thing) { option (google.api.http) = {get: "/v1/watch"}; }
  rpc Upload(google.api.HttpBody) returns (google.api.HttpBody) {
    option (google.api.http) = {post: "/v1/files/**" body: "*"};
  }
  rpc Any(GetThingRequest) returns (google.protobuf.Empty) {
    option (google.api.http) = {custom {kind: "*" path: "/v1/any"} body: "tags"};
  }
  rpc Report(GetThingRequest) returns (Thing) {
    option (google.api.http) = {custom {kind: "REPORT" path: "/v1/report"}};
  }
}
service Store {
  rpc GetThing(GetThingRequest) returns (Thing) {
    option (google.api.http) = {get: "/v1/store/{name}" response_body: "tree"};
  }
}
message GetThingRequest {
  string name = 1; repeated string tags = 2; Inner inner = 3; Tree tree = 4; map<string, string> labels = 5;
  google.protobuf.Struct free = 6; repeated Inner many = 7; google.protobuf.Timestamp since = 8;
  Colour colour = 9 [(google.api.field_behavior) = REQUIRED];
}
// A thing.
message Thing {
  int64 count = 1; uint64 big = 2; double weight = 3; bytes data = 4; uint32 small = 5;
  google.protobuf.Timestamp at = 6; google.protobuf.Duration lasts = 7; google.protobuf.FieldMask mask = 8;
  google.protobuf.Struct free = 9; google.protobuf.Value any_value = 10; google.protobuf.ListValue list = 11;
  google.protobuf.Any any = 12; google.protobuf.Empty nothing = 13; google.protobuf.Int64Value boxed = 14;
  map<string, Inner> by_name = 15; map<int32, Colour> by_number = 16;
  oneof choice { string left = 17; Inner right = 18; string middle = 19; }
  Tree tree = 20; Inner inner = 21; optional string maybe = 22;
  string secret = 23 [(google.api.field_behavior) = INPUT_ONLY];
  Colour colour = 24;
}
message Inner { string leaf = 1; bool flag = 2; }
message Tree { repeated Tree children = 1; Tree parent = 2; string text = 3; }
// What it looks like.
enum Colour {
  COLOUR_UNSPECIFIED = 0;
  // Like grass.
  GREEN = 1;
}
"#;

fn document() -> Value {
    openapi::document(&Routes::compile(&kit::pool(SOURCE)).unwrap())
}

#[test]
fn foreign_methods_are_documented_without_access_or_a_name_of_ours() {
    let document = document();
    assert_eq!(document["info"]["title"], json!("API"));
    assert!(document["components"].get("securitySchemes").is_none());
    let get = &document["paths"]["/v1/store/{name}"]["get"];
    assert_eq!(get["operationId"], json!("Store_GetThing"));
    assert_eq!(get["summary"], json!("Get thing"));
    assert_eq!(
        get["responses"]["200"]["content"]["application/json"]["schema"],
        json!({"$ref": "#/components/schemas/Tree"})
    );
    assert!(get.get("security").is_none());
}

#[test]
fn variables_of_several_segments_have_a_parameter_for_each_wildcard() {
    let document = document();
    let get = &document["paths"]["/v1/shelves/{name_1}/things/{name_2}"]["get"];
    assert_eq!(get["operationId"], json!("Shop_GetThing"));
    assert_eq!(get["parameters"][1]["name"], json!("name_2"));
    assert_eq!(
        document["paths"]["/v1/things/{name}:peek"]["get"]["operationId"],
        json!("Shop_GetThing_2")
    );
    assert!(document["paths"]["/v1/files/{segment_3}"]["post"].is_object());
}

#[test]
fn queries_hold_what_one_text_can_give() {
    let document = document();
    let parameters = document["paths"]["/v1/watch"]["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter();
    let names: Vec<_> = parameters
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "name",
            "tags",
            "inner.leaf",
            "inner.flag",
            "tree.text",
            "since",
            "colour"
        ]
    );
    let colour = &document["paths"]["/v1/watch"]["get"]["parameters"][6];
    assert_eq!(colour["required"], json!(true));
}

#[test]
fn every_type_has_its_json_form() {
    let document = document();
    let thing = &document["components"]["schemas"]["Thing"]["properties"];
    let inner = json!({"$ref": "#/components/schemas/Inner"});
    let numbers = json!({"anyOf": [
        {"type": "number", "format": "double"},
        {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]},
    ]});
    let rows = [
        (
            "count",
            json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"}),
        ),
        (
            "big",
            json!({"type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$"}),
        ),
        ("weight", numbers),
        (
            "data",
            json!({"type": "string", "format": "byte", "contentEncoding": "base64"}),
        ),
        ("small", json!({"type": "integer", "format": "uint32"})),
        ("at", json!({"type": "string", "format": "date-time"})),
        (
            "lasts",
            json!({"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"}),
        ),
        ("mask", json!({"type": "string"})),
        ("free", json!({"type": "object", "additionalProperties": true})),
        ("any_value", json!({})),
        ("list", json!({"type": "array", "items": {}})),
        ("nothing", json!({"type": "object", "additionalProperties": false})),
        (
            "boxed",
            json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"}),
        ),
        ("by_name", json!({"type": "object", "additionalProperties": inner})),
        ("maybe", json!({"type": "string"})),
        ("tree", json!({"$ref": "#/components/schemas/Tree"})),
    ];
    for (name, schema) in rows {
        assert_eq!(thing[name], schema, "{name}");
    }
    assert_eq!(thing["by_number"]["propertyNames"], json!({"pattern": "^-?[0-9]+$"}));
    let colour = &document["components"]["schemas"]["Colour"];
    assert_eq!(colour["enum"], json!(["COLOUR_UNSPECIFIED", "GREEN"]));
    assert_eq!(
        colour["description"],
        json!("What it looks like.\n\n- `COLOUR_UNSPECIFIED`\n- `GREEN`: Like grass.")
    );
}

#[test]
fn requests_and_responses_have_schemas_of_their_own() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let body = &schemas["PutThingBody"];
    assert_eq!(body["additionalProperties"], json!(false));
    assert!(body["properties"]["secret"]["writeOnly"] == json!(true));
    assert_eq!(body["properties"]["small"]["maximum"], json!(u32::MAX));
    assert!(
        schemas["Thing"]["properties"].get("secret").is_none(),
        "never in responses"
    );
    // The path binds `inner.leaf`.
    assert!(body["properties"]["inner"]["properties"].get("leaf").is_none());
    assert!(body["properties"]["inner"]["properties"].get("flag").is_some());
    assert_eq!(
        body["properties"]["by_name"]["additionalProperties"],
        json!({"$ref": "#/components/schemas/InnerInput"})
    );
    assert_eq!(schemas["Inner"]["required"], json!(["leaf", "flag"]));
    assert!(schemas["InnerInput"].get("required").is_none());
    assert_eq!(
        body["properties"]["colour"],
        json!({"anyOf": [{"$ref": "#/components/schemas/Colour"}, {"type": "null"}]}),
        "null leaves a field out"
    );
    let choice = json!({"anyOf": [
        {"required": ["left", "right"]},
        {"required": ["left", "middle"]},
        {"required": ["right", "middle"]},
    ]});
    assert_eq!(body["not"], choice);
    assert_eq!(
        schemas["Tree"]["properties"]["parent"],
        json!({"$ref": "#/components/schemas/Tree"})
    );
}

#[test]
fn streams_raw_content_and_custom_methods_are_shown_as_far_as_openapi_can() {
    let document = document();
    let watched = &document["paths"]["/v1/watch"]["get"]["responses"]["200"]["content"];
    assert!(watched["application/x-ndjson"]["schema"]["anyOf"].is_array());
    assert!(watched["text/event-stream"].is_object());
    let upload = &document["paths"]["/v1/files/{segment_3}"]["post"];
    assert!(upload["requestBody"]["content"]["*/*"].is_object());
    assert!(upload["responses"]["200"]["content"]["*/*"].is_object());
    let any = document["paths"]["/v1/any"].as_object().unwrap();
    assert_eq!(
        any.keys().collect::<Vec<_>>(),
        ["get", "put", "post", "delete", "patch"]
    );
    assert_eq!(
        any["get"]["requestBody"]["content"]["application/json"]["schema"]["type"],
        json!("array")
    );
    assert!(document["paths"].get("/v1/report").is_none());
}
