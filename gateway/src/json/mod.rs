//! ProtoJSON straight to the wire and straight back, by compiled plans and without an object tree in between.

pub(crate) mod any;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod free;
pub(crate) mod lexer;
pub(crate) mod print;
mod scan;
mod seen;
pub(crate) mod writer;
