//! Which route takes a path, rule by rule.

use crate::kit::{House, Setup, descriptors};

/// Method, path and what takes it: the gRPC method and the variable, or a status.
type Row = (&'static str, &'static str, Result<(&'static str, &'static str), u16>);

async fn check(rows: &[Row]) {
    let house = House::start().await;
    for (method, path, wanted) in rows {
        let response = house.client.send(method, path, &[], "").await;
        match wanted {
            Ok((grpc, name)) => {
                assert_eq!(response.status, 200, "{method} {path}: {:?}", response.body);
                assert_eq!(
                    house.fake.call().path,
                    format!("/echo.v1.Match/{grpc}"),
                    "{method} {path}"
                );
                assert_eq!(response.json()["name"], *name, "{method} {path}");
            }
            Err(status) => assert_eq!(response.status, *status, "{method} {path}: {:?}", response.body),
        }
        house.fake.calls();
    }
}

#[tokio::test]
async fn a_literal_beats_a_star_and_that_a_double_star_with_backtracking() {
    check(&[
        ("GET", "/m/fixed", Ok(("A", ""))),
        ("GET", "/m/other", Ok(("B", "other"))),
        ("GET", "/m/x/y", Ok(("C", "x/y"))),
        ("GET", "/m", Ok(("C", ""))),
        ("GET", "/m/fixed/one", Ok(("D", ""))),
        ("GET", "/m/fixed/two", Ok(("C", "fixed/two"))),
        ("GET", "/m/fixed/two/end", Ok(("E", "two"))),
        ("GET", "/m/fixed/two/more", Ok(("C", "fixed/two/more"))),
        ("GET", "/M/fixed", Err(404)),
        ("GET", "/m/", Err(404)),
        ("GET", "/m//", Err(404)),
        ("GET", "/m/a//b", Err(404)),
        ("GET", "/nowhere", Err(404)),
        // The more specific template lacks the method: another that fits has it.
        ("DELETE", "/m/fixed", Ok(("K", "fixed"))),
        ("PUT", "/m/other", Err(405)),
    ])
    .await;
}

#[tokio::test]
async fn a_verb_is_one_only_where_a_binding_has_it() {
    check(&[
        ("POST", "/m/x:verb", Ok(("F", "x"))),
        ("POST", "/m/a:b:verb", Ok(("F", "a:b"))),
        ("POST", "/m/x:other", Ok(("G", "x:other"))),
        ("POST", "/m/x%3Averb", Ok(("G", "x:verb"))),
        ("GET", "/m/x:verb", Ok(("B", "x:verb"))),
        ("POST", "/v/x:act", Ok(("H", "x"))),
        ("GET", "/v/x:act", Ok(("I", "x:act"))),
        ("POST", "/v/x", Err(405)),
        ("POST", "/m/:verb", Ok(("G", ":verb"))),
    ])
    .await;
}

#[tokio::test]
async fn segments_are_cut_before_they_are_decoded() {
    check(&[
        ("GET", "/m/a%2Fb", Ok(("B", "a/b"))),
        ("GET", "/m/%66ixed", Ok(("A", ""))),
        ("GET", "/m/a%2Fb/c%20d", Ok(("C", "a%2Fb/c d"))),
        ("GET", "/m/a%2fb/%2525", Ok(("C", "a%2fb/%25"))),
        ("GET", "/m/a+b", Ok(("B", "a+b"))),
        ("GET", "/m/%zz", Err(400)),
        ("GET", "/m/%f", Err(400)),
        ("GET", "/m/%FF", Err(400)),
    ])
    .await;
}

#[tokio::test]
async fn a_405_lists_what_the_path_takes() {
    let house = House::start().await;
    for (method, path, allow) in [
        ("PATCH", "/m/fixed", "PUT, GET, POST, DELETE, HEAD, OPTIONS"),
        ("PUT", "/v/x:act", "POST, GET, HEAD, OPTIONS"),
        ("PUT", "/v/x", "GET, HEAD, OPTIONS"),
        ("BREW", "/whole", "POST, OPTIONS"),
    ] {
        let response = house.client.send(method, path, &[], "").await;
        let mut listed: Vec<&str> = response.header("allow").unwrap_or_default().split(", ").collect();
        let mut wanted: Vec<&str> = allow.split(", ").collect();
        listed.sort_unstable();
        wanted.sort_unstable();
        assert_eq!((response.status, listed), (405, wanted), "{method} {path}");
        assert_eq!(
            (response.reason().as_str(), &response.json()["code"]),
            ("METHOD_NOT_ALLOWED", &"UNIMPLEMENTED".into())
        );
    }
}

#[tokio::test]
async fn head_runs_get_and_options_is_answered() {
    let house = House::start().await;

    let head = house.client.send("HEAD", "/m/other", &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("16"));
    assert_eq!(house.fake.call().path, "/echo.v1.Match/B");

    let options = house.client.send("OPTIONS", "/v/x", &[], "").await;
    assert_eq!((options.status, options.body.len()), (204, 0));
    assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(house.client.send("OPTIONS", "/nowhere", &[], "").await.status, 404);
    assert!(house.fake.calls().is_empty());
}

#[tokio::test]
async fn custom_methods_are_bound_and_a_star_takes_all_but_options() {
    let house = House::start().await;
    assert_eq!(
        house.client.send("REPORT", "/custom/x", &[], "").await.json()["text"],
        "x"
    );
    assert_eq!(
        house.client.send("GET", "/custom/x", &[], "").await.header("allow"),
        Some("REPORT, OPTIONS")
    );
    for method in ["GET", "DELETE", "BREW"] {
        assert_eq!(
            house.client.send(method, "/any/x", &[], "").await.json()["text"],
            "x",
            "{method}"
        );
    }
    assert_eq!(house.client.send("OPTIONS", "/any/x", &[], "").await.status, 204);
}

#[tokio::test]
async fn own_pages_yield_to_literal_bindings_alone() {
    let source = r#"
        syntax = "proto3"; package own.v1; import "google/api/annotations.proto";
        service Own {
          rpc Root(Name) returns (Name) {option (google.api.http) = {get: "/"};}
          rpc Docs(Name) returns (Name) {option (google.api.http) = {get: "/docs"};}
          rpc Any(Name) returns (Name) {option (google.api.http) = {get: "/{name=**}" additional_bindings {put: "/{name}"}};}
        }
        message Name { string name = 1; }"#;
    let setup = Setup {
        descriptors: descriptors(source),
        package: "own.v1",
        ..Setup::default()
    };
    let house = setup.start().await;
    for (path, name) in [("/", ""), ("/docs", ""), ("/x", "x"), ("/docs/x", "docs/x")] {
        let response = house.client.get(path).await;
        assert_eq!(
            (response.status, &response.json()["name"]),
            (200, &name.into()),
            "{path}"
        );
    }
    let page = house.client.get("/openapi.json").await;
    assert!(page.json()["paths"].is_object(), "a page beats a variable");
    let put = house.client.send("PUT", "/openapi.json", &[], "").await;
    assert_eq!((put.status, put.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    assert_eq!(house.client.send("PUT", "/x", &[], "").await.status, 200);
}

#[tokio::test]
async fn own_pages_are_there_where_nothing_is_bound() {
    let house = House::start().await;
    assert_eq!(house.client.get("/openapi.json").await.status, 200);
    assert_eq!(house.client.get("/docs").await.status, 200);
    assert_eq!(house.client.send("POST", "/docs", &[], "").await.status, 405);
    assert!(house.client.get("/").await.header("location").is_some());
}
