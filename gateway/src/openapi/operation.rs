//! One operation: a binding of a method, for one HTTP method.

use serde_json::{Value, json};

use super::{
    body,
    comments::{Comment, Comments},
    parameters, responses,
    schema::Schemas,
};
use crate::{options::Access, route::Route};

/// The name of the security scheme.
pub(super) const BEARER: &str = "bearerAuth";

/// Where an operation stands in the document.
pub(super) struct Place<'a> {
    pub(super) route: &'a Route,
    pub(super) http_method: &'a http::Method,
    /// The names of the path's variables.
    pub(super) wildcards: &'a [String],
    pub(super) id: &'a str,
    /// The name of the service.
    pub(super) tag: &'a str,
}

/// The operation of a route.
pub(super) fn of(comments: &Comments, schemas: &mut Schemas<'_>, place: &Place<'_>) -> Value {
    let route = place.route;
    let comment = comments.at(&route.method.parent_file(), route.method.path());
    let mut operation = json!({"tags": [place.tag], "summary": summary(&comment, route)});
    let description = description(&comment, route.access);
    if !description.is_empty() {
        operation["description"] = json!(description);
    }
    operation["operationId"] = json!(place.id);
    if is_deprecated(route) {
        operation["deprecated"] = json!(true);
    }
    let parameters = parameters::of(schemas, route, place.http_method, place.wildcards);
    if parameters.as_array().is_some_and(|list| !list.is_empty()) {
        operation["parameters"] = parameters;
    }
    if let Some(body) = body::of(comments, schemas, route, place.id) {
        operation["requestBody"] = body;
    }
    operation["responses"] = responses::of(schemas, route, place.http_method, &comment);
    match route.access {
        None => {}
        Some(Access::Public) => operation["security"] = json!([]),
        Some(_) => operation["security"] = json!([{BEARER: []}]),
    }
    operation
}

fn summary(comment: &Comment, route: &Route) -> String {
    match comment.summary() {
        "" => words(route.method.name()),
        summary => summary.to_owned(),
    }
}

fn description(comment: &Comment, access: Option<Access>) -> String {
    let who = match access {
        None => return comment.text.clone(),
        Some(Access::Public) => "Open to everybody.",
        Some(Access::User) => "Open to users.",
        Some(Access::Admin) => "Open to administrators.",
        Some(Access::Service) => "Open to services of the cluster.",
    };
    format!("{}\n\n{who}", comment.rest()).trim().to_owned()
}

fn is_deprecated(route: &Route) -> bool {
    let options = route.method.method_descriptor_proto().options.as_ref();
    options.is_some_and(|options| options.deprecated())
}

/// `GetWidget` as `Get widget`.
fn words(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(' ');
            text.extend(letter.to_lowercase());
        } else {
            text.push(letter);
        }
    }
    text
}
