use std::io::Write as _;

use database::{ConnectOptions, Database};
use tempfile::TempDir;
use uuid::Uuid;

use crate::postgres::{Cluster, Home};

/// An empty database of a test's own, gone when it is dropped.
pub struct TestDatabase {
    url: String,
    database: Database,
    home: DatabaseHome,
}

enum DatabaseHome {
    Folder { _folder: TempDir },
    Server { name: String, home: &'static Home },
}

impl TestDatabase {
    /// A new SQLite file.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let database = Database::connect(&url, &ConnectOptions::default())
            .await
            .expect("a SQLite database");
        Self {
            url,
            database,
            home: DatabaseHome::Folder { _folder: folder },
        }
    }

    /// A new database of the server in `TEST_POSTGRES_URL`, or else of a throw-away cluster that this process starts.
    /// `None` when there is no PostgreSQL on this machine: the test is skipped and says so.
    ///
    /// # Panics
    ///
    /// With `REQUIRE_POSTGRES=1` when there is no PostgreSQL; and when a database cannot be made.
    pub async fn postgres() -> Option<Self> {
        let home = match Cluster::shared().await {
            Ok(home) => home,
            Err(missing) => {
                skip(&missing);
                return None;
            }
        };
        let name = format!("test_{}", Uuid::new_v4().simple());
        let url = home.create_database(&name).await;
        let database = Database::connect(&url, &ConnectOptions::default())
            .await
            .expect("a PostgreSQL database");
        Some(Self {
            url,
            database,
            home: DatabaseHome::Server { name, home },
        })
    }

    /// The URL to give to a service.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Connections to it.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// More connections to it, apart from those of [`TestDatabase::database`]: what another process would have.
    pub async fn connect(&self, options: &ConnectOptions) -> Database {
        Database::connect(&self.url, options).await.expect("more connections")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let DatabaseHome::Server { name, home } = &self.home {
            home.drop_database(name);
        }
    }
}

/// Says on standard error itself, past the test harness, which keeps what a passing test prints.
pub(crate) fn skip(missing: &str) {
    let required = std::env::var("REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
    assert!(!required, "REQUIRE_POSTGRES=1, but {missing}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = std::io::stderr().write_all(format!("skipped {test}: {missing}\n").as_bytes());
}

/// Makes each test two, `NAME::sqlite` and `NAME::postgres`. Each gets a [`TestDatabase`] of its own.
///
/// ```
/// test_kit::on_every_engine! {
///     async fn one_is_one(database: test_kit::TestDatabase) {
///         let row = database.database().fetch_one("SELECT 1 AS one", vec![]).await.unwrap();
///         assert_eq!(row.get::<i64>("one").unwrap(), 1);
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! on_every_engine {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident: $type:ty) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn holds($database: $type) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                holds($crate::TestDatabase::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(database) = $crate::TestDatabase::postgres().await {
                    holds(database).await;
                }
            }
        }
    )*};
}
