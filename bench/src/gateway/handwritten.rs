//! What one would write by hand for these two routes: axum, a typed client, serde.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use bench::Outcome;
use prost_types::{Duration, Timestamp};
use proto::widget::v1::{self as pb, widget_service_client::WidgetServiceClient};
use serde::Serialize;
use tokio::net::TcpListener;
use tonic::{Request, Status, transport::Channel};

type Client = WidgetServiceClient<Channel>;
type Refusal = (StatusCode, String);

#[derive(Serialize)]
struct Widget {
    name: String,
    description: String,
    info_url: String,
    deadline: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
    time_remaining: Option<String>,
    deadline_passed: bool,
    owner: Option<Owner>,
    etag: String,
}

#[derive(Serialize)]
struct Owner {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

#[derive(Serialize)]
struct Page {
    widgets: Vec<Widget>,
    next_page_token: String,
    prev_page_token: String,
}

pub(crate) async fn serve(backend: &str) -> Outcome<()> {
    let channel = Channel::from_shared(format!("http://{backend}"))?
        .tcp_nodelay(true)
        .connect()
        .await?;
    let routes = Router::new()
        .route("/api/v1/widgets", get(list))
        .route("/api/v1/widgets/{name}", get(one))
        .with_state(WidgetServiceClient::new(channel));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let listener = axum::serve::ListenerExt::tap_io(listener, |tcp| {
        // Without it, the connection is merely slower.
        let _ = tcp.set_nodelay(true);
    });
    axum::serve(listener, routes).await?;
    Ok(())
}

async fn one(State(mut client): State<Client>, Path(name): Path<String>) -> Result<Json<Widget>, Refusal> {
    let reply = client
        .get_widget(Request::new(pb::GetWidgetRequest { name }))
        .await
        .map_err(refusal)?;
    Ok(Json(widget(reply.into_inner())))
}

async fn list(State(mut client): State<Client>) -> Result<Json<Page>, Refusal> {
    let reply = client
        .list_widgets(Request::new(pb::ListWidgetsRequest::default()))
        .await
        .map_err(refusal)?;
    let page = reply.into_inner();
    Ok(Json(Page {
        widgets: page.widgets.into_iter().map(widget).collect(),
        next_page_token: page.next_page_token,
        prev_page_token: page.prev_page_token,
    }))
}

fn refusal(status: Status) -> Refusal {
    (StatusCode::BAD_GATEWAY, status.message().to_owned())
}

fn widget(widget: pb::Widget) -> Widget {
    Widget {
        name: widget.name,
        description: widget.description,
        info_url: widget.info_url,
        deadline: widget.deadline.as_ref().map(time),
        created_at: widget.created_at.as_ref().map(time),
        updated_at: widget.updated_at.as_ref().map(time),
        time_remaining: widget.time_remaining.as_ref().map(duration),
        deadline_passed: widget.deadline_passed,
        owner: widget.owner.map(|owner| Owner {
            id: owner.id,
            email: owner.email,
        }),
        etag: widget.etag,
    }
}

fn time(time: &Timestamp) -> String {
    let nanos = time.nanos.cast_unsigned();
    let format = if nanos == 0 {
        chrono::SecondsFormat::Secs
    } else {
        chrono::SecondsFormat::AutoSi
    };
    chrono::DateTime::from_timestamp(time.seconds, nanos)
        .unwrap_or_default()
        .to_rfc3339_opts(format, true)
}

fn duration(duration: &Duration) -> String {
    match duration.nanos {
        0 => format!("{}s", duration.seconds),
        nanos => format!("{}.{:03}s", duration.seconds, nanos / 1_000_000),
    }
}
