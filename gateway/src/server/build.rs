//! From settings to a bound server.

use std::{collections::HashMap, fs, sync::Arc};

use prost_reflect::DescriptorPool;
use service_kit::{
    config::{ConfigError, production},
    metrics::Metrics,
    ops::OpsServer,
    process::StartError,
    readiness::Readiness,
    server::listen,
    serving::Limits,
};

use super::Server;
use crate::{
    app::{Bounds, Shared},
    config::{Config, GatewayArgs},
    docs,
    endpoint::Endpoint,
    matching::Matcher,
    openapi,
    page::Page,
    plan::Plans,
    route::Routes,
    upstream::{Caller, Service},
};

/// The routes of the descriptors that the settings name, or of the built-in ones.
///
/// # Errors
/// When the file cannot be read, or a method's bindings are at fault.
pub fn routes(args: &GatewayArgs) -> Result<Routes, StartError> {
    let pool = match &args.descriptors {
        None => DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)
            .map_err(|error| StartError::failed("reading the built-in descriptors", error))?,
        Some(path) => {
            let wants = |error: String| {
                let wants = format!("a file with an encoded FileDescriptorSet that has all its imports ({error})");
                ConfigError::new("GATEWAY_DESCRIPTORS", wants).got(path.display().to_string())
            };
            let bytes = fs::read(path).map_err(|error| wants(error.to_string()))?;
            DescriptorPool::decode(bytes.as_slice()).map_err(|error| wants(error.to_string()))?
        }
    };
    Routes::compile(&pool).map_err(|faults| StartError::Refused(format!("the HTTP bindings are at fault\n{faults}")))
}

/// Binds the gateway's listeners.
///
/// # Errors
/// When a setting cannot be used, a method's bindings are at fault, or a port is taken.
pub async fn build(config: Config) -> Result<Server, StartError> {
    let args = &config.gateway;
    production::judge(args.unfit())?;
    let routes = routes(args)?;
    let tls = args.listener_tls().server_config(&[b"h2", b"http/1.1"])?;
    let metrics = Metrics::new();
    let shared = Arc::new(shared(&config, &routes, &metrics, tls.is_some())?);
    let readiness = Readiness::new();
    let (listener, addr) = listen("GATEWAY_LISTEN", args.listen).await?;
    let limits = Limits::from(&args.limits);
    let ops = OpsServer::bind("GATEWAY_OPS_LISTEN", args.ops_listen, readiness.clone(), metrics)
        .await?
        .within(limits);
    tracing::info!(role = "GATEWAY", %addr, ops = %ops.addr(), "listening");
    Ok(Server {
        listener,
        addr,
        ops,
        readiness,
        shared,
        tls,
        limits,
    })
}

pub(crate) fn shared(config: &Config, routes: &Routes, metrics: &Metrics, is_tls: bool) -> Result<Shared, StartError> {
    let plans = Plans::compile(routes.pool());
    let endpoints: Option<Vec<Endpoint>> = routes.iter().map(|route| Endpoint::new(route, &plans)).collect();
    let endpoints =
        endpoints.ok_or_else(|| StartError::Refused("a method's types are not in the descriptors".into()))?;
    Ok(Shared {
        services: services(config, &endpoints)?,
        plans,
        endpoints,
        matcher: Matcher::new(routes.iter().map(|route| (&route.http_method, &route.template))),
        pages: pages(routes),
        caller: Caller::new(config.gateway.limits.max_calls),
        cors: config.gateway.cors_origins.clone().unwrap_or_default(),
        proxies: config.gateway.trusted_proxies.clone(),
        is_tls,
        durations: Shared::durations(metrics),
        bounds: bounds(&config.gateway),
    })
}

fn bounds(args: &GatewayArgs) -> Bounds {
    Bounds {
        body: args.max_body_bytes as usize,
        body_timeout: args.body_timeout,
        request_timeout: args.limits.request_timeout,
    }
}

/// The services of the packages that have routes.
fn services(config: &Config, endpoints: &[Endpoint]) -> Result<HashMap<String, Service>, ConfigError> {
    let tls = config.upstream_tls.rustls_config()?;
    let urls = config.gateway.upstreams()?;
    let mut services = HashMap::new();
    for endpoint in endpoints {
        let package = &endpoint.package;
        if services.contains_key(package) {
            continue;
        }
        let urls = urls.of(package).ok_or_else(|| {
            ConfigError::new(
                "GATEWAY_UPSTREAMS",
                format!("a URL for the package {package}: {package}=http://HOST:PORT"),
            )
        })?;
        if tls.is_none() && urls.iter().any(|url| url.scheme_str() == Some("https")) {
            return Err(ConfigError::new(
                "UPSTREAM_TLS_CA",
                "the authorities of the https:// upstreams",
            ));
        }
        let service = Service {
            urls: urls.to_vec(),
            tls: tls.clone(),
            resolver: config.resolver.clone(),
        };
        services.insert(package.clone(), service);
    }
    Ok(services)
}

fn pages(routes: &Routes) -> HashMap<String, Page> {
    let pages = docs::pages().into_iter().chain([openapi::page(routes)]);
    pages.map(|page| (page.path.clone(), page)).collect()
}
