//! A widget service that holds its data in memory and asks for no token.

use prost_types::{Duration, Timestamp};
use proto::widget::v1::{
    CreateWidgetRequest, DeleteWidgetRequest, GetWidgetRequest, ListWidgetsRequest, ListWidgetsResponse, Owner,
    ReplaceWidgetRequest, UpdateWidgetRequest, Widget,
    widget_service_server::{WidgetService, WidgetServiceServer},
};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

use bench::Outcome;

struct InMemory {
    page: ListWidgetsResponse,
}

pub(crate) async fn serve() -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let page = ListWidgetsResponse {
        widgets: (0..50).map(widget).collect(),
        next_page_token: "ZmkAAAAIAAZg9dT_06t0AAAABG5ldzF2NuxGbOrBMj6Vxrw".into(),
        prev_page_token: String::new(),
        total_size: None,
    };
    // The server's own setting is for listeners that it opens itself.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .add_service(WidgetServiceServer::new(InMemory { page }))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

fn widget(number: i32) -> Widget {
    let at = |seconds, nanos| Some(Timestamp { seconds, nanos });
    Widget {
        name: format!("widget-{number}"),
        description: "A wheel with teeth that fits most machines of its time".into(),
        info_url: format!("https://example.com/widgets/{number}"),
        deadline: at(4_102_444_800, 0),
        created_at: at(1_767_225_600 + i64::from(number), 123_456_000),
        updated_at: at(1_767_225_700 + i64::from(number), 654_321_000),
        time_remaining: Some(Duration {
            seconds: 2_335_219_200,
            nanos: 500_000_000,
        }),
        deadline_passed: false,
        owner: Some(Owner {
            id: "0d9d0e0c-6a43-4e6f-9a0e-3f1a9a1c6f5b".into(),
            email: Some("admin@example.com".into()),
        }),
        etag: format!("3c83f3bdee3f45d09ab6f087f6f7f{number:03}"),
    }
}

#[tonic::async_trait]
impl WidgetService for InMemory {
    async fn list_widgets(&self, _: Request<ListWidgetsRequest>) -> Result<Response<ListWidgetsResponse>, Status> {
        Ok(Response::new(self.page.clone()))
    }

    async fn get_widget(&self, request: Request<GetWidgetRequest>) -> Result<Response<Widget>, Status> {
        let name = request.into_inner().name;
        let found = self.page.widgets.iter().find(|widget| widget.name == name);
        found
            .cloned()
            .map(Response::new)
            .ok_or_else(|| Status::not_found("no such widget"))
    }

    async fn create_widget(&self, _: Request<CreateWidgetRequest>) -> Result<Response<Widget>, Status> {
        Err(Status::unimplemented("for reading only"))
    }

    async fn update_widget(&self, _: Request<UpdateWidgetRequest>) -> Result<Response<Widget>, Status> {
        Err(Status::unimplemented("for reading only"))
    }

    async fn replace_widget(&self, _: Request<ReplaceWidgetRequest>) -> Result<Response<Widget>, Status> {
        Err(Status::unimplemented("for reading only"))
    }

    async fn delete_widget(&self, _: Request<DeleteWidgetRequest>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("for reading only"))
    }
}
