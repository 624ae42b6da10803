use chrono::{DateTime, Utc};
use service_kit::{mask::Fields, violations::Violations};
use uuid::Uuid;

use super::{Input, Patch, Problem, Revision, WRITABLE, Widget};
use crate::Error;

/// A change of one widget, as a client asked for it.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The new values.
    pub input: Input,
    /// Which of the values are to be written.
    pub fields: Fields,
    /// The etag that the widget must still have; empty when any will do.
    pub etag: String,
    /// Whether a missing widget is created. Its fields are then written whatever `fields` says (AIP-134).
    pub allow_missing: bool,
    /// What is wrong with the request beside the values.
    pub wrong: Violations,
}

/// What an edit comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The widget is as it should be already.
    Keep(Widget),
    /// The stored widget is to be changed.
    Change {
        /// The state that the decision was made about.
        from: Revision,
        /// What is to be there.
        to: Widget,
    },
    /// This widget is to be created.
    Create(Widget),
}

impl Decision {
    /// The widget as it is to be.
    pub fn into_widget(self) -> Widget {
        match self {
            Self::Keep(widget) | Self::Change { to: widget, .. } | Self::Create(widget) => widget,
        }
    }
}

impl Edit {
    /// Decides what to do about the stored widget, or about there being none. A new one would belong to `caller`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, [`Error::Stale`] when the etag does not hold,
    /// [`Error::NotFound`] when there is nothing to change.
    pub fn decide(&self, stored: Option<&Widget>, caller: Uuid, now: DateTime<Utc>) -> Result<Decision, Error> {
        let (patch, mut wrong) = self.patch(stored.is_none());
        wrong.extend(self.wrong.clone());
        // A request that would be wrong whatever is stored is told so first.
        if wrong.is_empty() {
            self.check_precondition(stored)?;
        }
        if is_late(&patch, stored, now) {
            wrong.push("widget.deadline", Problem::Past.to_string());
        }
        wrong.into_result()?;

        Ok(match stored {
            None => Decision::Create(self.input.draft(now)?.into_widget(caller, now)),
            Some(widget) => match widget.patched(patch, now) {
                None => Decision::Keep(widget.clone()),
                Some(to) => Decision::Change {
                    from: widget.revision,
                    to,
                },
            },
        })
    }

    fn patch(&self, missing: bool) -> (Patch, Violations) {
        if missing && self.allow_missing {
            self.input.patch(&Fields::from(WRITABLE))
        } else {
            self.input.patch(&self.fields)
        }
    }

    fn check_precondition(&self, stored: Option<&Widget>) -> Result<(), Error> {
        let holds = self.etag.is_empty() || stored.is_some_and(|widget| widget.revision.to_string() == self.etag);
        if !holds {
            return Err(Error::Stale);
        }
        if stored.is_none() && !self.allow_missing {
            return Err(Error::NotFound);
        }
        Ok(())
    }
}

/// A deadline must be open when it is written; the one that is stored already is not written.
fn is_late(patch: &Patch, stored: Option<&Widget>, now: DateTime<Utc>) -> bool {
    let stored = stored.map(|widget| widget.deadline);
    patch
        .deadline
        .is_some_and(|deadline| Some(deadline) != stored && deadline.open_at(now).is_err())
}
