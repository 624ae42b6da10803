use std::fmt;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;

use super::{Deadline, Description, InfoUrl, WidgetName};

/// A widget as it is stored. Times are exact to the microsecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widget {
    /// Unique, and never changed.
    pub name: WidgetName,
    /// Free text.
    pub description: Description,
    /// Where to read more.
    pub info_url: InfoUrl,
    /// When it is due.
    pub deadline: Deadline,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When something stored last changed.
    pub updated_at: DateTime<Utc>,
    /// The user who created it. The user may be gone.
    pub owner_id: Uuid,
    /// What this state is known by.
    pub revision: Revision,
}

/// A widget that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its name, not known to be free.
    pub name: WidgetName,
    /// Free text.
    pub description: Description,
    /// Where to read more.
    pub info_url: InfoUrl,
    /// When it is due.
    pub deadline: Deadline,
}

/// New values of a widget's writable fields; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// The new description.
    pub description: Option<Description>,
    /// The new URL.
    pub info_url: Option<InfoUrl>,
    /// The new deadline.
    pub deadline: Option<Deadline>,
}

impl Draft {
    /// The widget that this becomes when `owner` creates it at `now`.
    pub fn into_widget(self, owner_id: Uuid, now: DateTime<Utc>) -> Widget {
        let now = now.trunc_subsecs(6);
        Widget {
            name: self.name,
            description: self.description,
            info_url: self.info_url,
            deadline: self.deadline,
            created_at: now,
            updated_at: now,
            owner_id,
            revision: Revision::random(),
        }
    }
}

impl Widget {
    /// The widget with the patch applied at `now`, or `None` when that changes nothing.
    pub fn patched(&self, patch: Patch, now: DateTime<Utc>) -> Option<Self> {
        let same = Self {
            description: patch.description.unwrap_or_else(|| self.description.clone()),
            info_url: patch.info_url.unwrap_or_else(|| self.info_url.clone()),
            deadline: patch.deadline.unwrap_or(self.deadline),
            ..self.clone()
        };
        (same != *self).then(|| Self {
            updated_at: now.trunc_subsecs(6),
            revision: Revision::random(),
            ..same
        })
    }

    /// The time from `now` to the deadline, zero once it has passed.
    pub fn time_remaining(&self, now: DateTime<Utc>) -> TimeDelta {
        (self.deadline.time() - now).max(TimeDelta::zero())
    }
}

/// A state of a widget: random, and new with every change. Its text form is the widget's etag (AIP-154).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(Uuid);

impl Revision {
    /// One that no widget has had.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The revision that an etag stands for, if any ever could.
    pub fn from_etag(etag: &str) -> Option<Self> {
        let revision = Self(Uuid::try_parse(etag).ok()?);
        (revision.to_string() == etag).then_some(revision)
    }

    /// The revision as it is stored.
    pub fn id(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for Revision {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}
