//! Where widgets are kept. One text of SQL serves SQLite and PostgreSQL.

mod page;
mod row;

use database::{Database, args};

use self::row::COLUMNS;
use crate::{
    Error,
    domain::{Listing, NamePrefix, Revision, Widget, WidgetName},
};

/// The widgets of one database. Each method is one statement, so the database alone decides races.
#[derive(Debug, Clone)]
pub struct WidgetStore {
    db: Database,
}

impl WidgetStore {
    /// A store over a database with the schema of [`crate::migrations`].
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// The widget of this name, if there is one.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub async fn find(&self, name: &WidgetName) -> Result<Option<Widget>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM widgets WHERE name = $1");
        let row = self.db.fetch_optional(sql, args![name.as_str()]).await?;
        Ok(row.map(|row| row::widget(&row)).transpose()?)
    }

    /// Stores a new widget. Of many that store one name at once, one succeeds.
    ///
    /// # Errors
    /// [`Error::Exists`] when the name is taken, [`Error::Store`]
    pub async fn insert(&self, widget: &Widget) -> Result<(), Error> {
        let sql = format!("INSERT INTO widgets ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
        match self.db.execute(sql, row::values(widget)).await {
            Err(database::Error::Unique) => Err(Error::Exists),
            outcome => Ok(outcome.map(drop)?),
        }
    }

    /// Stores the new state of a widget, and says whether it did: only if the stored revision is still `from`.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub async fn update(&self, from: Revision, widget: &Widget) -> Result<bool, Error> {
        let sql = "UPDATE widgets SET description = $1, info_url = $2, deadline = $3, updated_at = $4, revision = $5 \
                   WHERE name = $6 AND revision = $7";
        let args = args![
            widget.description.as_str(),
            widget.info_url.as_str(),
            widget.deadline.time().timestamp_micros(),
            widget.updated_at.timestamp_micros(),
            widget.revision.id(),
            widget.name.as_str(),
            from.id(),
        ];
        Ok(self.db.execute(sql, args).await? == 1)
    }

    /// Deletes the widget of this name, and says whether it did: with `from`, only if that is still its revision.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub async fn delete(&self, name: &WidgetName, from: Option<Revision>) -> Result<bool, Error> {
        let deleted = match from {
            None => {
                let sql = "DELETE FROM widgets WHERE name = $1";
                self.db.execute(sql, args![name.as_str()]).await?
            }
            Some(from) => {
                let sql = "DELETE FROM widgets WHERE name = $1 AND revision = $2";
                self.db.execute(sql, args![name.as_str(), from.id()]).await?
            }
        };
        Ok(deleted == 1)
    }

    /// The first `size` + 1 widgets from the start of a page, in the direction of reading. What a page costs does not
    /// depend on how deep it lies.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub async fn list(&self, listing: &Listing) -> Result<Vec<Widget>, Error> {
        let (sql, args) = page::select(listing);
        let rows = self.db.fetch_all(sql, args).await?;
        Ok(rows.iter().map(row::widget).collect::<Result<_, _>>()?)
    }

    /// How many widgets have names that begin so. Costs a walk over all of them.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub async fn count(&self, prefix: Option<&NamePrefix>) -> Result<i64, Error> {
        let (sql, args) = page::count(prefix);
        let row = self.db.fetch_one(sql, args).await?;
        Ok(row.get("total")?)
    }
}
