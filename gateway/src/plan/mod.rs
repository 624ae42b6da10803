//! Message types compiled for moving between JSON and the wire: everything that is looked up per request is a table
//! made at start.

mod compile;
mod names;

use std::collections::HashMap;

use prost_reflect::DescriptorPool;

use self::names::Names;

/// The plans of all message and enum types of a descriptor pool.
#[derive(Debug, Default)]
pub struct Plans {
    messages: Vec<MessagePlan>,
    enums: Vec<EnumPlan>,
    by_name: HashMap<Box<str>, MessageId>,
}

/// A message type's place in [`Plans`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(u32);

/// An enum type's place in [`Plans`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnumId(u32);

/// A message type.
#[derive(Debug)]
pub(crate) struct MessagePlan {
    /// The full name.
    pub(crate) name: Box<str>,
    /// In the order of the `.proto` file.
    pub(crate) fields: Vec<FieldPlan>,
    /// Members of each oneof, by field index; synthetic oneofs left out.
    pub(crate) oneofs: Vec<Vec<u16>>,
    /// The JSON form that the type has of its own.
    pub(crate) well_known: Option<WellKnown>,
    by_key: Names<u16>,
    by_number: HashMap<u32, u16>,
    /// Field index by number, for small numbers; `NO_FIELD` where there is none.
    dense: Vec<u16>,
}

const NO_FIELD: u16 = u16::MAX;

/// A field.
#[derive(Debug)]
pub(crate) struct FieldPlan {
    pub(crate) name: Box<str>,
    /// `"name":`, ready to be copied.
    pub(crate) key: Box<[u8]>,
    pub(crate) number: u32,
    pub(crate) shape: Shape,
    /// The type of the value, of a list's element or of a map's value.
    pub(crate) ty: Type,
    /// Whether absence and the default value are two things.
    pub(crate) presence: bool,
    /// Whether lists of it are written packed.
    pub(crate) packed: bool,
    /// The oneof that it is a member of.
    pub(crate) oneof: Option<u16>,
    /// Whether an inferred update mask leaves it out: OUTPUT_ONLY or IDENTIFIER.
    pub(crate) unwritable: bool,
    /// The value that an absent field without presence, or the JSON default, shows.
    pub(crate) default: DefaultValue,
}

/// How many values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Single,
    List,
    /// A map from keys of this type.
    Map(Type),
}

/// What an absent field shows when it has no presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefaultValue {
    /// All bits zero.
    Zero,
    /// The number of the enum's first value (not 0 in proto2).
    Enum(i32),
}

/// The type of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    Enum(EnumId),
    Message(MessageId),
    Group(MessageId),
}

/// A message type with a JSON form of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WellKnown {
    Timestamp,
    Duration,
    FieldMask,
    /// A wrapper of this scalar.
    Wrapper(Type),
    Struct,
    ListValue,
    Value,
    Any,
}

/// An enum type.
#[derive(Debug)]
pub(crate) struct EnumPlan {
    pub(crate) by_name: Names<i32>,
    /// Number to quoted name; the first name of a number counts.
    pub(crate) names: HashMap<i32, Box<str>>,
    /// The names in order, for messages to people.
    pub(crate) listed: Box<str>,
    /// `google.protobuf.NullValue`.
    pub(crate) is_null: bool,
}

impl Plans {
    /// Compiles every type of the pool.
    pub fn compile(pool: &DescriptorPool) -> Self {
        compile::plans(pool)
    }

    /// A message type by its full name.
    pub fn find(&self, name: &str) -> Option<MessageId> {
        self.by_name.get(name).copied()
    }

    #[inline]
    pub(crate) fn message(&self, id: MessageId) -> &MessagePlan {
        &self.messages[id.0 as usize]
    }

    #[inline]
    pub(crate) fn enumeration(&self, id: EnumId) -> &EnumPlan {
        &self.enums[id.0 as usize]
    }

    /// Whether one text holds a value of the type: scalars, enums and the scalar-like well-known types.
    pub(crate) fn is_scalar_like(&self, ty: Type) -> bool {
        match ty {
            Type::Message(id) => self.message(id).well_known.is_some_and(WellKnown::is_scalar_like),
            Type::Group(_) => false,
            _ => true,
        }
    }

    /// The message type that `ty` is when it has fields to descend into.
    pub(crate) fn plain_message(&self, ty: Type) -> Option<MessageId> {
        match ty {
            Type::Message(id) | Type::Group(id) if self.message(id).well_known.is_none() => Some(id),
            _ => None,
        }
    }

    /// Whether `null` is a value of the type, not its absence.
    pub(crate) fn takes_null(&self, ty: Type) -> bool {
        match ty {
            Type::Message(id) => self.message(id).well_known == Some(WellKnown::Value),
            Type::Enum(id) => self.enumeration(id).is_null,
            _ => false,
        }
    }
}

impl WellKnown {
    pub(crate) fn is_scalar_like(self) -> bool {
        matches!(
            self,
            Self::Timestamp | Self::Duration | Self::FieldMask | Self::Wrapper(_)
        )
    }
}

impl MessagePlan {
    /// A field by its proto or JSON name.
    #[inline]
    pub(crate) fn by_key(&self, key: &str) -> Option<u16> {
        self.by_key.get(key).copied()
    }

    /// A field by its number.
    #[inline]
    pub(crate) fn by_number(&self, number: u32) -> Option<u16> {
        match self.dense.get(number as usize) {
            Some(&NO_FIELD) => None,
            Some(index) => Some(*index),
            None => self.by_number.get(&number).copied(),
        }
    }

    #[inline]
    pub(crate) fn field(&self, index: u16) -> &FieldPlan {
        &self.fields[usize::from(index)]
    }

    /// A field by its proto name alone.
    pub(crate) fn named(&self, name: &str) -> Option<(u16, &FieldPlan)> {
        let index = self.fields.iter().position(|field| &*field.name == name)?;
        Some((index as u16, &self.fields[index]))
    }
}

impl Type {
    /// The wire type of one value.
    #[inline]
    pub(crate) fn wire_type(self) -> u8 {
        match self {
            Self::Double | Self::Fixed64 | Self::Sfixed64 => crate::wire::FIXED64,
            Self::Float | Self::Fixed32 | Self::Sfixed32 => crate::wire::FIXED32,
            Self::String | Self::Bytes | Self::Message(_) => crate::wire::LENGTH,
            Self::Group(_) => crate::wire::GROUP_START,
            _ => crate::wire::VARINT,
        }
    }

    /// Whether lists of it can be packed.
    #[inline]
    pub(crate) fn is_packable(self) -> bool {
        !matches!(self, Self::String | Self::Bytes | Self::Message(_) | Self::Group(_))
    }
}
