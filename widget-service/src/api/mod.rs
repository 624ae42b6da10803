//! The gRPC face of widgets. Each method reads: who, parse, act, render.

mod request;
mod response;
mod write;

use access_token::Caller;
use proto::widget::v1::{self as pb, widget_service_server};
use service_kit::clock::SharedClock;
use tonic::{Request, Response, Status};

use crate::{Error, domain::Widget, owners::Owners, store::WidgetStore};

/// The widget service. Who may call which method is decided in front of it, by `access` in the `.proto`.
#[derive(Clone)]
pub(crate) struct WidgetApi {
    store: WidgetStore,
    owners: Owners,
    clock: SharedClock,
}

#[tonic::async_trait]
impl widget_service_server::WidgetService for WidgetApi {
    async fn list_widgets(
        &self,
        request: Request<pb::ListWidgetsRequest>,
    ) -> Result<Response<pb::ListWidgetsResponse>, Status> {
        let request = request.into_inner();
        let listing = request::listing(&request)?;

        let page = listing.page(self.store.list(&listing).await?);
        let total = match request.count_total {
            true => Some(self.store.count(listing.prefix.as_ref()).await?),
            false => None,
        };

        let widgets = self.render(&page.widgets).await;
        Ok(Response::new(response::page(page, widgets, total)))
    }

    async fn get_widget(&self, request: Request<pb::GetWidgetRequest>) -> Result<Response<pb::Widget>, Status> {
        // A name that cannot be is a name of no widget.
        let name = request.into_inner().name.parse().map_err(|_| Error::NotFound)?;

        let widget = self.store.find(&name).await?.ok_or(Error::NotFound)?;

        Ok(Response::new(self.render_one(&widget).await))
    }

    async fn create_widget(&self, request: Request<pb::CreateWidgetRequest>) -> Result<Response<pb::Widget>, Status> {
        let caller = Caller::of(&request)?.user_id;
        let request = request.into_inner();
        let now = self.clock.now();
        let draft = request::input(&request.widget.unwrap_or_default())
            .draft(now)
            .map_err(Error::Invalid)?;

        let widget = draft.into_widget(caller, now);
        if request.validate_only {
            return Ok(self.check_create(&widget).await?);
        }
        self.store.insert(&widget).await?;

        Ok(Response::new(self.render_one(&widget).await))
    }

    async fn update_widget(&self, request: Request<pb::UpdateWidgetRequest>) -> Result<Response<pb::Widget>, Status> {
        let caller = Caller::of(&request)?.user_id;
        let (edit, validate_only) = request::update(request.into_inner());

        Ok(self.write(&edit, caller, validate_only).await?)
    }

    async fn replace_widget(&self, request: Request<pb::ReplaceWidgetRequest>) -> Result<Response<pb::Widget>, Status> {
        let caller = Caller::of(&request)?.user_id;
        let (edit, validate_only) = request::replacement(request.into_inner());

        Ok(self.write(&edit, caller, validate_only).await?)
    }

    async fn delete_widget(&self, request: Request<pb::DeleteWidgetRequest>) -> Result<Response<()>, Status> {
        let pb::DeleteWidgetRequest { name, etag } = request.into_inner();

        self.delete(&name, &etag).await?;

        Ok(Response::new(()))
    }
}

impl WidgetApi {
    /// The service over a store.
    pub(crate) fn new(store: WidgetStore, owners: Owners, clock: SharedClock) -> Self {
        Self { store, owners, clock }
    }

    /// Widgets as they are shown now.
    async fn render(&self, widgets: &[Widget]) -> Vec<pb::Widget> {
        let emails = self.owners.emails(widgets.iter().map(|widget| widget.owner_id)).await;
        let now = self.clock.now();
        let render = |widget: &Widget| response::widget(widget, emails.get(&widget.owner_id).cloned(), now);
        widgets.iter().map(render).collect()
    }

    async fn render_one(&self, widget: &Widget) -> pb::Widget {
        self.render(std::slice::from_ref(widget))
            .await
            .pop()
            .unwrap_or_default()
    }
}
