//! Doing what a write asks for, also when others write at the same time.

use proto::widget::v1 as pb;
use tonic::Response;
use uuid::Uuid;

use super::{WidgetApi, response};
use crate::{
    Error,
    domain::{Decision, Edit, Revision, Widget, WidgetName},
};

impl WidgetApi {
    /// Updates, replaces or creates, or only checks whether that could be done.
    pub(super) async fn write(
        &self,
        edit: &Edit,
        caller: Uuid,
        validate_only: bool,
    ) -> Result<Response<pb::Widget>, Error> {
        if validate_only {
            let stored = self.stored(edit).await?;
            let widget = edit.decide(stored.as_ref(), caller, self.clock.now())?.into_widget();
            return Ok(self.checked(&widget, stored.as_ref()).await);
        }
        let (widget, created) = self.apply(edit, caller).await?;
        let reply = Response::new(self.render_one(&widget).await);
        Ok(if created {
            response::with_status(reply, "201")
        } else {
            reply
        })
    }

    /// Decides and acts until no other write comes in between. A try that fails means that another write succeeded, so
    /// there is always progress; with an etag, the second decision is that it is stale.
    async fn apply(&self, edit: &Edit, caller: Uuid) -> Result<(Widget, bool), Error> {
        loop {
            let stored = self.stored(edit).await?;
            match edit.decide(stored.as_ref(), caller, self.clock.now())? {
                Decision::Keep(widget) => return Ok((widget, false)),
                Decision::Change { from, to } => {
                    if self.store.update(from, &to).await? {
                        return Ok((to, false));
                    }
                }
                Decision::Create(widget) => match self.store.insert(&widget).await {
                    Err(Error::Exists) => {}
                    outcome => return outcome.map(|()| (widget, true)),
                },
            }
        }
    }

    /// Checks whether a widget could be created.
    pub(super) async fn check_create(&self, widget: &Widget) -> Result<Response<pb::Widget>, Error> {
        match self.store.find(&widget.name).await? {
            Some(_) => Err(Error::Exists),
            None => Ok(self.checked(widget, None).await),
        }
    }

    /// Deletes a widget, with an etag only if it still holds.
    pub(super) async fn delete(&self, name: &str, etag: &str) -> Result<(), Error> {
        let missing = || if etag.is_empty() { Error::NotFound } else { Error::Stale };
        let name: WidgetName = name.parse().map_err(|_| missing())?;
        let from = match etag {
            "" => None,
            etag => Some(Revision::from_etag(etag).ok_or(Error::Stale)?),
        };
        if self.store.delete(&name, from).await? {
            Ok(())
        } else {
            Err(missing())
        }
    }

    async fn stored(&self, edit: &Edit) -> Result<Option<Widget>, Error> {
        match edit.input.name() {
            Some(name) => self.store.find(name).await,
            None => Ok(None),
        }
    }

    /// The reply to a request that was only checked: the widget as it would be, under the etag that it has now.
    async fn checked(&self, widget: &Widget, stored: Option<&Widget>) -> Response<pb::Widget> {
        let mut reply = self.render_one(widget).await;
        reply.etag = stored.map(|stored| stored.revision.to_string()).unwrap_or_default();
        response::with_status(Response::new(reply), "200")
    }
}
