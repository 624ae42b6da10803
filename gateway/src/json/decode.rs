//! A JSON value onto the wire.
//!
//! One pass: what fits is appended, what does not becomes a violation and is passed over, so that one reading finds
//! every bad field. Only text that is not JSON stops it.

use std::borrow::Cow;

use super::{
    lexer::{Lexer, Malformed, Token},
    seen::{Keys, Seen},
};
use crate::{
    bound::Bound,
    plan::{FieldPlan, MessageId, Plans, Shape, Type, WellKnown},
    value::{self, Input},
    violation::{Path, Violations},
    wire::{self, begin_length, end_length, put_tag, put_varint},
};

/// The state of one reading.
pub(crate) struct Decoder<'a> {
    pub(super) plans: &'a Plans,
    pub(super) lexer: Lexer<'a>,
    /// What was read, as wire format.
    pub(crate) out: Vec<u8>,
    /// What does not fit.
    pub(crate) violations: Violations,
    /// The leaves that were there, when an update mask is wanted.
    pub(crate) mask: Option<Vec<String>>,
}

pub(super) type Step<T> = Result<T, Malformed>;

/// What applies to one object while it is read.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// What the path binds of it.
    pub(super) bound: Bound<'a>,
    /// Whether its leaves go into the mask.
    pub(super) masked: bool,
    /// Whether the key `@type` has been dealt with.
    pub(super) typed: bool,
}

impl Scope<'_> {
    pub(super) const PLAIN: Scope<'static> = Scope {
        bound: Bound::NONE,
        masked: false,
        typed: false,
    };
}

impl<'a> Decoder<'a> {
    /// Prepares to read a text.
    pub(crate) fn new(plans: &'a Plans, text: &'a str) -> Self {
        Self {
            plans,
            lexer: Lexer::new(text),
            out: Vec::with_capacity(text.len() / 2 + 16),
            violations: Violations::default(),
            mask: None,
        }
    }

    /// Reads the text as a message, without tag or length.
    pub(crate) fn whole(&mut self, id: MessageId, bound: Bound<'_>) -> Step<()> {
        let scope = Scope { bound, ..Scope::PLAIN };
        let start = self.out.len();
        if !self.message(id, &Path::ROOT, scope)? {
            self.out.truncate(start);
        }
        self.lexer.end()
    }

    /// Reads the text as one field, with its tag. The paths of violations begin with the field.
    pub(crate) fn single(&mut self, field: &FieldPlan, bound: Bound<'_>) -> Step<()> {
        let scope = Scope {
            bound,
            masked: self.mask.is_some(),
            typed: false,
        };
        if !self.plans.takes_null(field.ty) && self.lexer.null()? {
            return self.lexer.end();
        }
        self.field(field, &Path::ROOT.field(&field.name), scope)?;
        self.lexer.end()
    }

    pub(super) fn refuse(&mut self, path: &Path<'_>, detail: impl Into<String>) {
        if !self.violations.is_full() {
            self.violations.push(path.print(), detail);
        }
    }

    /// Refuses a value of another type than the field's and passes over it.
    pub(super) fn mismatch(&mut self, ty: Type, token: &Token<'_>, path: &Path<'_>) -> Step<bool> {
        if matches!(token, Token::Object | Token::List) {
            self.lexer.skip()?;
        }
        if !self.violations.is_full() {
            self.violations.push(path.print(), value::expectation(self.plans, ty));
        }
        Ok(false)
    }

    /// The content of a message of any type. `false` when it does not fit; the caller takes back what was appended.
    pub(super) fn message(&mut self, id: MessageId, path: &Path<'_>, scope: Scope<'_>) -> Step<bool> {
        match self.plans.message(id).well_known {
            None => self.object(id, path, scope),
            Some(WellKnown::Struct) => self.free_struct(path),
            Some(WellKnown::ListValue) => self.free_list(path),
            Some(WellKnown::Value) => self.free_value(path),
            Some(WellKnown::Any) => self.any(path),
            Some(_) => self.scalar_content(id, path),
        }
    }

    /// A scalar-like well-known message as the whole value.
    fn scalar_content(&mut self, id: MessageId, path: &Path<'_>) -> Step<bool> {
        let mut framed = Vec::new();
        std::mem::swap(&mut framed, &mut self.out);
        let fits = self.scalar(Type::Message(id), path);
        std::mem::swap(&mut framed, &mut self.out);
        let mut reader = wire::Reader::new(&framed);
        if fits? && reader.varint().is_ok() {
            self.out
                .extend_from_slice(framed.get(reader.offset()..).unwrap_or_default());
            return Ok(true);
        }
        Ok(false)
    }

    /// An object by its fields.
    pub(super) fn object(&mut self, id: MessageId, path: &Path<'_>, scope: Scope<'_>) -> Step<bool> {
        let token = self.lexer.token()?;
        if token != Token::Object {
            return self.mismatch(Type::Message(id), &token, path);
        }
        let plan = self.plans.message(id);
        let mut seen = Seen::default();
        for (index, field) in scope.bound.fields(plan) {
            seen.claim_oneof(field, index);
        }
        self.lexer.open()?;
        let mut first = true;
        while let Some(key) = self.lexer.key(first)? {
            first = false;
            if scope.typed && key == "@type" {
                self.lexer.skip()?;
                continue;
            }
            match plan.by_key(&key) {
                Some(index) => self.member(plan.field(index), index, path, scope, &mut seen)?,
                None => {
                    self.refuse(&path.field(&key), format!("is not a field of {}", plan.name));
                    self.lexer.skip()?;
                }
            }
        }
        Ok(true)
    }

    /// One member of an object, behind its key.
    fn member(
        &mut self,
        field: &FieldPlan,
        index: u16,
        path: &Path<'_>,
        scope: Scope<'_>,
        seen: &mut Seen,
    ) -> Step<()> {
        let path = path.field(&field.name);
        if !seen.insert(index) {
            self.refuse(&path, "is given twice");
            return self.lexer.skip();
        }
        let masked = scope.masked && !field.unwritable && !scope.bound.is_leaf(index);
        if (!self.plans.takes_null(field.ty) || field.shape != Shape::Single) && self.lexer.null()? {
            self.note_leaf(masked, &path);
            return Ok(());
        }
        if !seen.claim_oneof(field, index) {
            self.refuse(&path, "is given together with another member of its oneof");
            return self.lexer.skip();
        }
        let start = self.out.len();
        if let Some(expected) = scope.bound.leaf(index) {
            return self.bound_member(field, &path, start, expected);
        }
        let descends = field.shape == Shape::Single && self.plans.plain_message(field.ty).is_some();
        if !descends {
            self.note_leaf(masked, &path);
        }
        let inner = Scope {
            bound: scope.bound.below(index),
            masked: masked && descends,
            typed: false,
        };
        self.field(field, &path, inner)
    }

    /// A member that the path binds, too: it must say the same, and is then not repeated.
    fn bound_member(&mut self, field: &FieldPlan, path: &Path<'_>, start: usize, expected: &[u8]) -> Step<()> {
        if self.value(field.ty, path, Scope::PLAIN)? && self.out.get(start..) != Some(expected) {
            self.refuse(path, "differs from the value in the path");
        }
        self.out.truncate(start);
        Ok(())
    }

    fn note_leaf(&mut self, masked: bool, path: &Path<'_>) {
        if let Some(mask) = self.mask.as_mut().filter(|_| masked) {
            mask.push(path.print());
        }
    }

    /// A field's value or values with tags.
    fn field(&mut self, field: &FieldPlan, path: &Path<'_>, scope: Scope<'_>) -> Step<()> {
        match field.shape {
            Shape::Single => self.tagged(field.number, field.ty, path, scope).map(drop),
            Shape::List if field.packed => self.packed_list(field, path),
            Shape::List => self.list(field, path),
            Shape::Map(key) => self.map(field, key, path),
        }
    }

    /// One value with its tag; nothing is left of one that does not fit.
    fn tagged(&mut self, number: u32, ty: Type, path: &Path<'_>, scope: Scope<'_>) -> Step<bool> {
        let start = self.out.len();
        put_tag(&mut self.out, number, ty.wire_type());
        let fits = self.value(ty, path, scope)?;
        if !fits {
            self.out.truncate(start);
        } else if matches!(ty, Type::Group(_)) {
            put_tag(&mut self.out, number, wire::GROUP_END);
        }
        Ok(fits)
    }

    /// One value, with its length where it has one.
    fn value(&mut self, ty: Type, path: &Path<'_>, scope: Scope<'_>) -> Step<bool> {
        match ty {
            Type::Group(id) => self.message(id, path, scope),
            Type::Message(id) if !self.plans.is_scalar_like(ty) => {
                let start = begin_length(&mut self.out);
                let fits = self.message(id, path, scope)?;
                end_length(&mut self.out, start);
                Ok(fits)
            }
            _ => self.scalar(ty, path),
        }
    }

    fn scalar(&mut self, ty: Type, path: &Path<'_>) -> Step<bool> {
        let token = self.lexer.token()?;
        let input = match &token {
            Token::String(text) => Input::String(text),
            Token::Number(text) => Input::Number(text),
            Token::Bool(value) => Input::Bool(*value),
            Token::Null if self.plans.takes_null(ty) => Input::Number("0"),
            _ => return self.mismatch(ty, &token, path),
        };
        match value::write(self.plans, ty, input, &mut self.out) {
            Some(()) => Ok(true),
            None => self.mismatch(ty, &token, path),
        }
    }

    /// Goes into a list; `false` when there is none, which is a violation.
    pub(super) fn open_list(&mut self, path: &Path<'_>) -> Step<bool> {
        let token = self.lexer.token()?;
        match token {
            Token::List => {
                self.lexer.open()?;
                return Ok(true);
            }
            Token::Object => self.lexer.skip()?,
            _ => {}
        }
        self.refuse(path, "must be a list");
        Ok(false)
    }

    fn list(&mut self, field: &FieldPlan, path: &Path<'_>) -> Step<()> {
        if !self.open_list(path)? {
            return Ok(());
        }
        let mut index = 0;
        while self.lexer.element(index == 0)? {
            self.tagged(field.number, field.ty, &path.index(index), Scope::PLAIN)?;
            index += 1;
        }
        Ok(())
    }

    fn packed_list(&mut self, field: &FieldPlan, path: &Path<'_>) -> Step<()> {
        if !self.open_list(path)? {
            return Ok(());
        }
        let before = self.out.len();
        put_tag(&mut self.out, field.number, wire::LENGTH);
        let start = begin_length(&mut self.out);
        let mut index = 0;
        while self.lexer.element(index == 0)? {
            self.scalar(field.ty, &path.index(index))?;
            index += 1;
        }
        if self.out.len() == start {
            self.out.truncate(before);
        } else {
            end_length(&mut self.out, start);
        }
        Ok(())
    }

    fn map(&mut self, field: &FieldPlan, key_type: Type, path: &Path<'_>) -> Step<()> {
        let token = self.lexer.token()?;
        if token != Token::Object {
            if token == Token::List {
                self.lexer.skip()?;
            }
            self.refuse(path, "must be an object");
            return Ok(());
        }
        self.lexer.open()?;
        let mut keys = Keys::default();
        let mut first = true;
        while let Some(key) = self.lexer.key(first)? {
            first = false;
            self.entry(field, key_type, key, path, &mut keys)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        field: &FieldPlan,
        key_type: Type,
        key: Cow<'a, str>,
        path: &Path<'_>,
        keys: &mut Keys,
    ) -> Step<()> {
        let path = path.key(&key);
        let before = self.out.len();
        put_tag(&mut self.out, field.number, wire::LENGTH);
        let start = begin_length(&mut self.out);
        put_tag(&mut self.out, 1, key_type.wire_type());
        let key_start = self.out.len();
        let problem = if value::write(self.plans, key_type, Input::Text(&key), &mut self.out).is_none() {
            Some(format!("has a key that {}", value::expectation(self.plans, key_type)))
        } else if !keys.insert(self.out.get(key_start..).unwrap_or_default()) {
            Some("is given twice".to_owned())
        } else {
            None
        };
        if let Some(detail) = problem {
            self.out.truncate(before);
            self.refuse(&path, detail);
            return self.lexer.skip();
        }
        if self.tagged(2, field.ty, &path, Scope::PLAIN)? {
            end_length(&mut self.out, start);
        } else {
            self.out.truncate(before);
        }
        Ok(())
    }

    /// Appends a varint field.
    pub(super) fn put_number(&mut self, number: u32, value: u64) {
        put_tag(&mut self.out, number, wire::VARINT);
        put_varint(&mut self.out, value);
    }
}
