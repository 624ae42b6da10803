//! Replicas that start at the same moment.

use database::args;
use serde_json::Value;

use crate::{
    cluster::{Cluster, Layout},
    rest::Rest,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_at_once_migrate_once_and_make_one_key_and_one_administrator() {
    let Some(cluster) = Cluster::start(Layout::default()).await else {
        return;
    };
    let database = cluster.open_auth_database().await;
    let versions = "SELECT count(*) AS n, count(DISTINCT version) AS m FROM auth_migrations WHERE success";
    let row = database.fetch_one(versions, args![]).await.unwrap();
    let (applied, distinct) = (row.get::<i64>("n").unwrap(), row.get::<i64>("m").unwrap());
    assert!(
        applied > 0 && applied == distinct,
        "{applied} migrations, {distinct} versions"
    );
    for table in ["signing_keys", "users", "trust_state"] {
        let sql = format!("SELECT count(*) AS n FROM {table}");
        let row = database.fetch_one(sql, args![]).await.unwrap();
        assert_eq!(row.get::<i64>("n").unwrap(), 1, "{table}");
    }
    let rest: Rest = cluster.rest();
    let keys = rest
        .send("GET", "/.well-known/jwks.json", "", &Value::Null)
        .await
        .unwrap();
    assert_eq!(keys.body["keys"].as_array().unwrap().len(), 1);
}
