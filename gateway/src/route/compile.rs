//! From method options to routes.

use prost_reflect::{DescriptorPool, MethodDescriptor};

use super::{HttpMethod, Idempotency, Route, bind};
use crate::{
    fault::{Fault, Faults, line},
    options::{HttpRule, MethodOptions, Pattern},
    template::{Template, TemplateFault},
};

pub(super) fn routes(pool: &DescriptorPool) -> Result<Vec<Route>, Faults> {
    let mut routes: Vec<Route> = Vec::new();
    let mut faults = Vec::new();
    for method in pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
    {
        let options = MethodOptions::of(&method);
        for (rule, primary) in rules(&method, &options, &mut faults) {
            match route(&method, &options, rule, primary) {
                Ok(route) => match conflict(&routes, &route) {
                    Some(fault) => faults.push(fault),
                    None => routes.push(route),
                },
                Err(fault) => faults.push(*fault),
            }
        }
    }
    if faults.is_empty() {
        Ok(routes)
    } else {
        Err(Faults(faults))
    }
}

/// The rule of a method and its additional bindings, the former marked.
fn rules<'a>(
    method: &MethodDescriptor,
    options: &'a MethodOptions,
    faults: &mut Vec<Fault>,
) -> Vec<(&'a HttpRule, bool)> {
    let Some(first) = &options.http else {
        return Vec::new();
    };
    if method.is_client_streaming() {
        faults.push(Fault::new(
            method,
            template_text(first),
            "a client-streaming method cannot have an HTTP binding",
        ));
        return Vec::new();
    }
    if let Some(nesting) = first
        .additional_bindings
        .iter()
        .find(|rule| !rule.additional_bindings.is_empty())
    {
        faults.push(Fault::new(
            method,
            template_text(nesting),
            "additional_bindings do not nest",
        ));
    }
    let additional = first.additional_bindings.iter().map(|rule| (rule, false));
    std::iter::once((first, true)).chain(additional).collect()
}

fn route(
    method: &MethodDescriptor,
    options: &MethodOptions,
    rule: &HttpRule,
    primary: bool,
) -> Result<Route, Box<Fault>> {
    let text = template_text(rule);
    let fault = |problem: String| Box::new(Fault::new(method, text, problem));
    let fault_at = |found: TemplateFault| Box::new(Fault::new(method, text, found.problem).at(found.column));

    let http_method = http_method(rule).map_err(fault)?;
    let template = Template::parse(text).map_err(fault_at)?;
    let variables = bind::variables(&method.input(), &template).map_err(fault_at)?;
    let body = bind::body(&method.input(), &rule.body, &template).map_err(fault)?;
    let response_body = bind::response_body(&method.output(), &rule.response_body).map_err(fault)?;
    let http_response = options.http_response.clone().unwrap_or_default();
    bind::http_response(&method.output(), &http_response).map_err(fault)?;

    Ok(Route {
        method: method.clone(),
        http_method,
        template,
        variables,
        body,
        response_body,
        access: options.access(),
        http_response,
        idempotency: idempotency(method),
        primary,
    })
}

fn template_text(rule: &HttpRule) -> &str {
    match &rule.pattern {
        Some(
            Pattern::Get(text)
            | Pattern::Put(text)
            | Pattern::Post(text)
            | Pattern::Delete(text)
            | Pattern::Patch(text),
        ) => text,
        Some(Pattern::Custom(custom)) => &custom.path,
        None => "",
    }
}

fn http_method(rule: &HttpRule) -> Result<HttpMethod, String> {
    let named = match &rule.pattern {
        None => return Err("the rule has no pattern: one of get, put, post, delete, patch, custom".to_owned()),
        Some(Pattern::Get(_)) => http::Method::GET,
        Some(Pattern::Put(_)) => http::Method::PUT,
        Some(Pattern::Post(_)) => http::Method::POST,
        Some(Pattern::Delete(_)) => http::Method::DELETE,
        Some(Pattern::Patch(_)) => http::Method::PATCH,
        Some(Pattern::Custom(custom)) if custom.kind == "*" => return Ok(HttpMethod::Any),
        Some(Pattern::Custom(custom)) if custom.kind == "OPTIONS" => {
            return Err("OPTIONS is answered by the gateway and cannot be bound".to_owned());
        }
        Some(Pattern::Custom(custom)) => http::Method::from_bytes(custom.kind.as_bytes())
            .map_err(|_| format!("`{}` is not an HTTP method", custom.kind))?,
    };
    Ok(HttpMethod::Named(named))
}

fn idempotency(method: &MethodDescriptor) -> Idempotency {
    use prost_types::method_options::IdempotencyLevel;
    let level = method
        .method_descriptor_proto()
        .options
        .as_ref()
        .map(|options| options.idempotency_level());
    match level {
        Some(IdempotencyLevel::Idempotent) => Idempotency::Idempotent,
        Some(IdempotencyLevel::NoSideEffects) => Idempotency::NoSideEffects,
        _ => Idempotency::Unknown,
    }
}

fn conflict(routes: &[Route], new: &Route) -> Option<Fault> {
    let same = |old: &&Route| old.http_method == new.http_method && old.template.is_equivalent(&new.template);
    let old = routes.iter().find(same)?;
    let place = match line(&old.method) {
        Some(line) => format!("{}:{line}", old.method.parent_file().name()),
        None => old.method.parent_file().name().to_owned(),
    };
    let problem = format!(
        "{} fits the same paths as `{}` of {} ({place})",
        new.http_method,
        old.template,
        old.method.full_name(),
    );
    Some(Fault::new(&new.method, new.template.text(), problem).at(1))
}
