//! OpenAPI 3.1 from the routes and the comments of their `.proto` files.

mod body;
mod comments;
mod document;
mod examples;
mod names;
mod operation;
mod parameters;
mod paths;
mod problems;
mod responses;
mod schema;
mod well_known;

use crate::{page::Page, route::Routes};

/// Where the document is.
pub const PATH: &str = "/openapi.json";

/// The OpenAPI document of the routes.
pub fn document(routes: &Routes) -> serde_json::Value {
    document::of(routes)
}

/// The page that serves the document of the routes.
pub fn page(routes: &Routes) -> Page {
    Page::new(PATH, "application/json", document(routes).to_string())
}
