//! Settings and the command line.

use clap::Parser;
use gateway::cli::{Cli, table};
use service_kit::process::StartError;

fn config(flags: &[&str]) -> gateway::Config {
    let line = [
        "gateway",
        "--gateway-listen",
        "127.0.0.1:0",
        "--gateway-ops-listen",
        "127.0.0.1:0",
    ];
    Cli::try_parse_from(line.iter().chain(flags)).unwrap().into()
}

async fn fault(flags: &[&str]) -> (u8, String) {
    let error: StartError = gateway::build(config(flags)).await.expect_err("it starts");
    (error.exit_code(), error.to_string())
}

#[test]
fn the_table_of_routes_names_method_path_access_body_and_rpc() {
    let table = table(&gateway::routes(&config(&[]).gateway).unwrap());
    let line = |start: &str| {
        table
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("{table}"))
    };
    let columns = |start: &str| line(start).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        columns("PATCH   /api/v1/widgets"),
        [
            "PATCH",
            "/api/v1/widgets/{widget.name}",
            "ADMIN",
            "widget",
            "/widget.v1.WidgetService/UpdateWidget"
        ]
    );
    assert_eq!(
        columns("POST    /api/v1/auth/login"),
        [
            "POST",
            "/api/v1/auth/login",
            "PUBLIC",
            "*",
            "/auth.v1.AuthService/Login"
        ]
    );
    assert!(!table.contains("TrustService"), "what has no binding has no route");
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_is_named() {
    let (code, text) = fault(&["--gateway-descriptors", "/nowhere/at.all"]).await;
    assert!(
        code == 64 && text.contains("GATEWAY_DESCRIPTORS") && text.contains("/nowhere/at.all"),
        "{code} {text}"
    );
    let (code, text) = fault(&["--gateway-upstreams", "auth.v1=http://127.0.0.1:1"]).await;
    assert!(
        code == 64 && text.contains("GATEWAY_UPSTREAMS") && text.contains("widget.v1"),
        "{code} {text}"
    );
    let (code, text) = fault(&[
        "--gateway-upstreams",
        "auth.v1=https://localhost:1,widget.v1=http://localhost:2",
    ])
    .await;
    assert!(code == 64 && text.contains("UPSTREAM_TLS_CA"), "{code} {text}");
    let (code, text) = fault(&["--gateway-tls-cert", "/nowhere"]).await;
    assert!(code == 64 && text.contains("GATEWAY_TLS_KEY"), "{code} {text}");
    for (flag, bad) in [
        ("--gateway-listen", "nowhere"),
        ("--gateway-upstreams", "auth.v1"),
        ("--gateway-upstreams", "a=http://x,a=http://y"),
        ("--gateway-upstreams", "a=ftp://x"),
        ("--gateway-cors-origins", "app.example"),
        ("--gateway-cors-origins", "https://app.example/path"),
        ("--gateway-trusted-proxies", "nowhere"),
    ] {
        let refused = service_kit::config::try_parse_from::<Cli>(["gateway", flag, bad]).expect_err(bad);
        let variable = flag.trim_start_matches('-').replace('-', "_").to_uppercase();
        assert!(refused.contains(&variable) && refused.contains(bad), "{refused}");
    }
}

#[tokio::test]
async fn a_taken_port_is_exit_code_1() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let line = [
        "gateway",
        "--gateway-listen",
        &addr,
        "--gateway-ops-listen",
        "127.0.0.1:0",
    ];
    let error = gateway::build(Cli::try_parse_from(line).unwrap().into())
        .await
        .expect_err("it starts");
    assert!(
        error.exit_code() == 1 && error.to_string().contains("GATEWAY_LISTEN"),
        "{error}"
    );
}

#[tokio::test]
async fn a_fault_in_a_binding_stops_the_start() {
    let source = "syntax = \"proto3\"; package bad.v1; import \"google/api/annotations.proto\";\n\
        service Bad { rpc Call(M) returns (M) { option (google.api.http) = {get: \"/{nope}\"}; } }\n\
        message M {}";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.bin");
    std::fs::write(&file, crate::kit::descriptors(source)).unwrap();
    let (code, text) = fault(&["--gateway-descriptors", file.to_str().unwrap()]).await;
    assert_eq!(code, 1);
    assert!(
        text.contains("test.proto:2: bad.v1.Bad.Call: `/{nope}` column 3"),
        "{text}"
    );
}
