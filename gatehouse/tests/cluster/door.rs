//! The ways to the widgets.

use proto::widget::v1::{ListWidgetsRequest, widget_service_client::WidgetServiceClient};
use tonic::{Code, Request, transport::Channel};
use tonic_types::StatusExt;

use crate::{cluster::Cluster, load::Caller, rest::Rest};

#[derive(Clone)]
pub enum Door {
    Widget(WidgetServiceClient<Channel>),
    Gateway(Rest),
}

/// What a door says to a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    /// It was revoked.
    Refused,
    /// Its key is not one of the house's.
    Invalid,
    /// It cannot be told at present.
    Unavailable,
    /// Anything else.
    Odd(String),
}

impl Door {
    /// Both widget services directly, and through each gateway.
    pub async fn all(cluster: &Cluster) -> Vec<Self> {
        let mut doors = Vec::new();
        for widget in &cluster.widget {
            doors.push(Self::Widget(WidgetServiceClient::new(widget.channel().await)));
        }
        doors.extend(
            cluster
                .gateway
                .iter()
                .map(|gateway| Self::Gateway(Rest::http2(gateway.addr))),
        );
        doors
    }

    /// Knocks with a token again and again.
    pub fn caller(&self, token: &str) -> Caller<Answer> {
        let (door, token) = (self.clone(), token.to_owned());
        Caller::new(move || {
            let (door, token) = (door.clone(), token.clone());
            async move { door.knock(&token).await }
        })
    }

    /// Asks for a list of widgets.
    pub async fn knock(&self, token: &str) -> Answer {
        match self {
            Self::Widget(client) => directly(client.clone(), token).await,
            Self::Gateway(rest) => by_rest(rest, token).await,
        }
    }
}

async fn directly(mut client: WidgetServiceClient<Channel>, token: &str) -> Answer {
    let mut request = Request::new(ListWidgetsRequest::default());
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let Err(status) = client.list_widgets(request).await else {
        return Answer::Accepted;
    };
    let info = status.get_details_error_info();
    match (status.code(), info.map(|info| info.reason).as_deref()) {
        (Code::Unauthenticated, Some("TOKEN_REVOKED")) => Answer::Refused,
        (Code::Unauthenticated, Some("TOKEN_INVALID")) => Answer::Invalid,
        (Code::Unavailable, Some("TRUST_UNAVAILABLE")) => Answer::Unavailable,
        _ => Answer::Odd(format!("{status:?}")),
    }
}

async fn by_rest(rest: &Rest, token: &str) -> Answer {
    match rest.get("/api/v1/widgets", token).await {
        Ok(reply) => match (reply.status, reply.reason()) {
            (200, _) => Answer::Accepted,
            (401, "TOKEN_REVOKED") => Answer::Refused,
            (401, "TOKEN_INVALID") => Answer::Invalid,
            (503, "TRUST_UNAVAILABLE") => Answer::Unavailable,
            _ => Answer::Odd(format!("{reply:?}")),
        },
        Err(lost) => Answer::Odd(lost.why),
    }
}
