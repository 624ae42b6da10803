//! `*_PRODUCTION=true`: what roles refuse to start with, and what they do not do then.

use std::{net::SocketAddr, path::Path};

use gatehouse::{House, HouseArgs};
use service_kit::config::Secret;
use tonic::Code;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest,
};

use crate::{
    house::{TestHouse, channel, settings},
    leaks::house::{KEY_SECRET, command, refused as refused_start},
};

const ALL: [(&str, &str); 3] = [
    ("AUTH_PRODUCTION", "true"),
    ("WIDGET_PRODUCTION", "true"),
    ("GATEWAY_PRODUCTION", "true"),
];

/// What a start as production is refused for: each variable, and what is said of it.
fn refused(role: &[&str], changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let ran = refused_start(command(folder.path(), role).envs(ALL).envs(changes.iter().copied()));

    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(64), "{role:?} {changes:?}: {said}");
    assert!(
        !folder.path().join("data").exists(),
        "{changes:?}: a database was opened"
    );
    let faults = said
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(": "));
    faults
        .map(|(variable, text)| (variable.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn production_names_what_a_role_does_not_start_with() {
    let plain = "got \"0.0.0.0:0\", wants a loopback address, or TLS";
    let one = "wants postgres://USER:PASSWORD@HOST/DATABASE for 2 replicas";
    let rows = [
        ("auth", ("AUTH_LISTEN", "0.0.0.0:0"), "AUTH_LISTEN", plain),
        (
            "auth",
            ("AUTH_KEY_SECRET", "short"),
            "AUTH_KEY_SECRET",
            "wants any text of 32 bytes",
        ),
        ("auth", ("SERVICE_TOKEN", "short"), "SERVICE_TOKEN", "wants 32 or more"),
        ("auth", ("AUTH_REPLICAS", "2"), "AUTH_DATABASE_URL", one),
        ("widget", ("WIDGET_LISTEN", "0.0.0.0:0"), "WIDGET_LISTEN", plain),
        (
            "widget",
            ("SERVICE_TOKEN", "short"),
            "SERVICE_TOKEN",
            "wants 32 or more",
        ),
        ("widget", ("WIDGET_REPLICAS", "2"), "WIDGET_DATABASE_URL", one),
        ("gateway", ("GATEWAY_LISTEN", "0.0.0.0:0"), "GATEWAY_LISTEN", plain),
        (
            "gateway",
            ("GATEWAY_CORS_ORIGINS", "*"),
            "GATEWAY_CORS_ORIGINS",
            "got \"*\", wants the origins",
        ),
    ];
    for (role, change, variable, text) in rows {
        let faults = refused(&[role], &[change]);

        let [(named, said)] = &faults[..] else {
            panic!("{role} {change:?}: {faults:?}")
        };
        assert_eq!(named, variable);
        assert!(said.starts_with(text), "{said}");
    }
}

#[test]
fn the_whole_house_tells_every_fault_of_every_role_at_once() {
    let faults = refused(
        &[],
        &[
            ("AUTH_LISTEN", "[::]:0"),
            ("AUTH_KEY_SECRET", "short"),
            ("WIDGET_LISTEN", "[::]:0"),
            ("WIDGET_AUTH_URL", "http://127.0.0.1:1|http://127.0.0.1:2"),
            (
                "GATEWAY_UPSTREAMS",
                "auth.v1=http://127.0.0.1:1,widget.v1=http://127.0.0.1:3|http://127.0.0.1:4",
            ),
            ("GATEWAY_LISTEN", "[::]:0"),
            ("GATEWAY_CORS_ORIGINS", "*"),
        ],
    );

    let variables: Vec<_> = faults.iter().map(|(variable, _)| variable.as_str()).collect();
    assert_eq!(
        variables,
        [
            "AUTH_LISTEN",
            "AUTH_DATABASE_URL",
            "AUTH_KEY_SECRET",
            "WIDGET_LISTEN",
            "WIDGET_DATABASE_URL",
            "GATEWAY_LISTEN",
            "GATEWAY_CORS_ORIGINS"
        ]
    );
}

/// A house that is fit for production.
fn production(folder: &Path) -> HouseArgs {
    let mut settings = settings(folder);
    settings.auth.production = true;
    settings.auth.key_secret = Some(Secret::new(KEY_SECRET));
    settings.widget.production = true;
    settings.gateway.production = true;
    settings
}

async fn refused_for(change: impl FnOnce(&mut HouseArgs)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = production(folder.path());
    change(&mut settings);
    let error = House::build(settings).await.err().expect("it starts");
    assert_eq!(error.exit_code(), 64);
    error.to_string()
}

#[tokio::test]
async fn sqlite_without_a_key_secret_is_no_production() {
    let said = refused_for(|settings| settings.auth.key_secret = None).await;

    assert!(said.contains("\n  AUTH_KEY_SECRET: wants a secret"), "{said}");
}

#[tokio::test]
async fn plain_text_beyond_loopback_is_served_where_it_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = production(folder.path());
    settings.auth.listen = "0.0.0.0:0".parse().unwrap();
    settings.widget.listen = settings.auth.listen;
    settings.gateway.listen = settings.auth.listen;
    let said = refused_for(|strict| *strict = settings.clone()).await;
    assert_eq!(said.matches("_ALLOW_PLAINTEXT=true").count(), 3, "{said}");

    settings.auth.allow_plaintext = true;
    settings.widget.allow_plaintext = true;
    settings.gateway.allow_plaintext = true;

    assert!(House::build(settings).await.is_ok());
}

async fn reflects(service: SocketAddr) -> bool {
    let mut client = ServerReflectionClient::new(channel(service).await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let outcome = client
        .server_reflection_info(futures_util::stream::iter([request]))
        .await;
    assert!(
        !outcome
            .as_ref()
            .is_err_and(|status| status.code() != Code::Unimplemented),
        "{outcome:?}"
    );
    outcome.is_ok()
}

#[tokio::test]
async fn production_keeps_reflection_and_other_origins_out_unless_asked_for() {
    let from_elsewhere = [("origin", "https://app.example")];
    for (origins, reflection, is_open) in [
        (None, None, false),
        (Some("https://app.example".parse().unwrap()), Some(true), true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = production(folder.path());
        settings.auth.reflection = reflection;
        settings.widget.reflection = reflection;
        settings.gateway.cors_origins = origins;
        let house = TestHouse::with(folder, settings).await;

        let reply = house.send("GET", "/openapi.json", &from_elsewhere, "").await;

        assert_eq!(reply.headers.contains_key("access-control-allow-origin"), is_open);
        assert_eq!(reflects(house.auth).await, is_open);
        assert_eq!(reflects(house.widget).await, is_open);
    }
}
