//! What is wrong with an annotated method, and where it is written.

use std::fmt;

use prost_reflect::MethodDescriptor;

/// A fault in a method's HTTP bindings. The gateway does not start with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The `.proto` file.
    pub file: String,
    /// The line of the method in it, from 1; `None` without source info.
    pub line: Option<usize>,
    /// The full name of the method.
    pub method: String,
    /// The template with the fault.
    pub template: String,
    /// The place in the template, in characters from 1; `None` when the rule as a whole is at fault.
    pub column: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

/// All faults of a descriptor set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl Fault {
    pub(crate) fn new(method: &MethodDescriptor, template: &str, problem: impl Into<String>) -> Self {
        Self {
            file: method.parent_file().name().to_owned(),
            line: line(method),
            method: method.full_name().to_owned(),
            template: template.to_owned(),
            column: None,
            problem: problem.into(),
        }
    }

    pub(crate) fn at(self, column: usize) -> Self {
        Self {
            column: Some(column),
            ..self
        }
    }
}

/// The line on which a method is defined, from 1.
pub(crate) fn line(method: &MethodDescriptor) -> Option<usize> {
    let file = method.parent_file();
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    let location = info.location.iter().find(|location| location.path == method.path())?;
    usize::try_from(*location.span.first()?).ok().map(|line| line + 1)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}: ", self.method)?;
        if !self.template.is_empty() {
            write!(f, "`{}`", self.template)?;
            if let Some(column) = self.column {
                write!(f, " column {column}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.problem)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}
