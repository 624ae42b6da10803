//! What stops the start, and how it is reported.

use gateway::route::Routes;
use prost_reflect::DescriptorPool;

use crate::kit;

const TYPES: &str = r#"
message Inner { string leaf = 1; google.protobuf.Timestamp at = 2; repeated string many = 3; }
message Request {
  string id = 1; Inner inner = 2; repeated string tags = 3; map<string, string> labels = 4;
  google.protobuf.Struct any = 5; google.protobuf.Int64Value count = 6;
  oneof choice { string left = 7; string right = 8; }
}
message Reply { string name = 1; Inner inner = 2; }
"#;

/// A service whose one method, on line 6, carries the given options.
fn compile(streaming: &str, options: &str) -> Result<Routes, String> {
    let source = format!(
        "syntax = \"proto3\"; package test.v1;\n\
         import \"google/api/annotations.proto\"; import \"gatehouse/options/v1/options.proto\";\n\
         import \"google/protobuf/timestamp.proto\"; import \"google/protobuf/struct.proto\";\n\
         import \"google/protobuf/wrappers.proto\";\n\
         service Test {{\n\
         rpc Call({streaming} Request) returns (Reply) {{ {options} }}\n\
         }}\n{TYPES}"
    );
    Routes::compile(&kit::pool(&source)).map_err(|faults| faults.to_string())
}

#[test]
fn a_fault_names_file_line_method_template_and_column() {
    let message = compile("", r#"option (google.api.http) = {get: "/v1/{nothing}"};"#).unwrap_err();
    assert_eq!(
        message,
        "test.proto:6: test.v1.Test.Call: `/v1/{nothing}` column 6: test.v1.Request has no field `nothing`"
    );
}

#[test]
fn without_source_info_a_fault_names_the_rest() {
    let source = "syntax = \"proto3\"; package test.v1; import \"google/api/annotations.proto\";\n\
        service Test { rpc Call(M) returns (M) { option (google.api.http) = {get: \"/{x}\"}; } } message M {}";
    let set = kit::compile(source, false);
    let pool = DescriptorPool::decode(set.as_slice()).unwrap();
    let message = Routes::compile(&pool).unwrap_err().to_string();
    assert_eq!(
        message,
        "test.proto: test.v1.Test.Call: `/{x}` column 3: test.v1.M has no field `x`"
    );
}

#[test]
fn every_rule_of_bindings_is_checked() {
    let rows = [
        (r#"get: "/{tags}""#, "column 3: `tags` is repeated"),
        (r#"get: "/{labels}""#, "column 3: `labels` is repeated"),
        (r#"get: "/{inner}""#, "column 3: `inner` is a message"),
        (r#"get: "/{any}""#, "column 3: `any` is a message"),
        (r#"get: "/{inner.many}""#, "column 9: `many` is repeated"),
        (r#"get: "/{inner.none}""#, "column 9: test.v1.Inner has no field `none`"),
        (r#"get: "/{id.x}""#, "column 3: `id` has no fields"),
        (r#"get: "/{inner.at.seconds}""#, "column 9: `at` has no fields"),
        (
            r#"get: "/{left}/{right}""#,
            "column 10: two variables bind the oneof `choice`",
        ),
        (r#"body: "*""#, "the rule has no pattern"),
        (
            r#"post: "/a" body: "none""#,
            "body: test.v1.Request has no field `none`",
        ),
        (r#"post: "/a" body: "inner.leaf""#, "body names a top-level field"),
        (r#"post: "/{id}" body: "id""#, "bound by the path and by the body"),
        (
            r#"get: "/a" response_body: "none""#,
            "response_body: test.v1.Reply has no field `none`",
        ),
        (
            r#"get: "/a" response_body: "inner.leaf""#,
            "response_body names a top-level field",
        ),
        (
            r#"get: "/a" additional_bindings {get: "/a"}"#,
            "fits the same paths as `/a` of test.v1.Test.Call (test.proto:6)",
        ),
        (
            r#"get: "/{id}" additional_bindings {get: "/{inner.leaf}"}"#,
            "fits the same paths",
        ),
        (
            r#"get: "/a" additional_bindings {get: "/b" additional_bindings {get: "/c"}}"#,
            "do not nest",
        ),
        (r#"custom {kind: "OPTIONS" path: "/a"}"#, "answered by the gateway"),
        (r#"custom {kind: "A B" path: "/a"}"#, "is not an HTTP method"),
    ];
    for (rule, problem) in rows {
        let message = compile("", &format!("option (google.api.http) = {{{rule}}};")).expect_err(rule);
        assert!(message.contains(problem), "{rule}: {message}");
    }
}

#[test]
fn every_rule_of_http_response_is_checked() {
    let rows = [
        ("status: 404", "must be 200 to 299"),
        (r#"location: "x""#, "begins with `/`"),
        (r#"location: "/{nothing}""#, "test.v1.Reply has no field `nothing`"),
        (r#"cache_control: "a\nb""#, "not a header value"),
    ];
    for (option, problem) in rows {
        let options = format!(
            "option (google.api.http) = {{get: \"/a\"}}; option (gatehouse.options.v1.http_response) = {{{option}}};"
        );
        let message = compile("", &options).expect_err(option);
        assert!(message.contains(problem), "{option}: {message}");
    }
}

#[test]
fn a_client_stream_cannot_be_bound() {
    let message = compile("stream", r#"option (google.api.http) = {post: "/a" body: "*"};"#).unwrap_err();
    assert!(message.contains("client-streaming"), "{message}");
}

#[test]
fn all_faults_are_reported_at_once() {
    let rule = r#"option (google.api.http) = {get: "/a/" additional_bindings {get: "/{x}"}};"#;
    let message = compile("", rule).unwrap_err();
    assert_eq!(message.lines().count(), 2, "{message}");
}

#[test]
fn good_bindings_become_routes() {
    let rule = r#"option (google.api.http) = {
        post: "/{id}/{inner.leaf}" body: "*"
        additional_bindings {custom {kind: "*" path: "/{count}/{inner.at}/x"}}
        additional_bindings {custom {kind: "REPORT" path: "/{left}"} response_body: "inner" body: "inner"}
    };"#;
    let routes = compile("", rule).unwrap();
    let shown: Vec<_> = routes
        .iter()
        .map(|route| format!("{} {}", route.http_method, route.template))
        .collect();
    assert_eq!(
        shown,
        ["POST /{id}/{inner.leaf}", "* /{count}/{inner.at}/x", "REPORT /{left}"]
    );
    assert!(
        routes.iter().all(|route| route.access.is_none()),
        "foreign descriptors need no access"
    );
    assert_eq!(routes.iter().next().unwrap().grpc_path(), "/test.v1.Test/Call");
}
