//! `gatehouse health`, against the operators' listener of a role.

use std::net::SocketAddr;

use clap::Parser;
use gatehouse::Cli;
use service_kit::{metrics::Metrics, ops::OpsServer, process::StartError, readiness::Readiness};

#[tokio::test]
async fn health_is_what_the_role_says_of_itself() {
    let readiness = Readiness::new();
    readiness.set("database", false);
    let any = SocketAddr::from(([0, 0, 0, 0], 0));
    let ops = OpsServer::bind("AUTH_OPS_LISTEN", any, readiness.clone(), Metrics::default())
        .await
        .unwrap();
    let addr = ops.addr();
    tokio::spawn(ops.run_until(std::future::pending()));

    let refusal = health("auth", addr).await.unwrap_err();
    assert_eq!(refusal.to_string(), "auth is not ready: waiting for: database");
    assert_eq!(refusal.exit_code(), 1);

    readiness.set("database", true);
    health("auth", addr).await.unwrap();
}

#[tokio::test]
async fn a_role_that_is_not_there_is_not_healthy() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);

    let refusal = health("auth", free).await.unwrap_err();

    assert_eq!(refusal.to_string(), format!("asking auth at {free}"));
    assert_eq!(refusal.exit_code(), 1);
}

async fn health(role: &str, ops: SocketAddr) -> Result<(), StartError> {
    let ops = format!("--auth-ops-listen={ops}");
    Cli::try_parse_from(["gatehouse", "health", role, &ops])
        .unwrap()
        .run()
        .await
}
