//! Calls of the widget service over gRPC.

use std::time::Duration;

use bench::{
    Outcome,
    load::{Call, Load, load},
};
use proto::widget::v1::{GetWidgetRequest, ListWidgetsRequest, widget_service_client::WidgetServiceClient};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use super::{Rpc, Side};

struct Calls {
    client: WidgetServiceClient<Channel>,
    token: MetadataValue<Ascii>,
    rpc: Rpc,
}

impl Call for Calls {
    async fn call(&mut self) -> Outcome<()> {
        match self.rpc {
            Rpc::Get => {
                let request = GetWidgetRequest {
                    name: "widget-7".into(),
                };
                self.client.get_widget(with(&self.token, request)).await?;
            }
            Rpc::List => {
                self.client
                    .list_widgets(with(&self.token, ListWidgetsRequest::default()))
                    .await?;
            }
        }
        Ok(())
    }
}

/// A request with a token.
pub(super) fn with<T>(token: &MetadataValue<Ascii>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", token.clone());
    request
}

/// A load on one side, each worker with a connection of its own.
pub(super) fn load_of(side: &Side, rpc: Rpc, connections: usize, time: Duration) -> Load {
    let (url, token) = (format!("http://{}", side.widget), format!("Bearer {}", side.token));
    load(connections, time, move || {
        let (url, token) = (url.clone(), token.clone());
        async move {
            let channel = Channel::from_shared(url)?.tcp_nodelay(true).connect().await?;
            Ok(Calls {
                client: WidgetServiceClient::new(channel),
                token: token.parse()?,
                rpc,
            })
        }
    })
}
