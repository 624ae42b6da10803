//! One request from its headers to its response.

mod accept;
mod call;
mod conditional;
mod upward;

use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use service_kit::{
    request_id::{self, RequestId},
    trace_context,
};
use tracing::Instrument;

use crate::{
    app::{App, Labels},
    matching::Match,
    page::Page,
    problem::Problem,
    response::body::Body,
};

const NOTHING_RUNS: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// What a request is besides its body.
struct Asked {
    parts: http::request::Parts,
    peer: IpAddr,
    id: RequestId,
}

/// What led to a response, for the metrics.
struct Answer {
    response: Response<Body>,
    /// The template that took the request.
    route: Option<Arc<str>>,
}

impl From<Response<Body>> for Answer {
    fn from(response: Response<Body>) -> Self {
        Self { response, route: None }
    }
}

/// Answers a request.
pub(crate) async fn handle<B>(app: Arc<App>, peer: IpAddr, request: Request<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let asked = Asked {
        id: RequestId::of(&parts.headers),
        parts,
        peer,
    };
    let span = tracing::info_span!("request", request_id = asked.id.as_str(), method = %asked.parts.method, path = asked.parts.uri.path());
    trace_context::adopt(&span, &asked.parts.headers);
    let answered = AssertUnwindSafe(answer(&app, &asked, body)).catch_unwind();
    let Answer { mut response, route } = answered.instrument(span.clone()).await.unwrap_or_else(|_| {
        // The panic itself is in the log already, by the process's hook.
        Problem::internal().response(asked.id.as_str()).into()
    });
    finish(&app, &asked, &mut response);
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), "answered"));
    let labels = Labels {
        method: known_method(&asked.parts.method),
        route: route.unwrap_or_else(|| "none".into()),
        status: response.status().as_u16(),
    };
    app.durations
        .get_or_create(&labels)
        .observe(began.elapsed().as_secs_f64());
    response
}

/// Anybody can invent methods, but not labels.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

async fn answer<B>(app: &Arc<App>, asked: &Asked, body: B) -> Answer
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let (method, path) = (&asked.parts.method, asked.parts.uri.path());
    if app.cors.is_preflight(method, &asked.parts.headers) {
        let mut response = no_content();
        app.cors.answer_preflight(&asked.parts.headers, response.headers_mut());
        return response.into();
    }
    let page = app.pages.get(path);
    match app.matcher.find(method, path) {
        Match::Route {
            index,
            segments,
            literal,
        } if literal || page.is_none() => {
            let outcome = call::call(app, index, &segments, asked, body).await;
            let route = app.endpoints.get(index).map(|endpoint| endpoint.label.clone());
            let response = outcome.unwrap_or_else(|problem| problem.response(asked.id.as_str()));
            Answer { response, route }
        }
        Match::OtherMethods(allowed) if allowed.literal || page.is_none() => {
            other_method(method, &allowed.header(), asked)
        }
        _ => match page {
            Some(page) => serve_page(page, asked),
            None => Problem::path_not_found().response(asked.id.as_str()).into(),
        },
    }
}

fn other_method(method: &Method, allow: &str, asked: &Asked) -> Answer {
    if *method != Method::OPTIONS {
        return Problem::method_not_allowed(allow).response(asked.id.as_str()).into();
    }
    let mut response = no_content();
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response.into()
}

fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn serve_page(page: &Page, asked: &Asked) -> Answer {
    if !matches!(asked.parts.method, Method::GET | Method::HEAD) {
        return other_method(&asked.parts.method, "GET, HEAD, OPTIONS", asked);
    }
    let response = page.respond(&asked.parts.headers).map(Body::whole);
    Answer {
        response,
        route: Some(page.path.as_str().into()),
    }
}

/// Adds what every response has.
fn finish(app: &App, asked: &Asked, response: &mut Response<Body>) {
    if asked.parts.method == Method::HEAD {
        drop_content(response);
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING_RUNS);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(request_id::HEADER, asked.id.to_header());
    if app.is_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    app.cors.decorate(asked.parts.headers.get(header::ORIGIN), headers);
}

/// HEAD: everything but the content, whose length is still told.
fn drop_content(response: &mut Response<Body>) {
    if let Some(length) = http_body::Body::size_hint(response.body()).exact()
        && length > 0
    {
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Body::empty();
}

#[cfg(test)]
mod tests {
    use std::{
        net::IpAddr,
        pin::Pin,
        sync::Arc,
        task::{Context, Poll},
    };

    use bytes::Bytes;
    use clap::Parser;
    use http::{Request, StatusCode};
    use http_body::{Body, Frame};
    use service_kit::metrics::Metrics;

    use super::handle;
    use crate::{app::App, cli::Cli, config::Config, server};

    /// A body whose reading ends in a panic.
    struct Panicking;

    impl Body for Panicking {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            panic!("planted")
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_plain_500_with_the_request_id() {
        let config = Config::from(Cli::try_parse_from(["gateway"]).unwrap());
        let routes = server::routes(&config.gateway).unwrap();
        let shared = server::shared(&config, &routes, &Metrics::default(), false).unwrap();
        let app = Arc::new(App::start(Arc::new(shared)));
        let request = Request::post("/api/v1/auth/login").header("x-request-id", "the-request");

        let response = handle(app, IpAddr::from([127, 0, 0, 1]), request.body(Panicking).unwrap()).await;

        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()["x-request-id"], "the-request");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert!(!format!("{response:?}").contains("planted"), "{response:?}");
    }
}
