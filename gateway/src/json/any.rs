//! `google.protobuf.Any`: an object that names its own type.

use super::{
    decode::{Decoder, Scope, Step},
    lexer::Token,
};
use crate::{
    plan::MessageId,
    violation::Path,
    wire::{self, put_bytes, put_tag},
};

const TYPE_URL: u32 = 1;
const VALUE: u32 = 2;

impl Decoder<'_> {
    /// The content of an Any: `string type_url = 1; bytes value = 2`.
    pub(super) fn any(&mut self, path: &Path<'_>) -> Step<bool> {
        let token = self.lexer.token()?;
        if token != Token::Object {
            if token == Token::List {
                self.lexer.skip()?;
            }
            self.refuse(path, "must be an object");
            return Ok(false);
        }
        let (url, is_empty) = self.find_type()?;
        let Some(url) = url else {
            if !is_empty {
                self.refuse(&path.field("@type"), "must say the type of the object");
            }
            self.lexer.skip()?;
            return Ok(is_empty);
        };
        let id = url.rsplit_once('/').and_then(|(_, name)| self.plans.find(name));
        let Some(id) = id else {
            self.refuse(&path.field("@type"), "is no known type");
            self.lexer.skip()?;
            return Ok(false);
        };
        put_tag(&mut self.out, TYPE_URL, wire::LENGTH);
        put_bytes(&mut self.out, url.as_bytes());
        self.framed(VALUE, |decoder| decoder.any_content(id, path))
    }

    fn any_content(&mut self, id: MessageId, path: &Path<'_>) -> Step<bool> {
        if self.plans.message(id).well_known.is_none() {
            let scope = Scope {
                typed: true,
                ..Scope::PLAIN
            };
            return self.object(id, path, scope);
        }
        self.wrapped_content(id, path)
    }

    /// A type with a JSON form of its own stands under the key `value`.
    fn wrapped_content(&mut self, id: MessageId, path: &Path<'_>) -> Step<bool> {
        let path_of_value = path.field("value");
        let (mut found, mut fits, mut first) = (false, true, true);
        self.lexer.open()?;
        while let Some(key) = self.lexer.key(first)? {
            first = false;
            match &*key {
                "@type" => self.lexer.skip()?,
                "value" if !found => {
                    found = true;
                    fits = self.message(id, &path_of_value, Scope::PLAIN)?;
                }
                "value" => {
                    self.refuse(&path_of_value, "is given twice");
                    self.lexer.skip()?;
                }
                _ => {
                    self.refuse(&path.field(&key), "is not a field of this type");
                    self.lexer.skip()?;
                }
            }
        }
        if !found {
            self.refuse(&path_of_value, "is required with this type");
        }
        Ok(found && fits)
    }

    /// Looks ahead for `@type`; also whether the object has no members at all.
    fn find_type(&mut self) -> Step<(Option<String>, bool)> {
        let mut ahead = self.lexer.clone();
        let (mut url, mut first) = (None, true);
        ahead.open()?;
        while let Some(key) = ahead.key(first)? {
            first = false;
            if key == "@type" && url.is_none() {
                match ahead.token()? {
                    Token::String(text) => url = Some(text.into_owned()),
                    Token::Object | Token::List => ahead.skip()?,
                    _ => {}
                }
            } else {
                ahead.skip()?;
            }
        }
        Ok((url, first))
    }
}
