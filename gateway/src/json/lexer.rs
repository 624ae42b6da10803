//! JSON text (RFC 8259) taken apart in place.

use std::borrow::Cow;

use super::scan::plain_length;

/// How many levels of objects and lists a text may have; the outermost value is level 1.
pub(crate) const MAX_DEPTH: usize = 64;

/// Text that is not JSON, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The byte, from 0.
    pub(crate) at: usize,
    /// What was expected.
    pub(crate) problem: &'static str,
}

/// The beginning of a value; a scalar whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token<'a> {
    String(Cow<'a, str>),
    Number(&'a str),
    Bool(bool),
    Null,
    /// `{` comes next; it has not been read.
    Object,
    /// `[` comes next; it has not been read.
    List,
}

/// A position in a JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Lexed<T> = Result<T, Malformed>;

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next value's beginning. Objects and lists are only looked at.
    pub(crate) fn token(&mut self) -> Lexed<Token<'a>> {
        match self.peek() {
            Some(b'"') => self.string().map(Token::String),
            Some(b'{') => Ok(Token::Object),
            Some(b'[') => Ok(Token::List),
            Some(b'-' | b'0'..=b'9') => self.number().map(Token::Number),
            Some(b't') => self.word("true", Token::Bool(true)),
            Some(b'f') => self.word("false", Token::Bool(false)),
            Some(b'n') => self.word("null", Token::Null),
            Some(_) => self.fault("a value is expected"),
            None => self.fault("the text ends too early"),
        }
    }

    /// Whether `null` comes next; reads it if so.
    pub(crate) fn null(&mut self) -> Lexed<bool> {
        if self.peek() != Some(b'n') {
            return Ok(false);
        }
        self.word("null", true)
    }

    /// Reads `{` or `[`.
    pub(crate) fn open(&mut self) -> Lexed<()> {
        if self.depth == MAX_DEPTH {
            return self.fault("there are more than 64 levels");
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// The next key of an object with its colon; `None` at the object's end, which is read.
    pub(crate) fn key(&mut self, first: bool) -> Lexed<Option<Cow<'a, str>>> {
        if !self.goes_on(b'}', first)? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return self.fault("a key in quotes is expected");
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return self.fault("`:` is expected");
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether a list has another element; its end is read.
    pub(crate) fn element(&mut self, first: bool) -> Lexed<bool> {
        self.goes_on(b']', first)
    }

    fn goes_on(&mut self, close: u8, first: bool) -> Lexed<bool> {
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                return Ok(false);
            }
            Some(b',') if !first => self.at += 1,
            Some(_) if first => return Ok(true),
            Some(_) => return self.fault("`,` or the end of the object or list is expected"),
            None => return self.fault("the text ends too early"),
        }
        if self.peek() == Some(close) {
            return self.fault("a value is expected after `,`");
        }
        Ok(true)
    }

    /// Reads a whole value and forgets it.
    pub(crate) fn skip(&mut self) -> Lexed<()> {
        match self.token()? {
            Token::Object => {
                self.open()?;
                let mut first = true;
                while self.key(first)?.is_some() {
                    first = false;
                    self.skip()?;
                }
            }
            Token::List => {
                self.open()?;
                let mut first = true;
                while self.element(first)? {
                    first = false;
                    self.skip()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks that nothing follows.
    pub(crate) fn end(&mut self) -> Lexed<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fault("nothing may follow the value"),
        }
    }

    /// The next byte that is not white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn word<T>(&mut self, word: &str, value: T) -> Lexed<T> {
        if !self.rest().starts_with(word.as_bytes()) {
            return self.fault("a value is expected");
        }
        self.at += word.len();
        Ok(value)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn number(&mut self) -> Lexed<&'a str> {
        let length = number_length(self.rest());
        if length == 0 {
            return self.fault("this is not a number");
        }
        let number = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        if self
            .rest()
            .first()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'))
        {
            return self.fault("this is not a number");
        }
        Ok(number)
    }

    fn string(&mut self) -> Lexed<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        let end = self.plain_run()?;
        let plain = self.text.get(start..end).unwrap_or_default();
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.escaped_string(plain).map(Cow::Owned)
    }

    /// The rest of a string after its first part, at whose end an escape stands.
    fn escaped_string(&mut self, plain: &str) -> Lexed<String> {
        let mut value = plain.to_owned();
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(_) => value.push(self.escape()?),
                None => return self.fault("a string does not end"),
            }
            let start = self.at;
            let end = self.plain_run()?;
            value.push_str(self.text.get(start..end).unwrap_or_default());
        }
    }

    /// Goes to the next quote or backslash and gives its place.
    fn plain_run(&mut self) -> Lexed<usize> {
        let rest = self.rest();
        let length = plain_length(rest);
        self.at += length;
        match rest.get(length) {
            Some(b'"' | b'\\') => Ok(self.at),
            Some(_) => self.fault("a control character in a string must be escaped"),
            None => self.fault("a string does not end"),
        }
    }

    fn escape(&mut self) -> Lexed<char> {
        self.at += 1;
        let escape = self.text.as_bytes().get(self.at).copied();
        self.at += 1;
        Ok(match escape {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return self.fault("this escape is unknown"),
        })
    }

    fn unicode_escape(&mut self) -> Lexed<char> {
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                if !self.rest().starts_with(b"\\u") {
                    return self.fault("half of a surrogate pair is missing");
                }
                self.at += 2;
                let second = self.hex4()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return self.fault("half of a surrogate pair is missing");
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            _ => first,
        };
        match char::from_u32(code) {
            Some(found) => Ok(found),
            None => self.fault("half of a surrogate pair is missing"),
        }
    }

    fn hex4(&mut self) -> Lexed<u32> {
        let digits = self
            .rest()
            .get(..4)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match value {
            Some(value) => {
                self.at += 4;
                Ok(value)
            }
            None => self.fault("`\\u` needs four hexadecimal digits"),
        }
    }

    fn fault<T>(&self, problem: &'static str) -> Lexed<T> {
        Err(Malformed { at: self.at, problem })
    }
}

/// The length of the JSON number that a text begins with; 0 if it begins with none.
pub(crate) fn number_length(text: &[u8]) -> usize {
    let digits = |from: usize| {
        text.get(from..)
            .map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count())
    };
    let mut at = usize::from(text.first() == Some(&b'-'));
    at += match (text.get(at), digits(at)) {
        (_, 0) => return 0,
        (Some(b'0'), _) => 1,
        (_, count) => count,
    };
    if text.get(at) == Some(&b'.') {
        match digits(at + 1) {
            0 => return 0,
            count => at += 1 + count,
        }
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        match digits(at + 1 + sign) {
            0 => return 0,
            count => at += 1 + sign + count,
        }
    }
    at
}
