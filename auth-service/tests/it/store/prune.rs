use auth_service::{
    audit::Origin,
    store::{Entry, Pruned},
};
use database::args;
use proto::auth::v1::audit_event::Kind;
use test_kit::TestDatabase;
use uuid::Uuid;

use super::{store, time};

test_kit::on_every_engine! {
    async fn a_revocation_goes_when_it_is_due_and_not_a_moment_before(database: TestDatabase) {
        let store = store(&database).await;
        let entries = [10, 20, 30].map(|expires_at| Entry::RevokeToken { token: Uuid::new_v4(), expires_at });
        store.write(&entries).await.unwrap();
        let left = async || store.sync(1, 0, 10).await.unwrap().revocations.len();

        assert_eq!(store.prune(9, 0, 0, 0).await.unwrap(), Pruned::default());
        assert_eq!(left().await, 3);
        assert_eq!(store.prune(20, 0, 0, 0).await.unwrap().revocations, 2);
        assert_eq!(left().await, 1);
    }

    async fn events_and_throttle_rows_go_by_their_age(database: TestDatabase) {
        let store = store(&database).await;
        let entries: Vec<Entry> = [10, 20]
            .into_iter()
            .flat_map(|at| {
                let key = vec![at as u8];
                [
                    Entry::Audit(Origin::operator().success(Kind::Login, "", time(at))),
                    Entry::Failure { key: key.clone(), at },
                    Entry::Network { key, at },
                ]
            })
            .collect();
        store.write(&entries).await.unwrap();

        let gone = store.prune(0, 20, 20, 20).await.unwrap();

        assert_eq!((gone.events, gone.throttle), (1, 2));
        assert_eq!(store.audit_events(&Default::default(), None, 10).await.unwrap().len(), 1);
        assert_eq!(store.failures(&[20], &[10]).await.unwrap().map(|row| row.failures), [1, 0]);
        assert!(store.is_known_network(&[20], 0).await.unwrap());
        assert!(!store.is_known_network(&[10], 0).await.unwrap());
    }
}

/// SQLite has one writer, and those that wait are served in their order.
#[tokio::test]
async fn while_much_is_forgotten_other_writers_get_their_turns() {
    const ROWS: i64 = 20_000;
    let database = TestDatabase::sqlite().await;
    let store = store(&database).await;
    let db = database.database();
    let expired = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                   INSERT INTO revocations SELECT i, 1, randomblob(16), NULL, 10 FROM n";
    db.execute(expired, args![ROWS]).await.unwrap();
    let others = async {
        let mut seen = vec![ROWS];
        while seen.last() != Some(&0) {
            let mut tx = db.begin().await.unwrap();
            let left = tx
                .fetch_one("SELECT count(*) AS n FROM revocations", vec![])
                .await
                .unwrap();
            seen.push(left.get("n").unwrap());
            tx.commit().await.unwrap();
        }
        seen
    };

    let (gone, seen) = tokio::join!(store.prune(20, 0, 0, 0), others);

    assert_eq!(gone.unwrap().revocations, ROWS as u64);
    assert!(seen.iter().any(|left| (1..ROWS).contains(left)), "{seen:?}");
}
