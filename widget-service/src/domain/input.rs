use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use service_kit::{mask::Fields, violations::Violations};

use super::{Deadline, Description, Draft, InfoUrl, Patch, Problem, WidgetName};

/// The fields that writes can set: what `*` means in a mask.
pub const WRITABLE: [&str; 3] = ["description", "info_url", "deadline"];

/// A widget as a client sent it, each field parsed by itself, so that one reply can name all that is wrong.
#[derive(Debug, Clone)]
pub struct Input {
    name: Result<WidgetName, Problem>,
    description: Result<Description, Problem>,
    info_url: Result<InfoUrl, Problem>,
    deadline: Result<Deadline, Problem>,
}

impl Input {
    /// Parses the fields that a client may send.
    pub fn parse(name: &str, description: &str, info_url: &str, deadline: Option<Timestamp>) -> Self {
        Self {
            name: name.parse(),
            description: description.parse(),
            info_url: info_url.parse(),
            deadline: deadline.ok_or(Problem::Missing).and_then(Deadline::try_from),
        }
    }

    /// The name, if it is one.
    pub fn name(&self) -> Option<&WidgetName> {
        self.name.as_ref().ok()
    }

    /// A new widget with all of the values, to be created at `now`.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn draft(&self, now: DateTime<Utc>) -> Result<Draft, Violations> {
        let mut wrong = Violations::new();
        let name = wrong.take("name", self.name.clone());
        let description = wrong.take("description", self.description.clone());
        let info_url = wrong.take("info_url", self.info_url.clone());
        let deadline = wrong.take("deadline", self.deadline.and_then(|deadline| deadline.open_at(now)));
        match (name, description, info_url, deadline) {
            (Some(name), Some(description), Some(info_url), Some(deadline)) => Ok(Draft {
                name,
                description,
                info_url,
                deadline,
            }),
            _ => Err(wrong.under("widget")),
        }
    }

    /// The values of some fields. Wrong ones are left out of the patch and noted, a wrong name too.
    pub fn patch(&self, fields: &Fields) -> (Patch, Violations) {
        let mut wrong = Violations::new();
        wrong.take("name", self.name.as_ref());
        let patch = Patch {
            description: wanted(&mut wrong, fields, "description", &self.description),
            info_url: wanted(&mut wrong, fields, "info_url", &self.info_url),
            deadline: wanted(&mut wrong, fields, "deadline", &self.deadline),
        };
        (patch, wrong.under("widget"))
    }
}

fn wanted<T: Clone>(
    wrong: &mut Violations,
    fields: &Fields,
    field: &'static str,
    parsed: &Result<T, Problem>,
) -> Option<T> {
    fields
        .contains(field)
        .then(|| wrong.take(field, parsed.clone()))
        .flatten()
}
