//! The request body of an operation.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{
    comments::Comments,
    examples,
    schema::{Cut, Direction, Schemas, is_required},
    well_known,
};
use crate::route::{Body, HttpMethod, Route, is_scalar_like};

const JSON: &str = "application/json";

/// The request body of a route; `None` when it takes none.
pub(super) fn of(comments: &Comments, schemas: &mut Schemas<'_>, route: &Route, operation_id: &str) -> Option<Value> {
    let mut maker = Maker {
        comments,
        schemas,
        route,
        operation_id,
    };
    match &route.body {
        Body::None => None,
        Body::Whole => Some(maker.whole()),
        Body::Field(field) => Some(maker.field(field)),
    }
}

struct Maker<'a, 'b> {
    comments: &'a Comments,
    schemas: &'a mut Schemas<'b>,
    route: &'a Route,
    operation_id: &'a str,
}

impl Maker<'_, '_> {
    fn whole(&mut self) -> Value {
        let request = self.route.method.input();
        if request.full_name() == well_known::RAW {
            return raw(false);
        }
        let cut = self.cut(&[]);
        let needed = |field: FieldDescriptor| is_required(&field, Direction::In) && !cut.takes(field.name());
        let required = request.fields().any(needed);
        let description = self.comments.at(&request.parent_file(), request.path()).text;
        let content = self.content(&request, &[], &cut);
        body(&description, required, content)
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        let required = is_required(field, Direction::In);
        let comment = self.comments.at(&field.parent_file(), field.path());
        match field.kind() {
            Kind::Message(message) if message.full_name() == well_known::RAW => raw(required),
            Kind::Message(message) if is_structured(field) => {
                let prefix = [field.name().to_owned()];
                let cut = self.cut(&prefix);
                let content = self.content(&message, &prefix, &cut);
                body(&comment.text, required, content)
            }
            _ => {
                let mut media = json!({"schema": self.schemas.field(field, Direction::In)});
                if let Some(example) = examples::field(self.comments, field) {
                    media["example"] = example;
                }
                body(&comment.text, required, Map::from_iter([(JSON.to_owned(), media)]))
            }
        }
    }

    /// What the path binds of a message at this prefix of the request.
    fn cut(&self, prefix: &[String]) -> Cut {
        let variables = self.route.template.variables().iter();
        let below = variables.filter_map(|variable| variable.field_path.strip_prefix(prefix));
        Cut {
            bound: below.map(<[String]>::to_vec).collect(),
            partial: self.route.http_method == HttpMethod::Named(http::Method::PATCH),
        }
    }

    /// The content of a body that is a message. Forms, which are read too, are not shown: a second media type makes
    /// generated clients take either of two bodies.
    fn content(&mut self, message: &MessageDescriptor, prefix: &[String], cut: &Cut) -> Map<String, Value> {
        let schema = if prefix.is_empty() && cut.is_nothing() {
            self.schemas.message(message, Direction::In)
        } else {
            let schema = self.schemas.object(message, Direction::In, cut);
            self.schemas.add(&format!("{}Body", self.operation_id), schema)
        };
        let mut json = json!({"schema": schema});
        if let Some(example) = examples::message(self.comments, message, cut) {
            json["example"] = example;
        }
        Map::from_iter([(JSON.to_owned(), json)])
    }
}

/// Whether a field is a message of fields, not a list of it and not one of the well-known forms.
fn is_structured(field: &FieldDescriptor) -> bool {
    let Kind::Message(message) = field.kind() else {
        return false;
    };
    let is_single = !field.is_list() && !field.is_map();
    is_single && !is_scalar_like(field) && well_known::message(message.full_name()).is_none()
}

fn body(description: &str, required: bool, content: Map<String, Value>) -> Value {
    let mut body = json!({});
    if !description.is_empty() {
        body["description"] = json!(description);
    }
    if required {
        body["required"] = json!(true);
    }
    body["content"] = Value::Object(content);
    body
}

/// Any bytes of any type.
fn raw(required: bool) -> Value {
    body(
        "Any content.",
        required,
        Map::from_iter([("*/*".to_owned(), json!({"schema": {}}))]),
    )
}
