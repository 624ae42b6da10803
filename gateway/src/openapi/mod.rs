//! OpenAPI from the routes.

use crate::route::Routes;

/// The OpenAPI document of the routes.
pub fn document(_routes: &Routes) -> serde_json::Value {
    serde_json::json!({"openapi": "3.1.0"})
}
