//! Schemas of messages, enums and fields.

use std::collections::{BTreeMap, HashSet};

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{
    comments::{Comment, Comments},
    names::Names,
    well_known,
};
use crate::options::FieldBehavior;

/// Which way a message goes. Requests and responses have schemas of their own: a response shows every field that has
/// no presence, while a request may leave it out; and what a request does not know is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// In a request.
    In,
    /// In a response.
    Out,
}

/// The schemas under `components`, made when they are first referred to.
pub(super) struct Schemas<'a> {
    comments: &'a Comments,
    names: Names,
    /// The full names of the messages that responses hold.
    responses: HashSet<String>,
    /// The names given to the forms that requests take of such messages.
    inputs: BTreeMap<String, String>,
    done: BTreeMap<String, Value>,
}

/// How a body's schema differs from its message's.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut {
    /// The field paths that the HTTP path binds, so that the body need not.
    pub(super) bound: Vec<Vec<String>>,
    /// Whether every field may be left out.
    pub(super) partial: bool,
}

impl Cut {
    /// Whether the schema is the message's own.
    pub(super) fn is_nothing(&self) -> bool {
        self.bound.is_empty() && !self.partial
    }

    /// Whether a field is bound itself.
    pub(super) fn takes(&self, field: &str) -> bool {
        self.bound
            .iter()
            .any(|path| matches!(path.as_slice(), [only] if only == field))
    }

    /// The cut of a field's own message: what is bound below the field.
    pub(super) fn below(&self, field: &str) -> Self {
        let tail = |path: &Vec<String>| match path.split_first() {
            Some((first, rest)) if first == field && !rest.is_empty() => Some(rest.to_vec()),
            _ => None,
        };
        Self {
            bound: self.bound.iter().filter_map(tail).collect(),
            partial: false,
        }
    }
}

impl<'a> Schemas<'a> {
    pub(super) fn new(comments: &'a Comments, names: Names, responses: HashSet<String>) -> Self {
        Self {
            comments,
            names,
            responses,
            inputs: BTreeMap::new(),
            done: BTreeMap::new(),
        }
    }

    /// Everything under `components/schemas`, by name.
    pub(super) fn into_components(self) -> BTreeMap<String, Value> {
        self.done
    }

    /// Adds a schema under a name like this one and refers to it.
    pub(super) fn add(&mut self, name: &str, schema: Value) -> Value {
        let name = self.names.reserve(name);
        let reference = reference(&name);
        self.done.insert(name, schema);
        reference
    }

    /// The schema of a message, by reference unless it is a well-known one.
    pub(super) fn message(&mut self, message: &MessageDescriptor, direction: Direction) -> Value {
        if let Some(schema) = well_known::message(message.full_name()) {
            return schema;
        }
        if message.full_name() == well_known::RAW {
            return json!({});
        }
        let name = self.message_name(message, direction);
        if !self.done.contains_key(&name) {
            // Present before its fields are looked at, so that a message may hold itself.
            self.done.insert(name.clone(), Value::Null);
            let schema = self.object(message, direction, &Cut::default());
            self.done.insert(name.clone(), schema);
        }
        reference(&name)
    }

    fn message_name(&mut self, message: &MessageDescriptor, direction: Direction) -> String {
        let full_name = message.full_name();
        let name = self.names.get(full_name).to_owned();
        if direction == Direction::Out || !self.responses.contains(full_name) {
            return name;
        }
        if let Some(known) = self.inputs.get(full_name) {
            return known.clone();
        }
        let name = self.names.reserve(&format!("{name}Input"));
        self.inputs.insert(full_name.to_owned(), name.clone());
        name
    }

    /// The schema of a message itself, less what is cut.
    pub(super) fn object(&mut self, message: &MessageDescriptor, direction: Direction, cut: &Cut) -> Value {
        let comment = self.comments.at(&message.parent_file(), message.path());
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields() {
            if cut.takes(field.name()) || is_hidden(&field, direction) {
                continue;
            }
            if !cut.partial && is_required(&field, direction) {
                required.push(field.name().to_owned());
            }
            let schema = self.property(&field, direction, &cut.below(field.name()));
            properties.insert(field.name().to_owned(), schema);
        }
        let mut schema = json!({"type": "object"});
        describe(&mut schema, &comment);
        schema["properties"] = Value::Object(properties);
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if direction == Direction::In {
            schema["additionalProperties"] = json!(false);
        }
        if let Some(excluded) = exclusive(message, cut) {
            schema["not"] = excluded;
        }
        schema
    }

    fn property(&mut self, field: &FieldDescriptor, direction: Direction, cut: &Cut) -> Value {
        let behavior = FieldBehavior::of(field);
        let read_only = behavior.contains(&FieldBehavior::OutputOnly);
        // What only the service sets is ignored in a request: it may come back as it was read.
        let direction = if read_only { Direction::Out } else { direction };
        let mut schema = match field.kind() {
            Kind::Message(inner) if !cut.is_nothing() => self.object(&inner, direction, cut),
            _ => self.field(field, direction),
        };
        if direction == Direction::In && !is_required(field, direction) {
            allow_null(&mut schema);
        }
        describe(&mut schema, &self.comment(field));
        if read_only {
            schema["readOnly"] = json!(true);
        }
        if behavior.contains(&FieldBehavior::InputOnly) {
            schema["writeOnly"] = json!(true);
        }
        if is_deprecated(field) {
            schema["deprecated"] = json!(true);
        }
        schema
    }

    /// The schema of a field's value, without its description.
    pub(super) fn field(&mut self, field: &FieldDescriptor, direction: Direction) -> Value {
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let value = self.single(&entry.map_entry_value_field().kind(), direction);
                let mut schema = json!({"type": "object", "additionalProperties": value});
                if let Some(pattern) = key_pattern(&entry.map_entry_key_field().kind()) {
                    schema["propertyNames"] = json!({"pattern": pattern});
                }
                schema
            }
            kind if field.is_list() => json!({"type": "array", "items": self.single(&kind, direction)}),
            kind => self.single(&kind, direction),
        }
    }

    fn single(&mut self, kind: &Kind, direction: Direction) -> Value {
        match kind {
            Kind::Message(message) => self.message(message, direction),
            Kind::Enum(kind) if kind.full_name() == "google.protobuf.NullValue" => json!({"type": "null"}),
            Kind::Enum(kind) => self.enumeration(kind),
            scalar => well_known::scalar(scalar).map_or_else(|| json!({}), |schema| bounded(schema, direction)),
        }
    }

    fn enumeration(&mut self, kind: &EnumDescriptor) -> Value {
        let name = self.names.get(kind.full_name()).to_owned();
        if !self.done.contains_key(&name) {
            let mut comment = self.comments.at(&kind.parent_file(), kind.path());
            let values: Vec<_> = kind.values().map(|value| value.name().to_owned()).collect();
            let listed: Vec<_> = kind.values().map(|value| self.enum_value(&value)).collect();
            comment.text = [comment.text, listed.join("\n")].join("\n\n").trim().to_owned();
            let mut schema = json!({"type": "string"});
            describe(&mut schema, &comment);
            schema["enum"] = json!(values);
            self.done.insert(name.clone(), schema);
        }
        reference(&name)
    }

    /// A line about a value of an enum.
    fn enum_value(&self, value: &prost_reflect::EnumValueDescriptor) -> String {
        let text = self.comments.at(&value.parent_file(), value.path()).text;
        let colon = if text.is_empty() { "" } else { ": " };
        format!("- `{}`{colon}{}", value.name(), text.replace("\n\n", " "))
    }

    /// What is written about a field.
    pub(super) fn comment(&self, field: &FieldDescriptor) -> Comment {
        let mut comment = self.comments.at(&field.parent_file(), field.path());
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        if let Some(oneof) = oneof {
            let members: Vec<_> = oneof.fields().map(|field| format!("`{}`", field.name())).collect();
            let note = format!("At most one of {} is set.", members.join(", "));
            comment.text = [comment.text, note].join("\n\n").trim().to_owned();
        }
        comment
    }
}

/// Only a request needs to be told the bounds of a number, which a response cannot leave.
fn bounded(mut schema: Value, direction: Direction) -> Value {
    if let (Direction::Out, Some(members)) = (direction, schema.as_object_mut()) {
        members.remove("minimum");
        members.remove("maximum");
    }
    schema
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Adds a comment's text and example to a schema.
pub(super) fn describe(schema: &mut Value, comment: &Comment) {
    if !comment.text.is_empty() {
        schema["description"] = json!(comment.text);
    }
    if let Some(example) = &comment.example {
        schema["examples"] = json!([example]);
    }
}

/// Whether a field is not shown at all: responses never carry what is only ever in requests.
fn is_hidden(field: &FieldDescriptor, direction: Direction) -> bool {
    direction == Direction::Out && FieldBehavior::of(field).contains(&FieldBehavior::InputOnly)
}

/// Whether a message of this direction always has the field.
pub(super) fn is_required(field: &FieldDescriptor, direction: Direction) -> bool {
    use prost_reflect::Cardinality;
    let behavior = FieldBehavior::of(field);
    let is_said = behavior.contains(&FieldBehavior::Required) || field.cardinality() == Cardinality::Required;
    match direction {
        Direction::In => is_said && !behavior.contains(&FieldBehavior::OutputOnly),
        Direction::Out => is_said || !field.supports_presence(),
    }
}

fn is_deprecated(field: &FieldDescriptor) -> bool {
    let options = field.field_descriptor_proto().options.as_ref();
    options.is_some_and(|options| options.deprecated())
}

/// Lets a schema take `null`, which in a request means the same as leaving the field out.
fn allow_null(schema: &mut Value) {
    let nothing = json!({"type": "null"});
    if let Some(kind) = schema.get("type").and_then(Value::as_str) {
        if kind != "null" {
            schema["type"] = json!([kind, "null"]);
        }
    } else if let Some(choices) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.push(nothing);
    } else if schema.get("$ref").is_some() {
        *schema = json!({"anyOf": [schema.take(), nothing]});
    }
}

/// The pairs of fields that exclude each other, as members of one oneof.
fn exclusive(message: &MessageDescriptor, cut: &Cut) -> Option<Value> {
    let mut pairs = Vec::new();
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let members: Vec<_> = oneof.fields().filter(|field| !cut.takes(field.name())).collect();
        for (index, first) in members.iter().enumerate() {
            for second in members.iter().skip(index + 1) {
                pairs.push(json!({"required": [first.name(), second.name()]}));
            }
        }
    }
    match pairs.len() {
        0 => None,
        1 => pairs.pop(),
        _ => Some(json!({"anyOf": pairs})),
    }
}

/// What the keys of a map look like, which are always text in JSON.
fn key_pattern(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::String => None,
        Kind::Bool => Some("^(true|false)$"),
        Kind::Uint32 | Kind::Uint64 | Kind::Fixed32 | Kind::Fixed64 => Some("^[0-9]+$"),
        _ => Some("^-?[0-9]+$"),
    }
}
