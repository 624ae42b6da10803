//! The document as a whole.

use std::collections::{BTreeMap, HashMap, HashSet};

use http::Method;
use prost_reflect::{EnumDescriptor, Kind, MessageDescriptor, ServiceDescriptor};
use serde_json::{Map, Value, json};

use super::{
    comments::Comments,
    names::{self, Names},
    operation::{self, BEARER, Place},
    paths, problems,
    schema::Schemas,
    well_known,
};
use crate::route::{HttpMethod, Route, Routes};

/// The HTTP methods that OpenAPI has a place for, in the order of documents.
const METHODS: [Method; 8] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::OPTIONS,
    Method::HEAD,
    Method::PATCH,
    Method::TRACE,
];

const ABOUT: &str = "JSON over HTTP for the gRPC services behind it.\n\nField names are those of the `.proto` files. \
     Unknown fields and query keys are errors. Every refusal has the shape of `Problem` (RFC 9457) and names every \
     field at fault. Fields that only the service sets may be sent back as they were read and are ignored. Bodies may \
     also be sent as `application/x-www-form-urlencoded`.";

/// The document of all routes.
pub(super) fn of(routes: &Routes) -> Value {
    let comments = Comments::of(routes.pool());
    let reach = Reach::of(routes);
    let names = Names::assign(reach.types(), &[problems::SCHEMA]);
    let mut schemas = Schemas::new(&comments, names, reach.responses());
    let operations = operations(routes, &comments, &mut schemas);

    let responses = used_responses(&operations);
    let mut components = schemas.into_components();
    components.insert(problems::SCHEMA.to_owned(), problems::schema());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": info(routes),
        "servers": [{"url": "/"}],
        "tags": tags(routes, &comments),
        "paths": operations,
        "components": {"schemas": components, "responses": responses, "headers": headers()},
    });
    if routes.iter().any(|route| route.access.is_some()) {
        document["components"]["securitySchemes"] = json!({BEARER: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token.",
        }});
    }
    document
}

/// Titles the document after the house when the methods are of its kind, and neutrally when they are foreign.
fn info(routes: &Routes) -> Value {
    let is_ours = routes.iter().any(|route| route.access.is_some());
    let mut info = json!({
        "title": if is_ours { "Gatehouse" } else { "API" },
        "version": env!("CARGO_PKG_VERSION"),
        "description": ABOUT,
    });
    if is_ours {
        info["license"] = json!({"name": env!("CARGO_PKG_LICENSE")});
    }
    info
}

fn tags(routes: &Routes, comments: &Comments) -> Value {
    let mut tags: Vec<Value> = Vec::new();
    for route in routes {
        let service = route.method.parent_service();
        let name = tag(routes, service);
        if tags.iter().any(|tag| tag["name"] == json!(name)) {
            continue;
        }
        let mut tag = json!({"name": name});
        let comment = comments.at(&service.parent_file(), service.path());
        if !comment.text.is_empty() {
            tag["description"] = json!(comment.text);
        }
        tags.push(tag);
    }
    Value::Array(tags)
}

/// The name of a service, with its package when another has the same.
fn tag(routes: &Routes, service: &ServiceDescriptor) -> String {
    let clash = |route: &Route| {
        let other = route.method.parent_service();
        other.name() == service.name() && other.full_name() != service.full_name()
    };
    let name = if routes.iter().any(clash) {
        service.full_name()
    } else {
        service.name()
    };
    name.to_owned()
}

fn operations(routes: &Routes, comments: &Comments, schemas: &mut Schemas<'_>) -> Value {
    let ids = operation_ids(routes);
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut items = Map::new();
    for path in paths::of(routes) {
        let mut item = Map::new();
        for method in METHODS {
            let Some(route) = taking(&path.routes, &method) else {
                continue;
            };
            let base = ids.get(route.method.full_name());
            let count = seen.entry(base.to_owned()).or_default();
            *count += 1;
            let id = match count {
                1 => base.to_owned(),
                number => format!("{base}_{number}"),
            };
            let place = Place {
                route,
                http_method: &method,
                wildcards: &path.names,
                id: &id,
                tag: &tag(routes, route.method.parent_service()),
            };
            item.insert(method.as_str().to_lowercase(), operation::of(comments, schemas, &place));
        }
        if !item.is_empty() {
            items.insert(path.text, Value::Object(item));
        }
    }
    Value::Object(items)
}

/// The binding of a path that takes an HTTP method: the one that names it, else the one for any method.
fn taking<'a>(routes: &[&'a Route], method: &Method) -> Option<&'a Route> {
    let named = |route: &&&Route| route.http_method == HttpMethod::Named(method.clone());
    let any = |route: &&&Route| route.http_method == HttpMethod::Any;
    let is_common = !matches!(*method, Method::OPTIONS | Method::HEAD | Method::TRACE);
    let any = || routes.iter().find(any).filter(|_| is_common);
    routes.iter().find(named).or_else(any).copied()
}

fn operation_ids(routes: &Routes) -> Names {
    let methods: BTreeMap<String, Vec<String>> = routes
        .iter()
        .map(|route| {
            let service = route.method.parent_service();
            let candidates = names::of_method(route.method.name(), service.name(), service.full_name());
            (route.method.full_name().to_owned(), candidates)
        })
        .collect();
    Names::assign(methods, &[])
}

/// The shared responses that operations refer to.
fn used_responses(operations: &Value) -> Value {
    let text = operations.to_string();
    let is_used = |name: &str| text.contains(&format!("\"#/components/responses/{name}\""));
    let used = problems::shared().into_iter().filter(|(name, _)| is_used(name));
    Value::Object(used.map(|(name, response)| (name.to_owned(), response)).collect())
}

fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "X-Request-Id": text("The id of the call, as in the logs."),
        "Location": text("The path of what was made."),
        "ETag": text("Changes whenever the content does. For `If-None-Match` and `If-Match`."),
        "Link": text("The paths of the first, previous and next pages (RFC 8288)."),
        "WWW-Authenticate": text("What is wrong with the token (RFC 6750)."),
        "Retry-After": text("After how many seconds to try again."),
        "RateLimit": text("What is left of a quota: `r` calls within `t` seconds."),
        "RateLimit-Policy": text("The quota: `q` calls in `w` seconds."),
    })
}

/// The messages and enums that requests and responses hold.
#[derive(Default)]
struct Reach {
    messages: BTreeMap<String, MessageDescriptor>,
    enums: BTreeMap<String, EnumDescriptor>,
    responses: HashSet<String>,
}

impl Reach {
    fn of(routes: &Routes) -> Self {
        let mut reach = Self::default();
        for route in routes {
            reach.message(&route.method.output());
        }
        reach.responses = reach.messages.keys().cloned().collect();
        for route in routes {
            reach.message(&route.method.input());
        }
        reach
    }

    fn message(&mut self, message: &MessageDescriptor) {
        let name = message.full_name();
        let is_known = well_known::message(name).is_some() || name == well_known::RAW;
        if is_known || self.messages.contains_key(name) {
            return;
        }
        self.messages.insert(name.to_owned(), message.clone());
        for field in message.fields() {
            match field.kind() {
                Kind::Message(entry) if field.is_map() => self.kind(&entry.map_entry_value_field().kind()),
                kind => self.kind(&kind),
            }
        }
    }

    fn kind(&mut self, kind: &Kind) {
        match kind {
            Kind::Message(message) => self.message(message),
            Kind::Enum(kind) => {
                self.enums.insert(kind.full_name().to_owned(), kind.clone());
            }
            _ => {}
        }
    }

    fn responses(&self) -> HashSet<String> {
        self.responses.clone()
    }

    fn types(&self) -> Vec<(String, Vec<String>)> {
        let messages = self
            .messages
            .values()
            .map(|message| (message.full_name(), message.package_name()));
        let enums = self.enums.values().map(|kind| (kind.full_name(), kind.package_name()));
        let types = messages.chain(enums);
        types
            .map(|(name, package)| (name.to_owned(), names::of_type(name, package)))
            .collect()
    }
}
