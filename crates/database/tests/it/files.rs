//! The database file: who can use it, and what happens when it goes away.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use database::{ConnectOptions, Database, Error, args};

async fn open(path: &Path) -> Result<Database, Error> {
    Database::connect(&format!("sqlite://{}", path.display()), &ConnectOptions::default()).await
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_file_its_companions_and_its_folder_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deep/auth.db");

    let database = open(&path).await.unwrap();
    database.execute("CREATE TABLE t (n BIGINT)", args![]).await.unwrap();

    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.with_extension("db-wal")), 0o600);
    assert_eq!(mode(&path.with_extension("db-shm")), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[tokio::test]
async fn a_relative_path_is_taken_from_the_working_folder() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let relative = Path::new(folder.path().file_name().unwrap()).join("data/auth.db");

    open(&relative).await.unwrap();

    assert!(folder.path().join("data/auth.db").is_file());
}

#[tokio::test]
async fn a_file_that_others_can_use_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (name, exposed) in [
        ("auth.db", 0o644),
        ("auth.db", 0o640),
        ("auth.db", 0o602),
        ("auth.db-wal", 0o604),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(exposed)).unwrap();

        let refused = open(&folder.path().join("auth.db")).await.unwrap_err();

        assert!(matches!(refused, Error::File { .. }), "{refused:?}");
        assert!(
            refused.to_string().contains(&format!("chmod 600 {}", path.display())),
            "{refused}"
        );
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        drop(open(&folder.path().join("auth.db")).await.unwrap());
        fs::remove_file(&path).ok();
    }
}

#[tokio::test]
async fn what_is_no_database_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    fs::write(
        &text,
        "not a database, but long enough to be looked at as if it might be one".repeat(99),
    )
    .unwrap();
    fs::set_permissions(&text, Permissions::from_mode(0o600)).unwrap();

    assert!(matches!(open(folder.path()).await, Err(Error::File { .. })));
    assert!(matches!(open(&text).await, Err(Error::Other { .. })));
}

#[tokio::test]
async fn a_file_that_is_gone_is_unavailable_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("auth.db"), folder.path().join("aside.db"));
    let database = open(&path).await.unwrap();
    database.execute("CREATE TABLE t (n BIGINT)", args![]).await.unwrap();

    fs::rename(&path, &aside).unwrap();
    let ping = database.ping().await.unwrap_err();
    let write = database.execute("INSERT INTO t VALUES (1)", args![]).await.unwrap_err();
    fs::rename(&aside, &path).unwrap();

    assert!(ping.is_unavailable() && write.is_unavailable(), "{ping} {write}");
    database.ping().await.unwrap();
    database.execute("INSERT INTO t VALUES (1)", args![]).await.unwrap();
}

#[tokio::test]
async fn two_that_open_a_new_file_at_once_both_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.db");

    let opened = tokio::join!(open(&path), open(&path), open(&path), open(&path));

    assert!(
        opened.0.is_ok() && opened.1.is_ok() && opened.2.is_ok() && opened.3.is_ok(),
        "{opened:?}"
    );
}

#[tokio::test]
async fn settings_are_the_promised_ones() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("auth.db")).await.unwrap();
    let mut writer = database.begin().await.unwrap();

    let journal: String = writer
        .fetch_one("PRAGMA journal_mode", args![])
        .await
        .unwrap()
        .get("journal_mode")
        .unwrap();
    let full: i64 = writer
        .fetch_one("PRAGMA synchronous", args![])
        .await
        .unwrap()
        .get("synchronous")
        .unwrap();
    let keys: i64 = writer
        .fetch_one("PRAGMA foreign_keys", args![])
        .await
        .unwrap()
        .get("foreign_keys")
        .unwrap();
    let reads: i64 = database
        .fetch_one("PRAGMA query_only", args![])
        .await
        .unwrap()
        .get("query_only")
        .unwrap();

    assert_eq!((journal.as_str(), full, keys, reads), ("wal", 2, 1, 1));
}
