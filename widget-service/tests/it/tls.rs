//! Mutual TLS on both sides of the service: towards its clients and towards the auth service.

use proto::widget::v1::widget_service_client::WidgetServiceClient;
use service_kit::{
    config::{Secret, TrustArgs},
    tls::UpstreamTlsArgs,
};
use test_kit::{Authority, Certified, TokenMint};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity, ServerTlsConfig};
use widget_service::{Config, WidgetArgs};

use crate::{
    actor::Actor,
    app::{App, unused_address, urls},
    auth::{SERVICE_TOKEN, ScriptedAuth},
    samples::sent,
};

fn certificate(authority: &Authority) -> Certificate {
    Certificate::from_pem(authority.pem())
}

fn identity(certified: &Certified) -> Identity {
    let (cert, key) = &certified.pem;
    Identity::from_pem(cert, key)
}

/// A service that shows a certificate to clients and to the auth service, and wants one of each.
async fn app(authority: &Authority) -> App {
    app_that_asks("127.0.0.1", authority).await
}

/// The same, with the auth service called by this name.
async fn app_that_asks(name: &str, authority: &Authority) -> App {
    let wanting = ServerTlsConfig::new().client_ca_root(certificate(authority));
    let tls = wanting.identity(identity(&authority.sign("auth")));
    let auth = ScriptedAuth::start(TokenMint::default().verifying_key(), Some(tls)).await;
    let widget = authority.sign("widget");
    let url = format!("https://{name}:{}", auth.addr.port());
    App::start_with(auth, |config| {
        config.widget.auth_url = Some(url.parse().unwrap());
        config.widget.tls_cert = Some(widget.cert.clone());
        config.widget.tls_key = Some(widget.key.clone());
        config.widget.tls_client_ca = Some(authority.file());
        config.upstream_tls = UpstreamTlsArgs {
            ca: Some(authority.file()),
            cert: Some(widget.cert),
            key: Some(widget.key),
        };
    })
    .await
}

fn admin(app: &App, tls: ClientTlsConfig) -> Actor {
    let endpoint = Channel::from_shared(format!("https://{}", app.addr)).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect_lazy();
    Actor {
        client: WidgetServiceClient::new(channel),
        ..app.admin()
    }
}

#[tokio::test]
async fn a_client_with_a_certificate_is_served() {
    let authority = Authority::new();
    let app = app(&authority).await;
    let tls = ClientTlsConfig::new().ca_certificate(certificate(&authority));

    let created = admin(&app, tls.identity(identity(&authority.sign("client"))))
        .create(sent("a"))
        .await
        .unwrap()
        .message;

    assert_eq!(
        created.owner.unwrap().email.as_deref(),
        Some("admin@example.com"),
        "asked over TLS, too"
    );
}

#[tokio::test]
async fn an_auth_service_at_a_name_shows_a_certificate_for_the_name() {
    let authority = Authority::new();
    let app = app_that_asks("localhost", &authority).await;
    let tls = ClientTlsConfig::new().ca_certificate(certificate(&authority));

    let client = admin(&app, tls.identity(identity(&authority.sign("client"))));

    client.create(sent("a")).await.unwrap();
}

#[tokio::test]
async fn a_client_without_one_is_not() {
    let authority = Authority::new();
    let app = app(&authority).await;
    let stranger = identity(&Authority::new().sign("stranger"));
    let tls = ClientTlsConfig::new().ca_certificate(certificate(&authority));

    for mut client in [
        admin(&app, tls.clone()).client,
        admin(&app, tls.identity(stranger)).client,
        app.admin().client,
    ] {
        let status = client
            .list_widgets(proto::widget::v1::ListWidgetsRequest::default())
            .await
            .unwrap_err();
        assert!(
            tonic_types::StatusExt::get_error_details(&status)
                .error_info()
                .is_none(),
            "no service answered: {status}"
        );
    }
}

#[tokio::test]
async fn an_https_auth_service_needs_an_authority_that_vouches_for_it() {
    let settings = WidgetArgs {
        auth_url: urls("https", &[unused_address()]),
        ..WidgetArgs::default()
    };
    let trust = TrustArgs {
        service_token: Some(Secret::new(SERVICE_TOKEN)),
        ..TrustArgs::default()
    };

    let refused = widget_service::build(Config::new(settings, trust, UpstreamTlsArgs::default()))
        .await
        .err()
        .unwrap();

    assert_eq!(refused.exit_code(), 64);
    assert!(refused.to_string().contains("UPSTREAM_TLS_CA"), "{refused}");
}
