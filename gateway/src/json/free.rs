//! JSON of any shape: Struct, ListValue and Value.

use super::{
    decode::{Decoder, Step},
    lexer::Token,
    seen::Keys,
};
use crate::{
    number,
    violation::Path,
    wire::{self, begin_length, end_length, put_bytes, put_tag},
};

/// Field numbers of `google.protobuf.Value`.
pub(super) const NULL: u32 = 1;
pub(super) const NUMBER: u32 = 2;
pub(super) const STRING: u32 = 3;
pub(super) const BOOL: u32 = 4;
pub(super) const STRUCT: u32 = 5;
pub(super) const LIST: u32 = 6;

impl Decoder<'_> {
    /// The content of a Struct: `map<string, Value> fields = 1`.
    pub(super) fn free_struct(&mut self, path: &Path<'_>) -> Step<bool> {
        let token = self.lexer.token()?;
        if token != Token::Object {
            if token == Token::List {
                self.lexer.skip()?;
            }
            self.refuse(path, "must be an object");
            return Ok(false);
        }
        self.lexer.open()?;
        let mut keys = Keys::default();
        let mut first = true;
        while let Some(key) = self.lexer.key(first)? {
            first = false;
            let path = path.key(&key);
            if !keys.insert(key.as_bytes()) {
                self.refuse(&path, "is given twice");
                self.lexer.skip()?;
                continue;
            }
            put_tag(&mut self.out, 1, wire::LENGTH);
            let entry = begin_length(&mut self.out);
            put_tag(&mut self.out, 1, wire::LENGTH);
            put_bytes(&mut self.out, key.as_bytes());
            self.framed(2, |decoder| decoder.free_value(&path))?;
            end_length(&mut self.out, entry);
        }
        Ok(true)
    }

    /// The content of a ListValue: `repeated Value values = 1`.
    pub(super) fn free_list(&mut self, path: &Path<'_>) -> Step<bool> {
        if !self.open_list(path)? {
            return Ok(false);
        }
        let mut index = 0;
        while self.lexer.element(index == 0)? {
            self.framed(1, |decoder| decoder.free_value(&path.index(index)))?;
            index += 1;
        }
        Ok(true)
    }

    /// The content of a Value.
    pub(super) fn free_value(&mut self, path: &Path<'_>) -> Step<bool> {
        match self.lexer.token()? {
            Token::Null => self.put_number(NULL, 0),
            Token::Bool(value) => self.put_number(BOOL, u64::from(value)),
            Token::String(text) => {
                put_tag(&mut self.out, STRING, wire::LENGTH);
                put_bytes(&mut self.out, text.as_bytes());
            }
            Token::Number(text) => {
                let Some(value) = number::double(text) else {
                    self.refuse(path, "must be a number in the range of a 64-bit float");
                    return Ok(false);
                };
                put_tag(&mut self.out, NUMBER, wire::FIXED64);
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            Token::Object => return self.framed(STRUCT, |decoder| decoder.free_struct(path)),
            Token::List => return self.framed(LIST, |decoder| decoder.free_list(path)),
        }
        Ok(true)
    }

    /// A message field with tag and length around what `content` appends.
    pub(super) fn framed(&mut self, number: u32, content: impl FnOnce(&mut Self) -> Step<bool>) -> Step<bool> {
        put_tag(&mut self.out, number, wire::LENGTH);
        let start = begin_length(&mut self.out);
        let fits = content(self)?;
        end_length(&mut self.out, start);
        Ok(fits)
    }
}
