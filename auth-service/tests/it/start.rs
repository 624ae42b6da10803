//! What the service needs to start, and what it makes when it does.

use auth_service::{AuthArgs, Config, StartError, build};
use clap::Parser;
use service_kit::config::Secret;
use test_kit::{FixedClock, TestDatabase};
use tonic::Code;

use crate::house::{House, KEY_SECRET, PASSWORD, Replica, config, refusal, said};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    _auth: AuthArgs,
}

fn complaint(flag: &str) -> String {
    service_kit::config::try_parse_from::<Line>(["auth", flag])
        .err()
        .unwrap_or_default()
}

#[test]
fn a_bad_setting_names_its_variable_and_what_it_wants() {
    let rows = [
        (
            "--auth-token-ttl=0s",
            "AUTH_TOKEN_TTL: got \"0s\", wants a duration of whole seconds from 1s to 24h",
        ),
        ("--auth-token-ttl=25h", "AUTH_TOKEN_TTL: got \"25h\", wants"),
        ("--auth-token-ttl=1500ms", "AUTH_TOKEN_TTL: got \"1500ms\", wants"),
        (
            "--auth-password-min-length=7",
            "AUTH_PASSWORD_MIN_LENGTH: got \"7\", wants a whole number from 8 to 256",
        ),
        (
            "--auth-hash-queue=many",
            "AUTH_HASH_QUEUE: got \"many\", wants a whole number",
        ),
        (
            "--auth-registration-limit=-1",
            "AUTH_REGISTRATION_LIMIT: got \"-1\", wants a whole number",
        ),
        (
            "--auth-registration=perhaps",
            "AUTH_REGISTRATION: got \"perhaps\", wants one of open, closed",
        ),
        (
            "--auth-listen=everywhere",
            "AUTH_LISTEN: got \"everywhere\", wants an address and a port",
        ),
        (
            "--auth-trusted-proxies=nowhere",
            "AUTH_TRUSTED_PROXIES: got \"nowhere\"",
        ),
        ("--auth-audit-retention=0s", "AUTH_AUDIT_RETENTION: got \"0s\", wants"),
        ("--auth-migrate=perhaps", "AUTH_MIGRATE: got \"perhaps\", wants"),
        (
            "--auth-database-url=mysql://root:hunter2@db",
            "AUTH_DATABASE_URL: wants",
        ),
    ];
    for (flag, expected) in rows {
        let said = complaint(flag);
        assert!(
            said.starts_with(expected) && !said.contains("hunter2"),
            "{flag}: {said}"
        );
    }
    for good in [
        "--auth-token-ttl=1s",
        "--auth-token-ttl=24h",
        "--auth-password-min-length=8",
        "--auth-hash-queue=0",
    ] {
        assert_eq!(complaint(good), "", "{good}");
    }
}

/// Why a configuration is refused, and the exit code.
async fn refused(change: impl FnOnce(&mut Config)) -> (u8, String) {
    let database = TestDatabase::sqlite().await;
    let mut config = config(database.url(), &FixedClock::now_standing_still(), &[]);
    change(&mut config);
    match build(config).await {
        Ok(_) => panic!("it started"),
        Err(error) => (error.exit_code(), error.to_string()),
    }
}

#[tokio::test]
async fn settings_that_do_not_fit_together_are_refused_before_anything_is_opened() {
    let secret = |text: &str| Some(Secret::new(text));
    let rows = [
        (refused(|c| c.trust.service_token = None).await, "SERVICE_TOKEN"),
        (
            refused(|c| c.trust.service_token = secret("short")).await,
            "SERVICE_TOKEN",
        ),
        (
            refused(|c| c.auth.key_secret = secret("short")).await,
            "AUTH_KEY_SECRET",
        ),
        (
            refused(|c| c.auth.admin_email = Some("ada@example.com".into())).await,
            "AUTH_ADMIN_PASSWORD",
        ),
        (
            refused(|c| c.auth.admin_password = secret(PASSWORD)).await,
            "AUTH_ADMIN_EMAIL",
        ),
        (
            refused(|c| c.auth.tls_cert = Some("/nowhere".into())).await,
            "AUTH_TLS_KEY",
        ),
        (
            refused(|c| {
                c.auth.admin_email = Some("ada@example.com".into());
                c.auth.admin_password = secret("hunter2");
            })
            .await,
            "AUTH_ADMIN_PASSWORD",
        ),
        (
            refused(|c| {
                c.auth.admin_email = Some("no address".into());
                c.auth.admin_password = secret(PASSWORD);
            })
            .await,
            "AUTH_ADMIN_EMAIL",
        ),
        (
            refused(|c| {
                c.auth.database_url = secret("postgres://127.0.0.1:1/auth");
                c.auth.key_secret = None;
            })
            .await,
            "AUTH_KEY_SECRET",
        ),
    ];
    for ((code, said), variable) in rows {
        assert_eq!(code, 64, "{said}");
        assert!(said.starts_with(variable), "{variable}: {said}");
        assert!(
            !said.contains("hunter2") && !said.contains(PASSWORD) && !said.contains(KEY_SECRET),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_changed_key_secret_stops_the_start_and_says_so() {
    let house = House::start().await;
    for secret in [Some("another secret that is long enough, too"), None] {
        let mut config = config(house.database.url(), &house.clock, &[]);
        config.auth.key_secret = secret.map(Secret::new);

        let Err(error) = build(config).await else {
            panic!("it started")
        };

        assert_eq!(error.exit_code(), 1);
        assert!(matches!(error, StartError::Refused(_)));
        assert!(error.to_string().contains("AUTH_KEY_SECRET"), "{error}");
    }
}

#[tokio::test]
async fn an_older_schema_is_refused_where_it_is_only_checked() {
    let database = TestDatabase::sqlite().await;
    let mut config = config(database.url(), &FixedClock::now_standing_still(), &[]);
    config.auth.migrate = Some(database::MigrateMode::Check);

    let Err(error) = build(config).await else {
        panic!("it started")
    };

    assert_eq!(error.exit_code(), 1);
    assert!(error.to_string().contains("auth-service migrate up"), "{error}");
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let house = House::start().await;
    let mut config = config(house.database.url(), &house.clock, &[]);
    config.auth.listen = house.replica.addr;

    let Err(error) = build(config).await else {
        panic!("it started")
    };

    assert_eq!(error.exit_code(), 1);
    assert!(error.to_string().contains("AUTH_LISTEN"), "{error}");
}

#[tokio::test]
async fn an_administrator_is_made_at_the_start_if_its_address_is_free() {
    let (database, clock) = (TestDatabase::sqlite().await, FixedClock::now_standing_still());
    let flags = ["--auth-admin-email=Root@Example.com", "--auth-admin-password", PASSWORD];
    let replica = Replica::start(config(database.url(), &clock, &flags)).await;
    let admin = replica
        .client()
        .await
        .login("root@example.com", PASSWORD)
        .await
        .unwrap();
    assert!(admin.current().await.unwrap().admin);
    admin.change(PASSWORD, "a quite different sentence").await.unwrap();

    let again = Replica::start(config(database.url(), &clock, &flags))
        .await
        .client()
        .await;

    let old = again.login("root@example.com", PASSWORD).await;
    assert!(old.is_err(), "the start gave the old password back");
    assert_eq!(
        database
            .database()
            .fetch_all("SELECT id FROM users", vec![])
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn the_first_start_of_the_whole_house_makes_one_administrator_and_shows_its_password_once() {
    let (database, clock) = (TestDatabase::sqlite().await, FixedClock::now_standing_still());
    let server = build(config(database.url(), &clock, &[])).await.unwrap();

    let made = server.first_administrator().await.unwrap().unwrap();

    assert_eq!(made.email, "admin@gatehouse.local");
    assert!(made.password.expose().len() >= 24 && !format!("{made:?}").contains(made.password.expose()));
    assert!(server.first_administrator().await.unwrap().is_none());
    let replica = Replica::start(config(database.url(), &clock, &[])).await;
    let admin = replica
        .client()
        .await
        .login(&made.email, made.password.expose())
        .await
        .unwrap();
    assert!(admin.current().await.unwrap().admin);
}

#[tokio::test]
async fn no_administrator_is_made_where_one_is_configured() {
    let (database, clock) = (TestDatabase::sqlite().await, FixedClock::now_standing_still());
    let flags = ["--auth-admin-email=root@example.com", "--auth-admin-password", PASSWORD];

    let server = build(config(database.url(), &clock, &flags)).await.unwrap();

    assert!(server.first_administrator().await.unwrap().is_none());
}

#[tokio::test]
async fn there_is_no_default_account() {
    let house = House::start().await;

    assert_eq!(house.store().count_users().await.unwrap(), 0);
    let login = house.nobody.login("admin@gatehouse.local", "admin").await;
    assert_eq!(refusal(login), said(Code::Unauthenticated, "BAD_CREDENTIALS"));
}
