//! Whole examples, put together from those of the fields.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::{
    comments::Comments,
    schema::{Cut, Direction, is_required},
};
use crate::options::FieldBehavior;

/// How deep messages are looked into.
const DEPTH: usize = 8;

/// An example of a message in a request; `None` when a field that must be there has none.
pub(super) fn message(comments: &Comments, message: &MessageDescriptor, cut: &Cut) -> Option<Value> {
    object(comments, message, cut, DEPTH).filter(|value| value.as_object().is_none_or(|object| !object.is_empty()))
}

/// An example of one field.
pub(super) fn field(comments: &Comments, field: &FieldDescriptor) -> Option<Value> {
    value(comments, field, &Cut::default(), DEPTH)
}

fn object(comments: &Comments, message: &MessageDescriptor, cut: &Cut, depth: usize) -> Option<Value> {
    if cut.is_nothing()
        && let Some(example) = comments.at(&message.parent_file(), message.path()).example
    {
        return Some(example);
    }
    let mut object = Map::new();
    for field in message.fields() {
        if cut.takes(field.name()) || FieldBehavior::of(&field).contains(&FieldBehavior::OutputOnly) {
            continue;
        }
        match value(comments, &field, &cut.below(field.name()), depth) {
            Some(value) => {
                object.insert(field.name().to_owned(), value);
            }
            None if is_required(&field, Direction::In) && !cut.partial => return None,
            None => {}
        }
    }
    Some(Value::Object(object))
}

fn value(comments: &Comments, field: &FieldDescriptor, cut: &Cut, depth: usize) -> Option<Value> {
    let own = comments.at(&field.parent_file(), field.path()).example;
    match field.kind() {
        _ if own.is_some() && cut.is_nothing() => own,
        Kind::Message(inner) if depth > 0 && !field.is_list() && !field.is_map() => {
            let found = object(comments, &inner, cut, depth - 1);
            found.filter(|value| value.as_object().is_none_or(|object| !object.is_empty()))
        }
        _ => None,
    }
}
