//! A route made ready to serve: everything that can be known before a request comes.

use std::sync::Arc;

use http::uri::PathAndQuery;
use prost_reflect::{FieldDescriptor, MessageDescriptor};

use crate::{
    bound::BoundTree,
    lookup::TextPath,
    plan::{MessageId, Plans, Shape, Type, WellKnown},
    route::{Body, HttpMethod, Route},
    template::{Segment, Template},
};

const HTTP_BODY: &str = "google.api.HttpBody";

/// A route with its plans.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) route: Route,
    /// What the route is called in metrics: its template.
    pub(crate) label: Arc<str>,
    /// `/package.Service/Method`.
    pub(crate) grpc_path: PathAndQuery,
    /// The package of the service, by which its upstream is found.
    pub(crate) package: String,
    pub(crate) input: MessageId,
    pub(crate) output: MessageId,
    pub(crate) variables: Vec<VariablePlan>,
    pub(crate) bound: BoundTree,
    pub(crate) body: BodyPlan,
    /// The field of an inferred update mask.
    pub(crate) mask: Option<u32>,
    /// The field `validate_only`, if the request has one.
    pub(crate) validate_only: Option<u32>,
    /// Where `If-Match` goes: the request's etag, else its body's.
    pub(crate) etag: Option<TextPath>,
    /// Whether the request has a `page_token` that the query fills.
    pub(crate) paged: bool,
    pub(crate) reply: ReplyPlan,
}

/// A variable of the template.
#[derive(Debug)]
pub(crate) struct VariablePlan {
    /// Field indexes from the outermost.
    pub(crate) path: Vec<u16>,
    /// Field numbers from the outermost.
    pub(crate) numbers: Vec<u32>,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) start: usize,
    /// The segment after the last; `None` is the path's end.
    pub(crate) end: Option<usize>,
    /// Whether `%2F` stays as it is.
    pub(crate) multi: bool,
}

/// Where the body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyPlan {
    None,
    Whole,
    /// Into the field of this index.
    Field(u16),
    /// A `google.api.HttpBody` that is the request.
    RawWhole,
    /// A `google.api.HttpBody` in the field of this number.
    RawField(u32),
}

/// How a reply becomes a response.
#[derive(Debug)]
pub(crate) struct ReplyPlan {
    /// The field that is the body, by index.
    pub(crate) body: Option<u16>,
    /// The reply, or that field, is a `google.api.HttpBody`; the numbers lead to it.
    pub(crate) raw: Option<Vec<u32>>,
    pub(crate) streams: bool,
    pub(crate) status: u16,
    pub(crate) cache_control: http::HeaderValue,
    pub(crate) location: Option<LocationPlan>,
    pub(crate) etag: Option<TextPath>,
    pub(crate) next_page: Option<TextPath>,
    pub(crate) prev_page: Option<TextPath>,
}

/// The `Location` template over fields of the reply.
#[derive(Debug)]
pub(crate) struct LocationPlan {
    pub(crate) template: Template,
    /// The fields of the variables: indexes from the outermost.
    pub(crate) variables: Vec<Vec<u16>>,
}

impl Endpoint {
    /// Makes a route ready. `None` when its types are not among the plans, which were made from the same descriptors.
    pub(crate) fn new(route: &Route, plans: &Plans) -> Option<Self> {
        let method = &route.method;
        let (input, output) = (
            plans.find(method.input().full_name())?,
            plans.find(method.output().full_name())?,
        );
        let variables = variables(route, plans, input)?;
        let mut bound = BoundTree::default();
        for (index, variable) in variables.iter().enumerate() {
            bound.insert(&variable.path, index);
        }
        let named = |name| plans.message(input).named(name).map(|(_, field)| field);
        Some(Self {
            label: route.template.text().into(),
            grpc_path: route.grpc_path().try_into().ok()?,
            package: method.parent_service().package_name().to_owned(),
            input,
            output,
            variables,
            bound,
            body: body_plan(route, plans, input)?,
            mask: mask_field(route, plans, input),
            validate_only: named("validate_only")
                .filter(|field| field.ty == Type::Bool)
                .map(|field| field.number),
            etag: etag_target(route, plans, input),
            paged: named("page_token").is_some_and(|field| field.ty == Type::String) && route.body != Body::Whole,
            reply: reply_plan(route, plans, output)?,
            route: route.clone(),
        })
    }

    /// Whether a call must carry a token.
    pub(crate) fn is_protected(&self) -> bool {
        self.route
            .access
            .is_some_and(|access| access != crate::options::Access::Public)
    }
}

fn indexes(plans: &Plans, message: MessageId, path: &[FieldDescriptor]) -> Option<Vec<u16>> {
    let mut indexes = Vec::new();
    let mut message = Some(message);
    for field in path {
        let (index, plan) = plans.message(message?).named(field.name())?;
        indexes.push(index);
        message = plans.plain_message(plan.ty);
    }
    Some(indexes)
}

fn variables(route: &Route, plans: &Plans, input: MessageId) -> Option<Vec<VariablePlan>> {
    let mut variables = Vec::new();
    for (variable, path) in route.template.variables().iter().zip(&route.variables) {
        let indexes = indexes(plans, input, path)?;
        let parent = path
            .split_last()
            .and_then(|(last, _)| plans.find(last.parent_message().full_name()))?;
        let to_end =
            variable.end == route.template.segments().len() && route.template.segments().last() == Some(&Segment::Rest);
        variables.push(VariablePlan {
            ty: plans.message(parent).field(*indexes.last()?).ty,
            path: indexes,
            numbers: path.iter().map(FieldDescriptor::number).collect(),
            name: variable.name(),
            start: variable.start,
            end: (!to_end).then_some(variable.end),
            multi: route.template.is_multi_segment(variable),
        });
    }
    Some(variables)
}

fn body_plan(route: &Route, plans: &Plans, input: MessageId) -> Option<BodyPlan> {
    Some(match &route.body {
        Body::None => BodyPlan::None,
        Body::Whole if &*plans.message(input).name == HTTP_BODY => BodyPlan::RawWhole,
        Body::Whole => BodyPlan::Whole,
        Body::Field(field) => {
            let (index, plan) = plans.message(input).named(field.name())?;
            match plan.ty {
                Type::Message(id) if plan.shape == Shape::Single && &*plans.message(id).name == HTTP_BODY => {
                    BodyPlan::RawField(plan.number)
                }
                _ => BodyPlan::Field(index),
            }
        }
    })
}

/// PATCH of a message field fills the request's only FieldMask.
fn mask_field(route: &Route, plans: &Plans, input: MessageId) -> Option<u32> {
    let Body::Field(body) = &route.body else {
        return None;
    };
    let (_, body) = plans.message(input).named(body.name())?;
    if route.http_method != HttpMethod::Named(http::Method::PATCH)
        || body.shape != Shape::Single
        || plans.plain_message(body.ty).is_none()
    {
        return None;
    }
    let is_mask = |ty| matches!(ty, Type::Message(id) if plans.message(id).well_known == Some(WellKnown::FieldMask));
    let mut masks = plans
        .message(input)
        .fields
        .iter()
        .filter(|field| field.shape == Shape::Single && is_mask(field.ty));
    match (masks.next(), masks.next()) {
        (Some(only), None) => Some(only.number),
        _ => None,
    }
}

fn etag_target(route: &Route, plans: &Plans, input: MessageId) -> Option<TextPath> {
    let of_body = || match &route.body {
        Body::Field(field) => TextPath::to_string_field(plans, input, &[field.name(), "etag"]),
        _ => None,
    };
    TextPath::to_string_field(plans, input, &["etag"]).or_else(of_body)
}

fn reply_plan(route: &Route, plans: &Plans, output: MessageId) -> Option<ReplyPlan> {
    let descriptor = route.method.output();
    let body = match &route.response_body {
        Some(field) => Some(plans.message(output).named(field.name())?.0),
        None => None,
    };
    let text = |name| TextPath::to_string_field(plans, output, &[name]);
    let option = &route.http_response;
    let cache_control = match option.cache_control.as_str() {
        "" => "no-store",
        chosen => chosen,
    };
    Some(ReplyPlan {
        body,
        raw: raw_reply(route, &descriptor),
        streams: route.method.is_server_streaming(),
        status: u16::try_from(option.status)
            .ok()
            .filter(|status| *status != 0)
            .unwrap_or(200),
        cache_control: http::HeaderValue::from_str(cache_control).ok()?,
        location: location(&option.location, &descriptor, plans, output),
        etag: text("etag"),
        next_page: text("next_page_token"),
        prev_page: text("prev_page_token"),
    })
}

fn raw_reply(route: &Route, output: &MessageDescriptor) -> Option<Vec<u32>> {
    match &route.response_body {
        None => (output.full_name() == HTTP_BODY).then(Vec::new),
        Some(field) => {
            let kind = field.kind();
            let is_raw = kind
                .as_message()
                .is_some_and(|message| message.full_name() == HTTP_BODY)
                && !field.is_list();
            is_raw.then(|| vec![field.number()])
        }
    }
}

fn location(text: &str, output: &MessageDescriptor, plans: &Plans, id: MessageId) -> Option<LocationPlan> {
    if text.is_empty() {
        return None;
    }
    let template = Template::parse(text).ok()?;
    let paths = crate::route::variables(output, &template).ok()?;
    let variables = paths
        .iter()
        .map(|path| indexes(plans, id, path))
        .collect::<Option<_>>()?;
    Some(LocationPlan { template, variables })
}
