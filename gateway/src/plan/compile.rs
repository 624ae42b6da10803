//! From descriptors to plans.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::{
    DefaultValue, EnumId, EnumPlan, FieldPlan, MessageId, MessagePlan, NO_FIELD, Plans, Shape, Type, WellKnown,
    names::Names,
};
use crate::options::FieldBehavior;

/// Numbers below this are looked up in a table.
const DENSE: u32 = 256;

struct Ids {
    messages: HashMap<String, MessageId>,
    enums: HashMap<String, EnumId>,
}

pub(super) fn plans(pool: &DescriptorPool) -> Plans {
    let messages: Vec<MessageDescriptor> = pool.all_messages().collect();
    let enums: Vec<EnumDescriptor> = pool.all_enums().collect();
    let ids = Ids {
        messages: (0..)
            .zip(&messages)
            .map(|(id, message)| (message.full_name().to_owned(), MessageId(id)))
            .collect(),
        enums: (0..)
            .zip(&enums)
            .map(|(id, item)| (item.full_name().to_owned(), EnumId(id)))
            .collect(),
    };
    Plans {
        messages: messages.iter().map(|message| message_plan(message, &ids)).collect(),
        enums: enums.iter().map(enum_plan).collect(),
        by_name: ids
            .messages
            .iter()
            .map(|(name, id)| (name.as_str().into(), *id))
            .collect(),
    }
}

fn message_plan(message: &MessageDescriptor, ids: &Ids) -> MessagePlan {
    let descriptors: Vec<FieldDescriptor> = declared_fields(message);
    let oneof_names: Vec<String> = message
        .oneofs()
        .filter(|oneof| !oneof.is_synthetic())
        .map(|oneof| oneof.full_name().to_owned())
        .collect();

    let mut plan = MessagePlan {
        name: message.full_name().into(),
        fields: Vec::with_capacity(descriptors.len()),
        oneofs: vec![Vec::new(); oneof_names.len()],
        well_known: well_known(message.full_name()),
        by_key: Names::default(),
        by_number: HashMap::new(),
        dense: Vec::new(),
    };
    for (index, field) in (0_u16..).zip(&descriptors) {
        let oneof = field.containing_oneof();
        let oneof = oneof.and_then(|oneof| oneof_names.iter().position(|name| name == oneof.full_name()));
        if let Some(members) = oneof.and_then(|oneof| plan.oneofs.get_mut(oneof)) {
            members.push(index);
        }
        plan.by_key.insert(field.json_name().into(), index);
        plan.by_number.insert(field.number(), index);
        plan.fields
            .push(field_plan(field, oneof.map(|oneof| oneof as u16), ids));
    }
    // A proto name wins over another field's JSON name.
    for (index, field) in (0_u16..).zip(&descriptors) {
        plan.by_key.insert(field.name().into(), index);
    }
    plan.dense = dense(&plan.by_number);
    plan
}

/// The fields in the order of the file, not of their numbers.
fn declared_fields(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let mut fields: Vec<_> = message.fields().collect();
    let declared = &message.descriptor_proto().field;
    fields.sort_by_key(|field| {
        declared
            .iter()
            .position(|proto| proto.number() as u32 == field.number())
    });
    fields
}

fn dense(by_number: &HashMap<u32, u16>) -> Vec<u16> {
    let size = by_number
        .keys()
        .filter(|number| **number < DENSE)
        .max()
        .map_or(0, |number| *number as usize + 1);
    let mut table = vec![NO_FIELD; size];
    for (number, index) in by_number {
        if let Some(slot) = table.get_mut(*number as usize) {
            *slot = *index;
        }
    }
    table
}

fn field_plan(field: &FieldDescriptor, oneof: Option<u16>, ids: &Ids) -> FieldPlan {
    let behavior = FieldBehavior::of(field);
    let (shape, kind) = match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let key = value_type(&entry.map_entry_key_field().kind(), false, ids);
            (Shape::Map(key), entry.map_entry_value_field().kind())
        }
        kind if field.is_list() => (Shape::List, kind),
        kind => (Shape::Single, kind),
    };
    let default = match &kind {
        Kind::Enum(item) => DefaultValue::Enum(item.default_value().number()),
        _ => DefaultValue::Zero,
    };
    FieldPlan {
        name: field.name().into(),
        key: format!("\"{}\":", field.name()).into_bytes().into(),
        number: field.number(),
        shape,
        ty: value_type(&kind, field.is_group(), ids),
        presence: field.supports_presence(),
        packed: field.is_packed(),
        oneof,
        unwritable: behavior.contains(&FieldBehavior::OutputOnly) || behavior.contains(&FieldBehavior::Identifier),
        default,
    }
}

fn value_type(kind: &Kind, is_group: bool, ids: &Ids) -> Type {
    match kind {
        Kind::Double => Type::Double,
        Kind::Float => Type::Float,
        Kind::Int32 => Type::Int32,
        Kind::Int64 => Type::Int64,
        Kind::Uint32 => Type::Uint32,
        Kind::Uint64 => Type::Uint64,
        Kind::Sint32 => Type::Sint32,
        Kind::Sint64 => Type::Sint64,
        Kind::Fixed32 => Type::Fixed32,
        Kind::Fixed64 => Type::Fixed64,
        Kind::Sfixed32 => Type::Sfixed32,
        Kind::Sfixed64 => Type::Sfixed64,
        Kind::Bool => Type::Bool,
        Kind::String => Type::String,
        Kind::Bytes => Type::Bytes,
        Kind::Enum(item) => Type::Enum(ids.enums.get(item.full_name()).copied().unwrap_or(EnumId(0))),
        Kind::Message(message) => {
            let id = ids.messages.get(message.full_name()).copied().unwrap_or(MessageId(0));
            if is_group { Type::Group(id) } else { Type::Message(id) }
        }
    }
}

fn well_known(name: &str) -> Option<WellKnown> {
    Some(match name.strip_prefix("google.protobuf.")? {
        "Timestamp" => WellKnown::Timestamp,
        "Duration" => WellKnown::Duration,
        "FieldMask" => WellKnown::FieldMask,
        "Struct" => WellKnown::Struct,
        "ListValue" => WellKnown::ListValue,
        "Value" => WellKnown::Value,
        "Any" => WellKnown::Any,
        "DoubleValue" => WellKnown::Wrapper(Type::Double),
        "FloatValue" => WellKnown::Wrapper(Type::Float),
        "Int64Value" => WellKnown::Wrapper(Type::Int64),
        "UInt64Value" => WellKnown::Wrapper(Type::Uint64),
        "Int32Value" => WellKnown::Wrapper(Type::Int32),
        "UInt32Value" => WellKnown::Wrapper(Type::Uint32),
        "BoolValue" => WellKnown::Wrapper(Type::Bool),
        "StringValue" => WellKnown::Wrapper(Type::String),
        "BytesValue" => WellKnown::Wrapper(Type::Bytes),
        _ => return None,
    })
}

fn enum_plan(item: &EnumDescriptor) -> EnumPlan {
    let mut names: HashMap<i32, Box<str>> = HashMap::new();
    for value in item.values() {
        names
            .entry(value.number())
            .or_insert_with(|| format!("\"{}\"", value.name()).into());
    }
    let listed: Vec<String> = item.values().map(|value| value.name().to_owned()).collect();
    EnumPlan {
        by_name: item
            .values()
            .map(|value| (value.name().into(), value.number()))
            .collect(),
        names,
        listed: listed.join(", ").into(),
        is_null: item.full_name() == "google.protobuf.NullValue",
    }
}
