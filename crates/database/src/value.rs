use std::fmt;

use uuid::Uuid;

/// A value on its way into a query. `None` is NULL; it keeps its type because PostgreSQL wants to know.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// TEXT. PostgreSQL refuses the NUL character.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
    /// BOOLEAN.
    Bool(Option<bool>),
    /// BLOB, BYTEA.
    Bytes(Option<Vec<u8>>),
    /// 16 bytes in a BLOB, UUID. Both engines order it by its bytes.
    Uuid(Option<Uuid>),
}

/// Texts and bytes may be hashes and keys: only their length is shown.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({:?} bytes)", text.as_ref().map(String::len)),
            Self::Int(int) => write!(f, "Int({int:?})"),
            Self::Bool(bool) => write!(f, "Bool({bool:?})"),
            Self::Bytes(bytes) => write!(f, "Bytes({:?} bytes)", bytes.as_ref().map(Vec::len)),
            Self::Uuid(uuid) => write!(f, "Uuid({uuid:?})"),
        }
    }
}

macro_rules! value_from {
    ($($rust:ty => $kind:ident),* $(,)?) => {$(
        impl From<$rust> for Value {
            fn from(value: $rust) -> Self {
                Self::$kind(Some(value.into()))
            }
        }

        impl From<Option<$rust>> for Value {
            fn from(value: Option<$rust>) -> Self {
                Self::$kind(value.map(Into::into))
            }
        }
    )*};
}

value_from! {
    String => Text,
    &str => Text,
    &String => Text,
    i64 => Int,
    i32 => Int,
    u32 => Int,
    bool => Bool,
    Vec<u8> => Bytes,
    &[u8] => Bytes,
    Uuid => Uuid,
}
