use auth_service::store::{Entry, FailureRow};
use test_kit::TestDatabase;
use tokio::task::JoinSet;

use super::store;

test_kit::on_every_engine! {
    async fn failures_add_up_whoever_counts_them(database: TestDatabase) {
        let store = store(&database).await;
        let mut tasks = JoinSet::new();
        for at in 1..=20 {
            let store = store.clone();
            // In both orders, as two replicas might have them: nobody deadlocks.
            let mut entries = [b"a", b"b"].map(|key| Entry::Failure { key: key.to_vec(), at });
            if at % 2 == 0 {
                entries.reverse();
            }
            tasks.spawn(async move { store.write(&entries).await });
        }
        tasks.join_all().await.into_iter().for_each(|outcome| outcome.unwrap());

        let row = FailureRow { failures: 20, last_attempt_at: 20 };
        assert_eq!(store.failures(b"a", b"b").await.unwrap(), [row, row]);
        store.write(&[Entry::Forget { key: b"a".to_vec() }]).await.unwrap();
        assert_eq!(store.failures(b"a", b"b").await.unwrap(), [FailureRow::default(), row]);
    }

    async fn one_attempt_is_taken_of_however_many_come_at_once(database: TestDatabase) {
        let store = store(&database).await;
        store.write(&[Entry::Failure { key: b"a".to_vec(), at: 1 }]).await.unwrap();
        let [read, _] = store.failures(b"a", b"b").await.unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..20 {
            let store = store.clone();
            tasks.spawn(async move { store.take_attempt(b"a", read, 2).await.unwrap() });
        }

        let taken = tasks.join_all().await;

        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    }

    async fn a_network_is_known_from_its_last_login_on(database: TestDatabase) {
        let store = store(&database).await;
        let hour = 3_600 * 1_000_000;
        let login = async |at| store.write(&[Entry::Network { key: b"n".to_vec(), at }]).await.unwrap();

        assert!(!store.is_known_network(b"n", 0).await.unwrap());
        login(hour).await;
        login(5 * hour).await;

        assert!(store.is_known_network(b"n", 5 * hour - 1).await.unwrap());
        assert!(!store.is_known_network(b"n", 5 * hour).await.unwrap());
    }
}
