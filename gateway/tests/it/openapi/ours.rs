use std::{collections::HashSet, env, fs, path::Path};

use gateway::{openapi, route::Routes};
use prost_reflect::{DescriptorPool, DynamicMessage, Kind};
use serde_json::{Value, json};

use super::{operations, resolve, walk};

fn routes() -> Routes {
    Routes::compile(&DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap()).unwrap()
}

fn document() -> Value {
    openapi::document(&routes())
}

/// Leaves the document where checks by other programs find it.
#[test]
fn the_document_can_be_written_to_a_file() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let text = serde_json::to_string_pretty(&document()).unwrap();
    fs::write(folder.join("openapi.json"), &text).unwrap();
    assert!(text.contains("\"openapi\": \"3.1.0\""));
}

#[test]
fn every_binding_is_an_operation() {
    let document = document();
    let shown: HashSet<_> = operations(&document)
        .iter()
        .map(|(path, method, _)| format!("{} {path}", method.to_uppercase()))
        .collect();
    assert_eq!(shown.len(), routes().iter().count());
    for expected in [
        "POST /api/v1/auth/register",
        "PATCH /api/v1/users/{id}",
        "PUT /api/v1/widgets/{name}",
        "DELETE /api/v1/widgets/{name}",
        "GET /.well-known/jwks.json",
    ] {
        assert!(shown.contains(expected), "{expected} is not in {shown:?}");
    }
}

#[test]
fn every_operation_parameter_and_property_is_described() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        for text in ["summary", "description", "operationId"] {
            assert!(is_text(&operation[text]), "{method} {path} has no {text}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(is_text(&parameter["description"]), "{method} {path}: {parameter}");
        }
    }
    walk(&document["components"]["schemas"], "", &mut |path, value| {
        let Some(properties) = value.get("properties").and_then(Value::as_object) else {
            return;
        };
        for (name, property) in properties.iter().filter(|(_, property)| property.is_object()) {
            assert!(is_text(&property["description"]), "{path} {name} is not described");
        }
    });
    for tag in document["tags"].as_array().unwrap() {
        assert!(is_text(&tag["description"]), "{tag}");
    }
}

fn is_text(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| !text.trim().is_empty() && !text.contains("Example:"))
}

#[test]
fn operation_ids_are_unique_and_every_reference_leads_somewhere() {
    let document = document();
    let ids: Vec<_> = operations(&document)
        .iter()
        .map(|(_, _, operation)| operation["operationId"].to_string())
        .collect();
    let distinct: HashSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len(), "{ids:?}");

    let mut references = 0;
    walk(&document, "", &mut |path, value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let target = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(target.is_some_and(Value::is_object), "{path}: {reference}");
            references += 1;
        }
    });
    assert!(references > 100, "only {references} references");
}

#[test]
fn access_gives_security_401_and_403() {
    let document = document();
    let responses = |path: &str, method: &str| {
        let operation = &document["paths"][path][method];
        let responses = operation["responses"].as_object().unwrap();
        let refused = |status| responses.contains_key(status);
        (operation["security"].clone(), refused("401"), refused("403"))
    };
    let bearer = json!([{"bearerAuth": []}]);
    assert_eq!(responses("/api/v1/widgets", "post"), (bearer.clone(), true, true));
    assert_eq!(responses("/api/v1/widgets", "get"), (bearer.clone(), true, false));
    // Their comments name the codes.
    assert_eq!(responses("/api/v1/auth/register", "post"), (json!([]), false, true));
    assert_eq!(responses("/api/v1/auth/login", "post"), (json!([]), true, false));
    assert_eq!(responses("/api/v1/auth/password", "post"), (bearer, true, true));
    assert_eq!(responses("/.well-known/jwks.json", "get"), (json!([]), false, false));
    let scheme = &document["components"]["securitySchemes"]["bearerAuth"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
}

#[test]
fn statuses_follow_from_the_method() {
    let document = document();
    let always = ["400", "406", "429", "500", "502", "503", "504", "default"];
    let rows: [(&str, &str, &[&str]); 5] = [
        ("/api/v1/widgets", "get", &["200", "401"]),
        (
            "/api/v1/widgets",
            "post",
            &["200", "201", "401", "403", "409", "413", "415"],
        ),
        ("/api/v1/widgets/{name}", "get", &["200", "304", "401", "404"]),
        (
            "/api/v1/widgets/{name}",
            "put",
            &["200", "201", "401", "403", "404", "409", "412", "413", "415"],
        ),
        (
            "/api/v1/widgets/{name}",
            "delete",
            &["204", "401", "403", "404", "409", "412"],
        ),
    ];
    for (path, method, statuses) in rows {
        let responses = document["paths"][path][method]["responses"].as_object().unwrap();
        let shown: HashSet<_> = responses.keys().map(String::as_str).collect();
        let expected: HashSet<_> = statuses.iter().chain(&always).copied().collect();
        assert_eq!(shown, expected, "{method} {path}");
        for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with(['2', '3'])) {
            let response = resolve(&document, response);
            let schema = &response["content"]["application/problem+json"]["schema"];
            assert_eq!(*schema, json!({"$ref": "#/components/schemas/Problem"}), "{status}");
        }
    }
    let gone = &document["paths"]["/api/v1/widgets/{name}"]["get"]["responses"]["404"]["description"];
    assert!(gone.as_str().unwrap().contains("`WIDGET_NOT_FOUND`"), "{gone}");
}

#[test]
fn responses_name_their_headers() {
    let document = document();
    let headers = |path: &str, method: &str, status: &str| {
        let response = resolve(&document, &document["paths"][path][method]["responses"][status]);
        let headers = response["headers"].as_object().unwrap().keys().cloned();
        headers.collect::<HashSet<_>>()
    };
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<HashSet<_>>();
    let widget = "/api/v1/widgets/{name}";
    assert_eq!(
        headers("/api/v1/widgets", "post", "201"),
        set(&["Location", "ETag", "X-Request-Id"])
    );
    assert_eq!(
        headers("/api/v1/widgets", "post", "200"),
        set(&["ETag", "X-Request-Id"])
    );
    assert_eq!(headers("/api/v1/widgets", "get", "200"), set(&["Link", "X-Request-Id"]));
    assert_eq!(headers(widget, "get", "304"), set(&["ETag", "X-Request-Id"]));
    assert_eq!(
        headers(widget, "get", "401"),
        set(&["WWW-Authenticate", "X-Request-Id"])
    );
    assert_eq!(headers(widget, "get", "503"), set(&["Retry-After", "X-Request-Id"]));
    assert_eq!(
        headers(widget, "get", "429"),
        set(&["Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"])
    );
}

#[test]
fn a_widget_is_described_both_ways() {
    let document = document();
    let widget = &document["components"]["schemas"]["Widget"];
    for name in ["name", "info_url", "deadline", "description", "deadline_passed"] {
        assert!(required(widget).contains(name), "{name}");
    }
    assert!(!required(widget).contains("owner"));
    assert_eq!(widget["properties"]["created_at"]["readOnly"], json!(true));
    assert_eq!(widget["properties"]["created_at"]["format"], json!("date-time"));
    assert_eq!(widget["properties"]["name"]["examples"], json!(["sprocket-9"]));

    let body = |path: &str, method: &str| {
        let body = &document["paths"][path][method]["requestBody"];
        assert_eq!(body["required"], json!(true));
        resolve(&document, &body["content"]["application/json"]["schema"])
    };
    let created = body("/api/v1/widgets", "post");
    assert_eq!(required(created), HashSet::from(["name", "info_url", "deadline"]));
    assert_eq!(created["additionalProperties"], json!(false));
    assert_eq!(created["properties"]["created_at"]["readOnly"], json!(true));
    let replaced = body("/api/v1/widgets/{name}", "put");
    assert_eq!(required(replaced), HashSet::from(["info_url", "deadline"]));
    assert!(replaced["properties"].get("name").is_none(), "the path says it");
    let changed = body("/api/v1/widgets/{name}", "patch");
    assert!(required(changed).is_empty());
    assert_eq!(changed["properties"]["description"]["type"], json!(["string", "null"]));
}

fn required(schema: &Value) -> HashSet<&str> {
    let names = schema["required"].as_array().into_iter().flatten();
    names.map(|name| name.as_str().unwrap()).collect()
}

/// Every example is what its method's request message takes.
#[test]
fn examples_are_good_requests() {
    let document = document();
    let mut played = 0;
    for route in &routes() {
        let path = route.template.text().replace("{widget.", "{").replace("{user.", "{");
        let method = route.http_method.to_string().to_lowercase();
        let body = &document["paths"][&path][&method]["requestBody"]["content"]["application/json"];
        let Some(example) = body.get("example") else {
            continue;
        };
        let message = match &route.body {
            gateway::route::Body::Field(field) => match field.kind() {
                Kind::Message(message) => message,
                other => panic!("{other:?}"),
            },
            _ => route.method.input(),
        };
        let read = DynamicMessage::deserialize(message, example);
        assert!(read.is_ok(), "{path}: {example}: {read:?}");
        played += 1;
    }
    assert_eq!(
        played, 8,
        "examples of the bodies of register, login, password, delete-account, users and widgets"
    );
}

/// Every example of a field is a value of that field.
#[test]
fn examples_of_fields_fit_their_types() {
    let document = document();
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    let mut played = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let Some(message) = pool.all_messages().find(|message| message.name() == name) else {
            continue;
        };
        for (field, property) in schema["properties"].as_object().unwrap() {
            for example in property["examples"].as_array().into_iter().flatten() {
                let read = DynamicMessage::deserialize(message.clone(), &json!({ field: example }));
                assert!(read.is_ok(), "{name}.{field}: {example}: {read:?}");
                played += 1;
            }
        }
    }
    assert!(played > 30, "only {played} examples");
}
