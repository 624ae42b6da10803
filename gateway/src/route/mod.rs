//! The model: one [`Route`] for each HTTP binding of each annotated method.

mod bind;
pub(crate) use bind::variables;
mod compile;

pub(crate) use bind::is_scalar_like;

use std::fmt;

use prost_reflect::{DescriptorPool, FieldDescriptor, MethodDescriptor};

use crate::{
    fault::Faults,
    options::{Access, HttpResponse},
    template::Template,
};

/// All routes of a descriptor set, in the order of the files.
#[derive(Debug, Clone)]
pub struct Routes {
    pool: DescriptorPool,
    routes: Vec<Route>,
}

/// One HTTP binding of a method.
#[derive(Debug, Clone)]
pub struct Route {
    /// The gRPC method.
    pub method: MethodDescriptor,
    /// Which HTTP method is bound.
    pub http_method: HttpMethod,
    /// The path.
    pub template: Template,
    /// For each variable of the template, in its order: the request's fields from the outermost to the bound one.
    pub variables: Vec<Vec<FieldDescriptor>>,
    /// What the HTTP body fills.
    pub body: Body,
    /// The response field that becomes the HTTP body; `None` is the whole response.
    pub response_body: Option<FieldDescriptor>,
    /// Who may call; `None` when the method does not say so.
    pub access: Option<Access>,
    /// How a successful response looks.
    pub http_response: HttpResponse,
    /// Whether the method may be repeated.
    pub idempotency: Idempotency,
    /// Whether this is the method's first binding, not one of `additional_bindings`.
    pub primary: bool,
}

/// The HTTP method of a binding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HttpMethod {
    /// This one.
    Named(http::Method),
    /// `custom { kind: "*" }`: every method but OPTIONS that no other binding of the same path names.
    Any,
}

/// What the HTTP body fills.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// There is none.
    None,
    /// `*`: every field that the path does not bind.
    Whole,
    /// This top-level field of the request.
    Field(FieldDescriptor),
}

/// `idempotency_level` of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// Not stated.
    Unknown,
    /// Repeating changes nothing more.
    Idempotent,
    /// It changes nothing at all.
    NoSideEffects,
}

impl Routes {
    /// Compiles the bindings of every annotated method. Reports every fault at once.
    pub fn compile(pool: &DescriptorPool) -> Result<Self, Faults> {
        let routes = compile::routes(pool)?;
        Ok(Self {
            pool: pool.clone(),
            routes,
        })
    }

    /// The descriptors that the routes were made from.
    pub fn pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// The routes.
    pub fn iter(&self) -> std::slice::Iter<'_, Route> {
        self.routes.iter()
    }
}

impl<'a> IntoIterator for &'a Routes {
    type Item = &'a Route;
    type IntoIter = std::slice::Iter<'a, Route>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Route {
    /// The path of the gRPC method: `/package.Service/Method`.
    pub fn grpc_path(&self) -> String {
        format!("/{}/{}", self.method.parent_service().full_name(), self.method.name())
    }

    /// Whether a call may be repeated when it is not known whether the first was processed.
    pub fn is_repeatable(&self) -> bool {
        self.idempotency != Idempotency::Unknown || self.http_method == HttpMethod::Named(http::Method::GET)
    }
}

impl HttpMethod {
    /// Whether the binding takes a request of this method. HEAD by GET and OPTIONS are decided elsewhere.
    pub fn takes(&self, method: &http::Method) -> bool {
        match self {
            Self::Named(named) => named == method,
            Self::Any => method != http::Method::OPTIONS,
        }
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(method) => f.pad(method.as_str()),
            Self::Any => f.pad("*"),
        }
    }
}
