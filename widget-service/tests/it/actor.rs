//! Somebody who calls the service, and what comes back.

use proto::widget::v1::{self as pb, widget_service_client::WidgetServiceClient};
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_types::StatusExt;
use uuid::Uuid;

/// A client with a token, or without one.
#[derive(Clone)]
pub struct Actor {
    pub id: Uuid,
    pub token_id: Uuid,
    pub token: Option<String>,
    pub client: WidgetServiceClient<Channel>,
}

/// A reply: the message, and the HTTP status that it asks the gateway for, empty for none.
#[derive(Debug)]
pub struct Reply<T> {
    pub message: T,
    pub http_status: String,
}

/// A refusal as a client reads it.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub reason: String,
    /// The failing fields, sorted.
    pub fields: Vec<String>,
    pub has_retry_delay: bool,
}

pub type Outcome<T> = Result<Reply<T>, Refusal>;

impl Actor {
    pub async fn list(&self, request: pb::ListWidgetsRequest) -> Outcome<pb::ListWidgetsResponse> {
        outcome(self.client.clone().list_widgets(self.request(request)).await)
    }

    pub async fn get(&self, name: &str) -> Outcome<pb::Widget> {
        let request = pb::GetWidgetRequest { name: name.into() };
        outcome(self.client.clone().get_widget(self.request(request)).await)
    }

    pub async fn create(&self, widget: pb::Widget) -> Outcome<pb::Widget> {
        self.create_as(pb::CreateWidgetRequest {
            widget: Some(widget),
            ..Default::default()
        })
        .await
    }

    pub async fn create_as(&self, request: pb::CreateWidgetRequest) -> Outcome<pb::Widget> {
        outcome(self.client.clone().create_widget(self.request(request)).await)
    }

    /// Updates the fields of a mask; no field at all is no mask.
    pub async fn update(&self, widget: pb::Widget, fields: &[&str]) -> Outcome<pb::Widget> {
        self.update_as(update(widget, fields)).await
    }

    pub async fn update_as(&self, request: pb::UpdateWidgetRequest) -> Outcome<pb::Widget> {
        outcome(self.client.clone().update_widget(self.request(request)).await)
    }

    pub async fn replace(&self, widget: pb::Widget) -> Outcome<pb::Widget> {
        self.replace_as(pb::ReplaceWidgetRequest {
            widget: Some(widget),
            ..Default::default()
        })
        .await
    }

    pub async fn replace_as(&self, request: pb::ReplaceWidgetRequest) -> Outcome<pb::Widget> {
        outcome(self.client.clone().replace_widget(self.request(request)).await)
    }

    pub async fn delete(&self, name: &str, etag: &str) -> Outcome<()> {
        let request = pb::DeleteWidgetRequest {
            name: name.into(),
            etag: etag.into(),
        };
        outcome(self.client.clone().delete_widget(self.request(request)).await)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request
                .metadata_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        request
    }
}

/// An update of the fields of a mask; no field at all is no mask.
pub fn update(widget: pb::Widget, fields: &[&str]) -> pb::UpdateWidgetRequest {
    let paths: Vec<String> = fields.iter().map(ToString::to_string).collect();
    pb::UpdateWidgetRequest {
        widget: Some(widget),
        update_mask: (!paths.is_empty()).then_some(prost_types::FieldMask { paths }),
        ..Default::default()
    }
}

impl Refusal {
    pub fn new(code: Code, reason: &str) -> Self {
        Self {
            code,
            reason: reason.into(),
            fields: vec![],
            has_retry_delay: false,
        }
    }

    /// INVALID_ARGUMENT about these fields.
    pub fn invalid(fields: &[&str]) -> Self {
        let mut fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
        fields.sort();
        Self {
            fields,
            ..Self::new(Code::InvalidArgument, "INVALID_FIELDS")
        }
    }
}

fn outcome<T>(result: Result<Response<T>, Status>) -> Outcome<T> {
    let response = result.map_err(|status| refusal(&status))?;
    let http_status = response
        .metadata()
        .get("http-status")
        .map(|value| value.to_str().unwrap().to_owned());
    Ok(Reply {
        message: response.into_inner(),
        http_status: http_status.unwrap_or_default(),
    })
}

fn refusal(status: &Status) -> Refusal {
    let details = status.get_error_details();
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("a refusal without a reason: {status:?}"));
    assert_eq!(info.domain, "gatehouse");
    assert!(!status.message().is_empty());
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.clone())
        .unwrap_or_default();
    let mut fields: Vec<String> = violations.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    Refusal {
        code: status.code(),
        reason: info.reason.clone(),
        fields,
        has_retry_delay: details.retry_info().is_some(),
    }
}
