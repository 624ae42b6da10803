//! Everything that is wrong with a request's fields, said at once.

/// One field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field's path in proto names, relative to the request: `widget.info_url`.
    pub field: String,
    /// What is wrong and what is wanted, for people.
    pub detail: String,
}

/// A collection of violations, in the order of finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// No violation so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// A single one.
    pub fn one(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut violations = Self::new();
        violations.push(field, detail);
        violations
    }

    /// Adds one.
    pub fn push(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Violation {
            field: field.into(),
            detail: detail.into(),
        });
    }

    /// Unwraps a parse result, taking note of its failure.
    pub fn take<T>(&mut self, field: &str, parsed: Result<T, impl std::fmt::Display>) -> Option<T> {
        parsed.map_err(|error| self.push(field, error.to_string())).ok()
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: Violations) {
        self.0.extend(other.0);
    }

    /// The same violations one level further down: `name` becomes `widget.name` under `widget`.
    pub fn under(mut self, parent: &str) -> Self {
        for violation in &mut self.0 {
            violation.field = format!("{parent}.{}", violation.field);
        }
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes over them.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }

    /// `Ok` when there is none.
    ///
    /// # Errors
    /// All of them, when there is any.
    pub fn into_result(self) -> Result<(), Violations> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
