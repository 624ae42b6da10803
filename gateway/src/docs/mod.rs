//! The documentation page: Swagger UI, served from the binary, with no other host involved.

use crate::page::Page;

/// Where the documentation page is.
pub const PATH: &str = "/docs";

/// Only this host's own files run and are shown. Swagger UI's icons are `data:` images in its stylesheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const ICON: &str = "image/svg+xml";

/// A file of Swagger UI as the build script unpacked it, and the same packed by gzip.
macro_rules! swagger_ui {
    ($name:literal) => {{
        let plain: &'static [u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name));
        let packed: &'static [u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz"));
        (plain, packed)
    }};
}

/// The page, what it loads, and `/`, which leads to it.
pub fn pages() -> Vec<Page> {
    let (script, packed_script) = swagger_ui!("swagger-ui-bundle.js");
    let (style, packed_style) = swagger_ui!("swagger-ui.css");
    let html = include_str!("page.html");
    let icon = include_str!("favicon.svg");
    vec![
        Page::new(PATH, HTML, html).with_policy(POLICY),
        Page::leading_to("/docs/", PATH),
        Page::leading_to("/", PATH),
        Page::new("/docs/swagger-ui-bundle.js", SCRIPT, script).with_gzip(packed_script),
        Page::new("/docs/swagger-ui.css", STYLE, style).with_gzip(packed_style),
        Page::new("/docs/docs.js", SCRIPT, include_str!("docs.js")),
        Page::new("/docs/docs.css", STYLE, include_str!("docs.css")),
        Page::new("/favicon.svg", ICON, icon),
        Page::new("/favicon.ico", ICON, icon),
    ]
}
