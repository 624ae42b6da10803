//! The options that say how a method and its fields look from outside, read by field number.
//!
//! They are read from the encoded options, so that a descriptor set that does not carry the `.proto` files which
//! define these extensions works as well.

use prost::Message;
use prost_reflect::{FieldDescriptor, MethodDescriptor};

/// Who may call a method (`gatehouse.options.v1.access`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// A user with a token.
    User,
    /// An administrator with a token.
    Admin,
    /// Another service of the cluster.
    Service,
}

/// How fields behave (`google.api.field_behavior`, AIP-203), as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldBehavior {
    /// Must be given.
    Required,
    /// Set by the service only.
    OutputOnly,
    /// Only ever in requests.
    InputOnly,
    /// Never changes once set.
    Immutable,
    /// Names the resource.
    Identifier,
}

/// The successful REST response of a method (`gatehouse.options.v1.http_response`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct HttpResponse {
    /// The HTTP status, 200 to 299; 0 means 200.
    #[prost(int32, tag = "1")]
    pub status: i32,
    /// The template of the `Location` header over the response's fields.
    #[prost(string, tag = "2")]
    pub location: String,
    /// The `Cache-Control` header; empty means `no-store`.
    #[prost(string, tag = "3")]
    pub cache_control: String,
}

/// `google.api.HttpRule`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HttpRule {
    /// The HTTP method and template.
    #[prost(oneof = "Pattern", tags = "2, 3, 4, 5, 6, 8")]
    pub pattern: Option<Pattern>,
    /// `*`, a field of the request, or empty.
    #[prost(string, tag = "7")]
    pub body: String,
    /// A field of the response, or empty.
    #[prost(string, tag = "12")]
    pub response_body: String,
    /// Further bindings.
    #[prost(message, repeated, tag = "11")]
    pub additional_bindings: Vec<HttpRule>,
}

/// The HTTP method and template of a rule.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Pattern {
    /// GET.
    #[prost(string, tag = "2")]
    Get(String),
    /// PUT.
    #[prost(string, tag = "3")]
    Put(String),
    /// POST.
    #[prost(string, tag = "4")]
    Post(String),
    /// DELETE.
    #[prost(string, tag = "5")]
    Delete(String),
    /// PATCH.
    #[prost(string, tag = "6")]
    Patch(String),
    /// Any other.
    #[prost(message, tag = "8")]
    Custom(CustomPattern),
}

/// `google.api.CustomHttpPattern`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CustomPattern {
    /// The HTTP method; `*` for any.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// The template.
    #[prost(string, tag = "2")]
    pub path: String,
}

/// What the options of a method say.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MethodOptions {
    /// The HTTP bindings.
    #[prost(message, optional, tag = "72295728")]
    pub http: Option<HttpRule>,
    #[prost(int32, tag = "50551")]
    access: i32,
    /// The successful response; all empty when not said.
    #[prost(message, optional, tag = "50552")]
    pub http_response: Option<HttpResponse>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct FieldOptions {
    #[prost(int32, repeated, packed = "false", tag = "1052")]
    behavior: Vec<i32>,
}

impl MethodOptions {
    /// Reads the options of a method. Options that do not fit their types count as absent.
    pub fn of(method: &MethodDescriptor) -> Self {
        Self::decode(method.options().encode_to_vec().as_slice()).unwrap_or_default()
    }

    /// Who may call the method; `None` for methods of others, which do not say so.
    pub fn access(&self) -> Option<Access> {
        match self.access {
            1 => Some(Access::Public),
            2 => Some(Access::User),
            3 => Some(Access::Admin),
            4 => Some(Access::Service),
            _ => None,
        }
    }
}

impl FieldBehavior {
    /// The behaviours that a field declares.
    pub fn of(field: &FieldDescriptor) -> Vec<Self> {
        let options = FieldOptions::decode(field.options().encode_to_vec().as_slice()).unwrap_or_default();
        let known = |number: i32| match number {
            2 => Some(Self::Required),
            3 => Some(Self::OutputOnly),
            4 => Some(Self::InputOnly),
            5 => Some(Self::Immutable),
            8 => Some(Self::Identifier),
            _ => None,
        };
        options.behavior.into_iter().filter_map(known).collect()
    }
}
