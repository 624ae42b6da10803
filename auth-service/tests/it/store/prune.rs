use auth_service::{
    audit::Origin,
    store::{Entry, Pruned},
};
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
