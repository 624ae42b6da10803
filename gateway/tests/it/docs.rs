//! The documentation page and its files, without a server.

use gateway::{docs, page::Page};
use http::{HeaderMap, HeaderValue, StatusCode, header};

fn page(path: &str) -> Page {
    let pages = docs::pages();
    let found = pages.into_iter().find(|page| page.path == path);
    found.unwrap_or_else(|| panic!("there is no {path}"))
}

fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
}

#[test]
fn the_page_runs_nothing_that_is_not_a_file_of_this_host() {
    let page = page("/docs");
    let policy = page.content_security_policy.clone().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(!html.contains("http"), "the page refers to another host");
    assert!(
        !html.contains("style=") && !html.contains("onload"),
        "the policy would stop it"
    );
    assert_eq!(
        html.matches("<script").count(),
        html.matches("<script src=\"/docs/").count()
    );
}

#[test]
fn all_that_the_page_loads_is_served() {
    let html = String::from_utf8(page("/docs").body.to_vec()).unwrap();
    let loaded = html
        .split(['"'])
        .filter(|part| part.starts_with('/'))
        .filter(|part| *part != "/openapi.json");
    let mut count = 0;
    for path in loaded {
        let response = page(path).respond(&HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert!(!response.body().is_empty(), "{path}");
        count += 1;
    }
    assert!(count >= 5, "{count}");
    let script = page("/docs/swagger-ui-bundle.js").body;
    assert!(
        !script.windows(16).any(|text| text == b"sourceMappingURL"),
        "the source map is not served"
    );
}

#[test]
fn the_root_leads_to_the_page() {
    for path in ["/", "/docs/"] {
        let response = page(path).respond(&HeaderMap::new());
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()[header::LOCATION], "/docs");
    }
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let page = page("/docs/swagger-ui.css");
    let first = page.respond(&HeaderMap::new());
    assert_eq!(first.headers()[header::CACHE_CONTROL], "no-cache");
    let mut request = HeaderMap::new();
    request.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
    let second = page.respond(&request);
    assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    assert!(second.body().is_empty());
    let other = page.respond(&headers(header::IF_NONE_MATCH, "\"other\""));
    assert_eq!(other.status(), StatusCode::OK);
}

#[test]
fn gzip_goes_to_those_who_accept_it() {
    let page = page("/docs/swagger-ui-bundle.js");
    let rows = [
        ("gzip, deflate, br", true),
        ("br;q=1, gzip;q=0.5", true),
        ("*", true),
        ("gzip;q=0", false),
        ("br", false),
    ];
    for (accepted, is_packed) in rows {
        let response = page.respond(&headers(header::ACCEPT_ENCODING, accepted));
        assert_eq!(
            response.headers().contains_key(header::CONTENT_ENCODING),
            is_packed,
            "{accepted}"
        );
        assert_eq!(response.body().starts_with(&[0x1f, 0x8b]), is_packed, "{accepted}");
        assert_eq!(response.headers()[header::VARY], "accept-encoding");
    }
    let plain = page.respond(&HeaderMap::new());
    assert_eq!(plain.body().len(), page.body.len());
}
