//! Database URLs: what is taken, and that nothing repeats them.

use database::{ConnectOptions, Database, DatabaseUrl, Error, MigrateMode};

fn problem(url: &str) -> String {
    let error = url.parse::<DatabaseUrl>().unwrap_err();
    assert!(matches!(error, Error::Url { .. }), "{error:?}");
    format!("{error} {error:?}")
}

#[test]
fn both_engines_are_known_by_their_urls() {
    let file: DatabaseUrl = "sqlite://data/auth.db".parse().unwrap();
    let server: DatabaseUrl = "postgres://app:pw@db.internal:5433/auth?sslmode=verify-full"
        .parse()
        .unwrap();
    let other_spelling: DatabaseUrl = "postgresql://db/auth".parse().unwrap();

    assert!(!file.is_shared() && server.is_shared() && other_spelling.is_shared());
    assert_eq!(file.default_migrate_mode(), MigrateMode::Auto);
    assert_eq!(server.default_migrate_mode(), MigrateMode::Check);
}

#[test]
fn a_refusal_says_what_is_wrong_and_repeats_nothing() {
    for url in [
        "mysql://app:hunter2@db/auth",
        "hunter2",
        "",
        "postgres://app:hunter2@db:port/auth",
        "postgres://app:hunter2@db/auth?sslmode=hunter2",
        "postgres://app@db/auth?passwort=hunter2",
        "postgres://app:hunter2@[::1/auth",
        "sqlite://",
        "sqlite::memory:",
        "sqlite://data/auth.db?mode=hunter2",
        "sqlite://data/..",
        "sqlite://%ffhunter2",
    ] {
        let text = problem(url);
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.starts_with("the database URL "), "{text}");
    }
}

#[test]
fn debug_shows_no_password() {
    let url: DatabaseUrl = "postgres://app:hunter2@db/auth?password=hunter2".parse().unwrap();

    assert!(!format!("{url:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_shows_no_password() {
    let options = ConnectOptions {
        wait: std::time::Duration::from_millis(200),
        ..ConnectOptions::default()
    };

    let error = Database::connect("postgres://app:hunter2@127.0.0.1:1/auth", &options)
        .await
        .unwrap_err();

    assert!(error.is_unavailable(), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn modes_are_read_and_shown_alike() {
    assert_eq!("auto".parse(), Ok(MigrateMode::Auto));
    assert_eq!("check".parse(), Ok(MigrateMode::Check));
    assert_eq!(MigrateMode::Check.to_string(), "check");
    assert!("Auto".parse::<MigrateMode>().is_err());
}
