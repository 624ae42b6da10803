//! Path templates in the grammar of `google/api/http.proto`.

mod parse;

use std::fmt;

/// A parsed path template, such as `/v1/{name=shelves/*}/books:search`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
    verb: Option<String>,
    variables: Vec<Variable>,
}

/// One piece of a template between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// This text exactly.
    Literal(String),
    /// `*`: one segment.
    Single,
    /// `**`: all segments that are left, none included. Only ever last.
    Rest,
}

/// A variable and the segments that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The names of the request's field, outermost first.
    pub field_path: Vec<String>,
    /// The first segment of the variable, counted from 0.
    pub start: usize,
    /// The segment after the variable's last.
    pub end: usize,
    /// Where the variable's name begins in the template, in characters, counted from 1.
    pub column: usize,
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The place in characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: String,
}

impl Template {
    /// Parses a template.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        parse::template(text)
    }

    /// The template as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What lies between the slashes, variables taken apart.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The verb after the colon at the end, without the colon.
    pub fn verb(&self) -> Option<&str> {
        self.verb.as_deref()
    }

    /// The variables from left to right.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Whether both templates fit exactly the same paths.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.segments == other.segments && self.verb == other.verb
    }

    /// Whether the variable takes more than one segment or may do so, so that `%2F` in it stays encoded.
    pub fn is_multi_segment(&self, variable: &Variable) -> bool {
        variable.end - variable.start != 1 || self.segments.get(variable.start) == Some(&Segment::Rest)
    }
}

impl Variable {
    /// The dotted field path.
    pub fn name(&self) -> String {
        self.field_path.join(".")
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Single => f.write_str("*"),
            Self::Rest => f.write_str("**"),
        }
    }
}
