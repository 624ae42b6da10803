//! Reads the grammar:
//!
//! ```text
//! Template = "/" [ Segments ] [ Verb ] ;     Segments = Segment { "/" Segment } ;
//! Segment  = "*" | "**" | LITERAL | Variable ;
//! Variable = "{" FieldPath [ "=" Segments ] "}" ;
//! FieldPath = IDENT { "." IDENT } ;          Verb = ":" LITERAL ;
//! ```

use super::{Segment, Template, TemplateFault, Variable};

type Parsed<T> = Result<T, TemplateFault>;

/// Parses a whole template.
pub(super) fn template(text: &str) -> Parsed<Template> {
    let mut parser = Parser {
        chars: text.chars().collect(),
        at: 0,
        segments: Vec::new(),
        variables: Vec::new(),
    };
    let verb = parser.template()?;
    Ok(Template {
        text: text.to_owned(),
        segments: parser.segments,
        verb,
        variables: parser.variables,
    })
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    segments: Vec<Segment>,
    variables: Vec<Variable>,
}

impl Parser {
    fn template(&mut self) -> Parsed<Option<String>> {
        if self.peek() != Some('/') {
            return self.fault("a template begins with `/`");
        }
        self.at += 1;
        if self.peek().is_none() {
            return Ok(None);
        }
        self.segments(false)?;
        match self.peek() {
            None => Ok(None),
            Some(':') => self.verb().map(Some),
            Some('}') => self.fault("`}` without a `{`"),
            Some(other) => self.fault(format!(
                "`{other}` is not allowed here: a segment is one variable or none"
            )),
        }
    }

    fn segments(&mut self, in_variable: bool) -> Parsed<()> {
        loop {
            if self.segments.last() == Some(&Segment::Rest) {
                return self.fault("nothing may follow `**`");
            }
            match self.peek() {
                Some('{') if in_variable => return self.fault("variables do not nest"),
                Some('{') => self.variable()?,
                _ => self.plain_segment()?,
            }
            if self.peek() != Some('/') {
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn plain_segment(&mut self) -> Parsed<()> {
        let start = self.at;
        let text = self.literal_text();
        let segment = match text.as_str() {
            "" => return self.empty_segment(),
            "*" => Segment::Single,
            "**" => Segment::Rest,
            _ => Segment::Literal(self.checked_literal(start, text)?),
        };
        if self.peek() == Some('{') {
            return self.fault("a variable takes a whole segment");
        }
        self.segments.push(segment);
        Ok(())
    }

    fn empty_segment<T>(&self) -> Parsed<T> {
        match self.peek() {
            None => self.fault("a template has no trailing `/`"),
            Some('=') => self.fault("`=` is only allowed in a variable"),
            _ => self.fault("a segment is empty"),
        }
    }

    fn variable(&mut self) -> Parsed<()> {
        self.at += 1;
        let column = self.at + 1;
        let field_path = self.field_path()?;
        if self.variables.iter().any(|known| known.field_path == field_path) {
            return fault_at(column, format!("`{}` is bound twice", field_path.join(".")));
        }
        let start = self.segments.len();
        match self.peek() {
            Some('=') => {
                self.at += 1;
                self.segments(true)?;
            }
            _ => self.segments.push(Segment::Single),
        }
        if self.peek() != Some('}') {
            return self.fault("a variable ends with `}`");
        }
        self.at += 1;
        let end = self.segments.len();
        self.variables.push(Variable {
            field_path,
            start,
            end,
            column,
        });
        Ok(())
    }

    fn field_path(&mut self) -> Parsed<Vec<String>> {
        let mut path = Vec::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|c| c == '_' || c.is_ascii_alphanumeric()) {
                self.at += 1;
            }
            let name: String = self.chars.get(start..self.at).unwrap_or_default().iter().collect();
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                return fault_at(start + 1, "a field name is expected");
            }
            path.push(name);
            if self.peek() != Some('.') {
                return Ok(path);
            }
            self.at += 1;
        }
    }

    fn verb(&mut self) -> Parsed<String> {
        self.at += 1;
        let start = self.at;
        let text = self.literal_text();
        if text.is_empty() {
            return self.fault("the verb after `:` is empty");
        }
        if text.contains('*') {
            return fault_at(start + 1, "a verb is a literal");
        }
        let verb = self.checked_literal(start, text)?;
        match self.peek() {
            None => Ok(verb),
            Some(':') => self.fault("a template has one verb at most"),
            Some(_) => self.fault("nothing may follow the verb"),
        }
    }

    /// Everything up to a character that means something.
    fn literal_text(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| !matches!(c, '/' | '{' | '}' | ':' | '=')) {
            self.at += 1;
        }
        // `=` has a meaning in variables only, right after the field path, so in a literal it is text.
        while self.at > start && self.peek() == Some('=') {
            self.at += 1;
            while self.peek().is_some_and(|c| !matches!(c, '/' | '{' | '}' | ':' | '=')) {
                self.at += 1;
            }
        }
        self.chars.get(start..self.at).unwrap_or_default().iter().collect()
    }

    fn checked_literal(&self, start: usize, text: String) -> Parsed<String> {
        let refused = |c: char| matches!(c, '%' | '*' | '?' | '#' | '\\') || c.is_whitespace() || c.is_control();
        match text.chars().enumerate().find(|(_, c)| refused(*c)) {
            Some((offset, '*')) => fault_at(start + offset + 1, "`*` stands alone in a segment"),
            Some((offset, other)) => fault_at(start + offset + 1, format!("a literal has no {other:?}")),
            None => Ok(text),
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn fault<T>(&self, problem: impl Into<String>) -> Parsed<T> {
        fault_at(self.at + 1, problem)
    }
}

fn fault_at<T>(column: usize, problem: impl Into<String>) -> Parsed<T> {
    Err(TemplateFault {
        column,
        problem: problem.into(),
    })
}
