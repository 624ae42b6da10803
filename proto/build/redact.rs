//! `Debug` of messages with secrets in them.
//!
//! A field marked `[debug_redact = true]` (an option of Protobuf itself) is shown as `[redacted]`. prost would print it,
//! so the messages that have such a field get their `Debug` from here.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor};

/// The messages of a pool that have a marked field.
///
/// # Errors
/// prost then leaves out the `Debug` of everything within the message, too: it may hold neither oneofs nor other types.
pub(crate) fn messages(pool: &DescriptorPool) -> Result<Vec<MessageDescriptor>, String> {
    let has_secret = |message: &MessageDescriptor| message.fields().any(|field| is_secret(&field));
    let messages: Vec<MessageDescriptor> = pool.all_messages().filter(has_secret).collect();
    let is_flat = |message: &&MessageDescriptor| {
        message.oneofs().all(|oneof| oneof.is_synthetic())
            && message.child_messages().len() == 0
            && message.child_enums().len() == 0
    };
    match messages.iter().find(|message| !is_flat(message)) {
        None => Ok(messages),
        Some(message) => Err(format!(
            "{}: a message with a debug_redact field has no oneof, no map and no type within it",
            message.full_name()
        )),
    }
}

/// Appends their `Debug` to the generated code of their packages.
pub(crate) fn append(messages: &[MessageDescriptor], out: &Path) -> io::Result<()> {
    for message in messages {
        let mut code = File::options()
            .append(true)
            .open(out.join(format!("{}.rs", message.package_name())))?;
        code.write_all(debug(message).as_bytes())?;
    }
    Ok(())
}

fn is_secret(field: &FieldDescriptor) -> bool {
    let options = field.options();
    options
        .get_field_by_name("debug_redact")
        .is_some_and(|value| value.as_bool() == Some(true))
}

fn debug(message: &MessageDescriptor) -> String {
    let fields: String = message.fields().map(|field| shown(&field)).collect();
    format!(
        "impl ::core::fmt::Debug for {} {{\n    \
         fn fmt(&self, out: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{\n        \
         out.debug_struct({:?}){fields}.finish()\n    }}\n}}\n",
        rust_path(message),
        message.name(),
    )
}

fn shown(field: &FieldDescriptor) -> String {
    let name = field.name().to_snake_case();
    if is_secret(field) {
        format!(".field({name:?}, &::core::format_args!(\"[redacted]\"))")
    } else {
        format!(".field({name:?}, &self.r#{name})")
    }
}

/// The message's place in its package's module: nested ones lie in a module of their parent's name.
fn rust_path(message: &MessageDescriptor) -> String {
    let mut path = message.name().to_upper_camel_case();
    let mut parent = message.parent_message();
    while let Some(outer) = parent {
        path = format!("{}::{path}", outer.name().to_snake_case());
        parent = outer.parent_message();
    }
    path
}
