//! What is wrong with which field of a request.

use std::fmt::Write;

/// How many violations one response names at most.
const MOST: usize = 1_000;

/// A field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path: proto names, unknown names as sent, `[0]` for list elements, `["key"]` for map entries.
    pub field: String,
    /// What is wrong, for people.
    pub detail: String,
}

/// The violations of a request, each field once, at most 1,000.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

/// One step of a field path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

/// A field path that grows on the call stack and costs nothing until it is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Option<Step<'a>>,
}

impl Path<'_> {
    /// The whole value.
    pub(crate) const ROOT: Path<'static> = Path {
        parent: None,
        step: None,
    };
}

impl<'a> Path<'a> {
    pub(crate) fn field(&'a self, name: &'a str) -> Path<'a> {
        self.step(Step::Field(name))
    }

    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        self.step(Step::Index(index))
    }

    pub(crate) fn key(&'a self, key: &'a str) -> Path<'a> {
        self.step(Step::Key(key))
    }

    fn step(&'a self, step: Step<'a>) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Some(step),
        }
    }

    pub(crate) fn print(&self) -> String {
        let mut text = String::new();
        self.print_to(&mut text);
        text
    }

    fn print_to(&self, text: &mut String) {
        if let Some(parent) = self.parent {
            parent.print_to(text);
        }
        match self.step {
            None => {}
            Some(Step::Field(name)) if text.is_empty() => text.push_str(name),
            Some(Step::Field(name)) => {
                text.push('.');
                text.push_str(name);
            }
            // Writing to a String cannot fail.
            Some(Step::Index(index)) => {
                let _ = write!(text, "[{index}]");
            }
            Some(Step::Key(key)) => {
                let _ = write!(text, "[{}]", serde_json::Value::from(key));
            }
        }
    }
}

impl Violations {
    /// Adds a violation, unless the field has one already or there are too many.
    pub fn push(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        let field = field.into();
        if self.0.len() < MOST && self.0.last().is_none_or(|last| last.field != field) {
            self.0.push(Violation {
                field,
                detail: detail.into(),
            });
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The violations.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// Adds what another found, but nothing at, above or below a field that is already named here.
    pub fn merge(&mut self, others: Self) {
        let known = self.0.len();
        for other in others.0 {
            let ours = self.0.get(..known).unwrap_or_default();
            let related = |field: &str| is_within(field, &other.field) || is_within(&other.field, field);
            if !ours.iter().any(|violation| related(&violation.field)) && self.0.len() < MOST {
                self.0.push(other);
            }
        }
    }

    /// Whether the list can take no more.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }
}

/// Whether a path is another or lies below it.
fn is_within(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || outer.is_empty() || rest.starts_with(['.', '[']))
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Violation> for Violations {
    fn from_iter<I: IntoIterator<Item = Violation>>(violations: I) -> Self {
        Self(violations.into_iter().take(MOST).collect())
    }
}
