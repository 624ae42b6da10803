use std::sync::Arc;

use auth_service::{
    audit::Origin,
    passwords::PasswordHash,
    store::{Store, UserPosition},
};
use test_kit::TestDatabase;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{new_user, store, time, user};
use crate::house::fresh_email;

test_kit::on_every_engine! {
    async fn of_200_concurrent_registrations_of_one_address_one_succeeds(database: TestDatabase) {
        let store = store(&database).await;
        let email = fresh_email();
        let mut tasks = JoinSet::new();
        for n in 0..200 {
            let store = store.clone();
            let email = if n % 2 == 0 { email.to_uppercase() } else { email.clone() };
            tasks.spawn(async move { store.register(&new_user(&email, n), &Origin::default()).await });
        }

        let outcomes = tasks.join_all().await;

        let taken = outcomes.iter().filter(|outcome| outcome.as_ref().is_err_and(|error| error.is_unique())).count();
        assert_eq!((outcomes.iter().filter(|outcome| outcome.is_ok()).count(), taken), (1, 199));
    }

    async fn an_address_of_a_deleted_user_is_free_again(database: TestDatabase) {
        let store = store(&database).await;
        let first = user(&store, 1).await;
        let mut change = store.begin_change(time(2)).await.unwrap();
        change.delete(first.id).await.unwrap();
        change.commit().await.unwrap();

        let second = new_user(first.email.as_str(), 3);
        store.register(&second, &Origin::default()).await.unwrap();

        assert_eq!(store.user_id(first.email.key()).await.unwrap(), Some(second.id));
        assert!(store.user(first.id).await.unwrap().is_none());
    }

    async fn of_two_password_changes_from_one_reading_one_is_written(database: TestDatabase) {
        let store = store(&database).await;
        let id = user(&store, 1).await.id;
        let read = store.credentials_by_id(id).await.unwrap().unwrap().generation;
        let store = Arc::new(store);
        let mut tasks = JoinSet::new();
        for n in 0..8 {
            let store = store.clone();
            tasks.spawn(async move {
                let mut change = store.begin_change(time(2)).await.unwrap();
                let hash = PasswordHash::from_stored(format!("hash {n}"));
                let written = change.set_password(id, read, &hash).await.unwrap();
                if written {
                    change.kill_tokens(id).await.unwrap();
                    change.commit().await.unwrap();
                }
                written
            });
        }

        let written = tasks.join_all().await;

        assert_eq!(written.iter().filter(|written| **written).count(), 1);
        assert_eq!(store.credentials_by_id(id).await.unwrap().unwrap().generation, read + 1);
    }

    async fn a_rehash_replaces_only_the_hash_that_was_verified(database: TestDatabase) {
        let store = store(&database).await;
        let user = user(&store, 1).await;
        let [dearer, other] = ["dearer", "other"].map(|text| PasswordHash::from_stored(text.to_owned()));

        assert!(store.rehash(user.id, &user.password_hash, &dearer).await.unwrap());
        assert!(!store.rehash(user.id, &user.password_hash, &other).await.unwrap());

        let stored = store.credentials_by_address(user.email.key()).await.unwrap().unwrap();
        assert_eq!((stored.password_hash, stored.generation), (dearer, 1));
    }

    async fn a_dropped_change_changed_nothing(database: TestDatabase) {
        let store = store(&database).await;
        let user = user(&store, 1).await;
        let before = store.sync(1, 0, 10).await.unwrap().counter;

        let mut change = store.begin_change(time(2)).await.unwrap();
        change.set_roles(user.id, true, true).await.unwrap();
        change.kill_tokens(user.id).await.unwrap();
        drop(change);

        let stored = store.credentials_by_id(user.id).await.unwrap().unwrap();
        assert_eq!((stored.admin, stored.disabled, stored.generation), (false, false, 1));
        let after = store.sync(1, 0, 10).await.unwrap();
        assert_eq!((after.counter, after.revocations.len()), (before, 0));
    }

    async fn pages_go_both_ways_and_miss_nobody_who_stays(database: TestDatabase) {
        let store = store(&database).await;
        let mut ids = Vec::new();
        for n in 0..25 {
            // Several at the same moment: the id decides.
            ids.push((n / 4, user(&store, n / 4).await.id));
        }
        ids.sort_by(|a, b| (a.0, a.1.as_bytes()).cmp(&(b.0, b.1.as_bytes())));
        let ids: Vec<Uuid> = ids.into_iter().map(|(_, id)| id).collect();

        let forwards = walk(&store, UserPosition::Start, UserPosition::After).await;
        let mut backwards = walk(&store, UserPosition::Before(i64::MAX, Uuid::max()), UserPosition::Before).await;
        backwards.reverse();

        assert_eq!(forwards, ids);
        assert_eq!(backwards, ids);
        assert_eq!(store.count_users().await.unwrap(), 25);
    }

    async fn hostile_texts_are_only_texts(database: TestDatabase) {
        let store = store(&database).await;
        user(&store, 1).await;

        for text in ["' OR '1'='1", "x'; DROP TABLE users; --", "%", "\u{0}"] {
            let found = store.credentials_by_address(text).await;
            assert!(matches!(found, Ok(None)) || text.contains('\0'), "{text:?}: {found:?}");
        }
        assert_eq!(store.count_users().await.unwrap(), 1);
    }
}

async fn walk(store: &Store, from: UserPosition, next: fn(i64, Uuid) -> UserPosition) -> Vec<Uuid> {
    let (mut position, mut seen) = (from, Vec::new());
    loop {
        let page = store.users(position, 7).await.unwrap();
        let Some(last) = page.last() else { return seen };
        position = next(last.registered_at.timestamp_micros(), last.id);
        seen.extend(page.iter().map(|user| user.id));
    }
}
