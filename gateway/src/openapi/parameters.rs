//! Parameters of an operation: in the path, in the query, and the conditional headers.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use super::{
    comments::Comment,
    schema::{Direction, Schemas, is_required},
};
use crate::{
    openapi::well_known,
    options::FieldBehavior,
    route::{Body, HttpMethod, Route, is_scalar_like},
    template::Segment,
};

/// The parameters of a route, whose wildcards the document calls by these names.
pub(super) fn of(schemas: &mut Schemas<'_>, route: &Route, http_method: &http::Method, wildcards: &[String]) -> Value {
    let mut parameters = path(schemas, route, wildcards);
    parameters.extend(query(schemas, route));
    parameters.extend(conditions(route, http_method));
    Value::Array(parameters)
}

fn path(schemas: &mut Schemas<'_>, route: &Route, names: &[String]) -> Vec<Value> {
    let segments = route.template.segments().iter().enumerate();
    let wildcards = segments.filter(|(_, segment)| !matches!(segment, Segment::Literal(_)));
    let parameters = wildcards.zip(names).map(|((index, segment), name)| {
        let bound = bound_at(route, index);
        let (comment, schema) = match bound {
            Some((field, true)) => (schemas.comment(field), schemas.field(field, Direction::In)),
            Some((field, false)) => (part_of(&schemas.comment(field), field), json!({"type": "string"})),
            None => (Comment::default(), json!({"type": "string"})),
        };
        let description = match segment {
            Segment::Rest => format!("{} It may hold slashes.", comment.text).trim().to_owned(),
            _ => comment.text,
        };
        let mut parameter = json!({"name": name, "in": "path", "required": true});
        if !description.is_empty() {
            parameter["description"] = json!(description);
        }
        parameter["schema"] = non_empty(schema);
        if let Some(example) = comment.example {
            parameter["example"] = example;
        }
        parameter
    });
    parameters.collect()
}

/// The field that a segment of the template fills, and whether it fills it alone.
fn bound_at(route: &Route, segment: usize) -> Option<(&FieldDescriptor, bool)> {
    let mut variables = route.template.variables().iter().zip(&route.variables);
    let (variable, fields) = variables.find(|(variable, _)| (variable.start..variable.end).contains(&segment))?;
    Some((fields.last()?, variable.end - variable.start == 1))
}

fn part_of(comment: &Comment, field: &FieldDescriptor) -> Comment {
    Comment {
        text: format!("A part of `{}`. {}", field.name(), comment.text)
            .trim()
            .to_owned(),
        example: None,
    }
}

/// A path variable takes a character at least.
fn non_empty(mut schema: Value) -> Value {
    if schema == json!({"type": "string"}) {
        schema["minLength"] = json!(1);
    }
    schema
}

fn query(schemas: &mut Schemas<'_>, route: &Route) -> Vec<Value> {
    if route.body == Body::Whole {
        return Vec::new();
    }
    let mut walk = Walk {
        route,
        fields: Vec::new(),
    };
    walk.message(&route.method.input(), &mut Vec::new(), &mut Vec::new(), true);
    let fields = walk.fields.into_iter();
    fields.map(|found| found.parameter(schemas)).collect()
}

/// A field that a query can fill.
struct Flat {
    /// Its dotted path.
    name: String,
    field: FieldDescriptor,
    required: bool,
}

impl Flat {
    fn parameter(self, schemas: &mut Schemas<'_>) -> Value {
        let comment = schemas.comment(&self.field);
        let mut parameter = json!({"name": self.name, "in": "query"});
        if self.required {
            parameter["required"] = json!(true);
        }
        if !comment.text.is_empty() {
            parameter["description"] = json!(comment.text);
        }
        let mut schema = schemas.field(&self.field, Direction::In);
        if let Some(example) = comment.example {
            schema["examples"] = json!([example]);
        }
        parameter["schema"] = schema;
        parameter
    }
}

struct Walk<'a> {
    route: &'a Route,
    fields: Vec<Flat>,
}

impl Walk<'_> {
    /// Looks at the fields of a message at a path. A message inside itself is not looked into again: what it could
    /// hold has no end.
    fn message(
        &mut self,
        message: &MessageDescriptor,
        path: &mut Vec<String>,
        outer: &mut Vec<String>,
        required: bool,
    ) {
        outer.push(message.full_name().to_owned());
        for field in message.fields() {
            path.push(field.name().to_owned());
            let behavior = FieldBehavior::of(&field);
            let is_body = path.len() == 1 && self.route.body == Body::Field(field.clone());
            if !is_body && !self.is_bound(path) && !behavior.contains(&FieldBehavior::OutputOnly) {
                self.field(&field, path, outer, required && is_required(&field, Direction::In));
            }
            path.pop();
        }
        outer.pop();
    }

    fn field(&mut self, field: &FieldDescriptor, path: &mut Vec<String>, outer: &mut Vec<String>, required: bool) {
        match field.kind() {
            _ if field.is_map() || field.is_group() => {}
            Kind::Message(inner) if !is_scalar_like(field) => {
                let is_opaque =
                    well_known::message(inner.full_name()).is_some() || inner.full_name() == well_known::RAW;
                if !field.is_list() && !is_opaque && !outer.iter().any(|name| name == inner.full_name()) {
                    self.message(&inner, path, outer, required);
                }
            }
            _ => self.fields.push(Flat {
                name: path.join("."),
                field: field.clone(),
                required,
            }),
        }
    }

    fn is_bound(&self, path: &[String]) -> bool {
        let mut variables = self.route.template.variables().iter();
        variables.any(|variable| variable.field_path == path)
    }
}

/// `If-None-Match` where there is an etag to compare with, `If-Match` where a request carries one.
fn conditions(route: &Route, http_method: &http::Method) -> Vec<Value> {
    let mut conditions = Vec::new();
    if *http_method == http::Method::GET && shows_etag(route) {
        conditions.push(json!({
            "name": "If-None-Match",
            "in": "header",
            "description": "An `ETag` of an earlier response: 304 if it still holds.",
            "schema": {"type": "string"},
        }));
    }
    if takes_etag(route) {
        conditions.push(json!({
            "name": "If-Match",
            "in": "header",
            "description": "An `ETag` of an earlier response: 412 unless it still holds.",
            "schema": {"type": "string"},
        }));
    }
    conditions
}

/// Whether responses have an `ETag`.
pub(super) fn shows_etag(route: &Route) -> bool {
    has_etag(&route.method.output())
}

/// Whether `If-Match` makes sense: it fills the etag of a request or of its body message. A POST is left out where only
/// its body has one: what is made anew has none to compare.
pub(super) fn takes_etag(route: &Route) -> bool {
    let in_body = match &route.body {
        Body::Field(field) if !field.is_list() => match field.kind() {
            Kind::Message(message) => has_etag(&message),
            _ => false,
        },
        _ => false,
    };
    let is = |method| route.http_method == HttpMethod::Named(method);
    !is(http::Method::GET) && (has_etag(&route.method.input()) || in_body && !is(http::Method::POST))
}

fn has_etag(message: &MessageDescriptor) -> bool {
    let field = message.get_field_by_name("etag");
    field.is_some_and(|field| !field.is_list() && matches!(field.kind(), Kind::String))
}
