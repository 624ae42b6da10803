//! What every response of the gateway carries, whatever it is an answer to.

use http::HeaderMap;

use crate::house::TestHouse;

/// Method, path, headers, body, and the status that they lead to.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16);

const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
const ORIGIN: (&str, &str) = ("origin", "https://app.example");

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_response_has_the_security_headers_and_those_of_cors() {
    let house = TestHouse::start().await;
    let user = house.user("ada@example.com").await;
    let token = ("authorization", user.bearer.as_str());
    let json = ("content-type", "application/json");
    let preflight = [ORIGIN, ("access-control-request-method", "POST")];
    let large = format!("{{\"email\": \"{}\"}}", "x".repeat(1 << 20));
    let login = "/api/v1/auth/login";
    let widgets = "/api/v1/widgets";
    let rows: [Row<'_>; 24] = [
        ("GET", "/", &[], "", 302),
        ("GET", "/docs", &[], "", 200),
        ("HEAD", "/docs", &[], "", 200),
        ("GET", "/docs/swagger-ui.css", &[], "", 200),
        ("GET", "/docs/swagger-ui.css", &[("if-none-match", "*")], "", 304),
        ("GET", "/favicon.ico", &[], "", 200),
        ("GET", "/openapi.json", &[], "", 200),
        ("GET", "/.well-known/jwks.json", &[], "", 200),
        ("GET", widgets, &[token], "", 200),
        ("HEAD", widgets, &[token], "", 200),
        ("GET", "/nowhere", &[], "", 404),
        ("OPTIONS", "/nowhere", &[], "", 404),
        ("OPTIONS", widgets, &[], "", 204),
        ("OPTIONS", "/docs", &[], "", 204),
        ("OPTIONS", widgets, &preflight, "", 204),
        ("DELETE", login, &[], "", 405),
        ("GET", widgets, &[], "", 401),
        (
            "POST",
            login,
            &[json],
            r#"{"email": "a@b.example", "password": "wrong"}"#,
            401,
        ),
        ("POST", widgets, &[token, json], "{}", 403),
        ("POST", login, &[json], "{", 400),
        ("POST", login, &[json], &large, 413),
        ("POST", login, &[("content-type", "text/plain")], "{}", 415),
        ("GET", widgets, &[token, ("accept", "image/png")], "", 406),
        ("POST", "/api/v1/auth/logout", &[token], "", 204),
    ];
    for (method, path, headers, body, status) in rows {
        let headers = [headers, &[ORIGIN][usize::from(headers.contains(&ORIGIN))..]].concat();

        let reply = house.send(method, path, &headers, body).await;

        let row = format!("{method} {path} {headers:?}: {reply:?}");
        assert_eq!(reply.status.as_u16(), status, "{row}");
        let said = |name| header(&reply.headers, name);
        assert_eq!(said("x-content-type-options"), Some("nosniff"), "{row}");
        assert_eq!(said("referrer-policy"), Some("no-referrer"), "{row}");
        let policy = said("content-security-policy").unwrap_or_default();
        if path == "/docs" && method != "OPTIONS" {
            assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{row}");
            assert!(policy.contains("frame-ancestors 'none'"), "{row}");
        } else {
            assert_eq!(policy, API_POLICY, "{row}");
        }
        assert!(
            said("x-request-id").is_some() && said("cache-control").is_some(),
            "{row}"
        );
        assert_eq!(said("access-control-allow-origin"), Some("*"), "{row}");
        let exposed = said("access-control-expose-headers").unwrap_or_default();
        assert!(
            exposed.contains("WWW-Authenticate") && exposed.contains("X-Request-Id"),
            "{row}"
        );
        for absent in [
            "server",
            "x-powered-by",
            "access-control-allow-credentials",
            "strict-transport-security",
        ] {
            assert_eq!(said(absent), None, "{row}");
        }
    }
}
