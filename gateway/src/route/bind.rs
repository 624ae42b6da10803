//! Checks that what a rule names exists and can be bound.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::Body;
use crate::{
    options::HttpResponse,
    template::{Template, TemplateFault, Variable},
};

/// The well-known messages whose JSON form is one text, so that a path or a query can hold them.
const SCALAR_LIKE: [&str; 12] = [
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
    "google.protobuf.BoolValue",
    "google.protobuf.BytesValue",
    "google.protobuf.DoubleValue",
    "google.protobuf.FloatValue",
    "google.protobuf.Int32Value",
    "google.protobuf.Int64Value",
    "google.protobuf.StringValue",
    "google.protobuf.UInt32Value",
    "google.protobuf.UInt64Value",
];

/// Whether one text can give the field's value.
pub(crate) fn is_scalar_like(field: &FieldDescriptor) -> bool {
    match field.kind() {
        Kind::Message(message) => SCALAR_LIKE.contains(&message.full_name()),
        _ => true,
    }
}

/// The fields that the variables of a template bind.
pub(crate) fn variables(
    request: &MessageDescriptor,
    template: &Template,
) -> Result<Vec<Vec<FieldDescriptor>>, TemplateFault> {
    let mut bound: Vec<Vec<FieldDescriptor>> = Vec::new();
    for variable in template.variables() {
        let path = variable_path(request, variable)?;
        if let Some(oneof) = shared_oneof(&bound, &path) {
            return Err(fault(variable, format!("two variables bind the oneof `{oneof}`")));
        }
        bound.push(path);
    }
    Ok(bound)
}

fn fault(variable: &Variable, problem: String) -> TemplateFault {
    TemplateFault {
        column: variable.column,
        problem,
    }
}

fn variable_path(request: &MessageDescriptor, variable: &Variable) -> Result<Vec<FieldDescriptor>, TemplateFault> {
    let mut message = request.clone();
    let mut path = Vec::new();
    let last = variable.field_path.len() - 1;
    for (depth, name) in variable.field_path.iter().enumerate() {
        let column = variable.column
            + variable
                .field_path
                .iter()
                .take(depth)
                .map(|part| part.len() + 1)
                .sum::<usize>();
        let fault = |problem| TemplateFault { column, problem };
        let Some(field) = message.get_field_by_name(name) else {
            return Err(fault(format!("{} has no field `{name}`", message.full_name())));
        };
        if field.is_list() || field.is_map() {
            return Err(fault(format!("`{name}` is repeated; a path variable binds one value")));
        }
        match field.kind() {
            _ if field.is_group() => {
                return Err(fault(format!(
                    "`{name}` is a group; a path variable cannot go into one"
                )));
            }
            Kind::Message(inner) if depth < last && !is_scalar_like(&field) => message = inner,
            _ if depth < last => return Err(fault(format!("`{name}` has no fields of its own"))),
            _ if !is_scalar_like(&field) => {
                return Err(fault(format!(
                    "`{name}` is a message; a path variable binds a single value"
                )));
            }
            _ => {}
        }
        path.push(field);
    }
    Ok(path)
}

/// The oneof of which two paths hold different members.
fn shared_oneof(bound: &[Vec<FieldDescriptor>], path: &[FieldDescriptor]) -> Option<String> {
    bound.iter().find_map(|other| {
        let (left, right) = other.iter().zip(path).find(|(left, right)| left != right)?;
        let oneof = left.containing_oneof()?;
        (right.containing_oneof() == Some(oneof.clone())).then(|| oneof.name().to_owned())
    })
}

/// What `body` of a rule names.
pub(super) fn body(request: &MessageDescriptor, body: &str, template: &Template) -> Result<Body, String> {
    match body {
        "" => return Ok(Body::None),
        "*" => return Ok(Body::Whole),
        _ => {}
    }
    let field = top_level_field(request, "body", body)?;
    if template.variables().iter().any(|variable| variable.name() == body) {
        return Err(format!("`{body}` is bound by the path and by the body"));
    }
    Ok(Body::Field(field))
}

/// What `response_body` of a rule names.
pub(super) fn response_body(response: &MessageDescriptor, name: &str) -> Result<Option<FieldDescriptor>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    top_level_field(response, "response_body", name).map(Some)
}

fn top_level_field(message: &MessageDescriptor, option: &str, name: &str) -> Result<FieldDescriptor, String> {
    if name.contains('.') {
        return Err(format!("{option} names a top-level field; `{name}` has dots"));
    }
    message
        .get_field_by_name(name)
        .ok_or_else(|| format!("{option}: {} has no field `{name}`", message.full_name()))
}

/// Checks the `http_response` option: a 2xx status, and a location over single fields of the response.
pub(super) fn http_response(response: &MessageDescriptor, option: &HttpResponse) -> Result<(), String> {
    if option.status != 0 && !(200..300).contains(&option.status) {
        return Err(format!(
            "http_response.status is {}; it must be 200 to 299",
            option.status
        ));
    }
    if http::HeaderValue::from_str(&option.cache_control).is_err() {
        return Err("http_response.cache_control is not a header value".to_owned());
    }
    if option.location.is_empty() {
        return Ok(());
    }
    let in_location = |problem: String| format!("http_response.location `{}`: {problem}", option.location);
    let template = Template::parse(&option.location)
        .map_err(|found| in_location(format!("column {}: {}", found.column, found.problem)))?;
    variables(response, &template)
        .map_err(|found| in_location(format!("column {}: {}", found.column, found.problem)))?;
    Ok(())
}
