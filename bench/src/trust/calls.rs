//! Calls of the widget service over gRPC.

use std::time::Duration;

use bench::{
    Outcome,
    grpc::{bearer, with},
    load::{Call, Load, load},
};
use proto::widget::v1::{GetWidgetRequest, ListWidgetsRequest, widget_service_client::WidgetServiceClient};
use tonic::{metadata::AsciiMetadataValue, transport::Channel};

use super::{Rpc, Side};

struct Calls {
    client: WidgetServiceClient<Channel>,
    bearer: AsciiMetadataValue,
    rpc: Rpc,
}

impl Call for Calls {
    async fn call(&mut self) -> Outcome<()> {
        match self.rpc {
            Rpc::Get => {
                let request = GetWidgetRequest {
                    name: "widget-7".into(),
                };
                self.client.get_widget(with(&self.bearer, request)).await?;
            }
            Rpc::List => {
                self.client
                    .list_widgets(with(&self.bearer, ListWidgetsRequest::default()))
                    .await?;
            }
        }
        Ok(())
    }
}

/// A load on one side, each worker with a connection of its own.
pub(super) fn load_of(side: &Side, rpc: Rpc, connections: usize, time: Duration) -> Load {
    let (url, token) = (format!("http://{}", side.widget), side.token.clone());
    load(connections, time, move || {
        let (url, token) = (url.clone(), token.clone());
        async move {
            let channel = Channel::from_shared(url)?.tcp_nodelay(true).connect().await?;
            Ok(Calls {
                client: WidgetServiceClient::new(channel),
                bearer: bearer(&token)?,
                rpc,
            })
        }
    })
}
