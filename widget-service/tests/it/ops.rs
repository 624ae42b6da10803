//! What operators see of a service, and what becomes of it when its database goes.

use std::{net::SocketAddr, time::Duration};

use proto::widget::v1 as pb;
use test_kit::{Cluster, TestDatabase};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

use crate::{
    actor::Refusal,
    app::{App, start_auth, unused_address, urls},
    samples::{described, sent},
};

/// The status and the body of a page of the operators' listener.
async fn page(addr: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: ops\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Asks again and again until the page has this status.
async fn until(addr: SocketAddr, path: &str, status: u16) {
    let asking = async {
        while page(addr, path).await.0 != status {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking)
        .await
        .unwrap_or_else(|_| panic!("{path} never was {status}"));
}

fn store_unavailable() -> Refusal {
    Refusal {
        has_retry_delay: true,
        ..Refusal::new(Code::Unavailable, "STORE_UNAVAILABLE")
    }
}

#[tokio::test]
async fn a_service_is_ready_once_it_trusts_and_says_how_it_does() {
    let app = App::start().await;
    app.admin().create(sent("a")).await.unwrap();

    until(app.ops_addr, "/readyz", 200).await;

    assert_eq!(page(app.ops_addr, "/livez").await.0, 200);
    let metrics = page(app.ops_addr, "/metrics").await.1;
    for metric in [
        r#"rpc_server_duration_seconds_count{service="widget.v1.WidgetService",method="CreateWidget",code="Ok"} 1"#,
        r#"trust_syncs_total{outcome="complete"}"#,
        "trust_view_age_seconds ",
        r#"db_pool_connections{state="idle"}"#,
    ] {
        assert!(metrics.contains(metric), "{metric} in\n{metrics}");
    }
}

#[tokio::test]
async fn a_service_without_trust_is_alive_but_not_ready() {
    let nobody = urls("http", &[unused_address()]);
    let app = App::start_with(start_auth().await, |config| config.widget.auth_url = nobody).await;

    let (status, body) = page(app.ops_addr, "/readyz").await;

    assert_eq!((status, body.contains("trust")), (503, true), "{body}");
    assert_eq!(page(app.ops_addr, "/livez").await.0, 200);
}

#[tokio::test]
async fn told_to_stop_a_service_stops() {
    let app = App::start().await;
    app.admin().create(sent("a")).await.unwrap();

    assert!(app.stop().await.is_ok());
}

#[tokio::test]
async fn a_service_is_unavailable_without_its_database_and_recovers_by_itself() {
    let Ok(cluster) = Cluster::start(Default::default()) else {
        assert!(
            TestDatabase::postgres().await.is_none(),
            "says that it is skipped, or fails where it must not be"
        );
        return;
    };
    let app = App::start_on_url(&cluster.url("postgres")).await;
    let admin = app.admin();
    admin.create(sent("a")).await.unwrap();
    until(app.ops_addr, "/readyz", 200).await;

    cluster.stop();

    assert_eq!(admin.get("a").await.unwrap_err(), store_unavailable());
    assert_eq!(admin.list(Default::default()).await.unwrap_err(), store_unavailable());
    assert_eq!(admin.create(sent("b")).await.unwrap_err(), store_unavailable());
    assert_eq!(
        admin.update(described("a", "x"), &[]).await.unwrap_err(),
        store_unavailable()
    );
    assert_eq!(admin.delete("a", "").await.unwrap_err(), store_unavailable());
    until(app.ops_addr, "/readyz", 503).await;

    cluster.boot();

    until(app.ops_addr, "/readyz", 200).await;
    assert_eq!(admin.get("a").await.unwrap().message.name, "a");
}

#[tokio::test]
async fn a_refusal_says_nothing_of_what_is_inside() {
    let app = App::start().await;
    app.database().execute("DROP TABLE widgets", vec![]).await.unwrap();
    let mut client = app.user().client;
    let mut request = tonic::Request::new(pb::ListWidgetsRequest::default());
    let token = app.user().token.unwrap();
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse().unwrap());

    let status = client.list_widgets(request).await.unwrap_err();

    assert_eq!(status.code(), Code::Internal);
    for inside in ["widgets", "table", "SQL"] {
        assert!(!status.message().contains(inside), "{}", status.message());
    }
}
