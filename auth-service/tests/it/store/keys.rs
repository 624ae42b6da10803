use auth_service::{
    keys::{self, KeyError, OVERLAP, Sealer},
    store::Entry,
};
use service_kit::config::Secret;
use test_kit::TestDatabase;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{store, time, user};

const SECOND: i64 = 1_000_000;

fn sealer(secret: &str) -> Sealer {
    Sealer::new(Some(&Secret::new(secret))).unwrap()
}

test_kit::on_every_engine! {
    async fn of_replicas_that_start_at_once_one_makes_the_key(database: TestDatabase) {
        let store = store(&database).await;
        let mut starts = JoinSet::new();
        for _ in 0..10 {
            let store = store.clone();
            starts.spawn(async move { keys::first_start(&store, &sealer("secret"), time(1)).await.unwrap() });
        }

        let throttle_keys = starts.join_all().await;

        assert_eq!(store.keys().await.unwrap().len(), 1);
        assert!(throttle_keys.iter().all(|key| *key == throttle_keys[0] && key.len() == 32));
    }

    async fn keys_lie_sealed_and_a_changed_secret_is_told(database: TestDatabase) {
        let store = store(&database).await;
        keys::first_start(&store, &sealer("one"), time(1)).await.unwrap();

        let stored = store.keys().await.unwrap().remove(0).private_key.unwrap();
        assert!(sealer("one").open(&store.keys().await.unwrap()[0].kid, &stored).is_ok());
        let refused = keys::first_start(&store, &sealer("two"), time(2)).await.unwrap_err();
        assert!(matches!(refused, KeyError::Sealed { .. }));
        assert!(refused.to_string().contains("AUTH_KEY_SECRET"), "{refused}");
        let refused = keys::first_start(&store, &Sealer::new(None).unwrap(), time(2)).await.unwrap_err();
        assert!(matches!(refused, KeyError::Sealed { .. }));
    }

    async fn a_secret_that_comes_later_seals_what_was_stored_as_it_is(database: TestDatabase) {
        let store = store(&database).await;
        let plain = Sealer::new(None).unwrap();
        let throttle_key = keys::first_start(&store, &plain, time(1)).await.unwrap();

        assert_eq!(keys::first_start(&store, &sealer("one"), time(2)).await.unwrap(), throttle_key);

        assert!(matches!(keys::first_start(&store, &plain, time(3)).await, Err(KeyError::Sealed { .. })));
        assert_eq!(keys::first_start(&store, &sealer("one"), time(3)).await.unwrap(), throttle_key);
    }

    async fn the_next_key_signs_from_thirty_seconds_later(database: TestDatabase) {
        let store = store(&database).await;
        keys::first_start(&store, &sealer("s"), time(SECOND)).await.unwrap();
        keys::rotate(&store, &sealer("s"), false, time(2 * SECOND)).await.unwrap();
        let states = async |at| -> Vec<&'static str> {
            keys::list(&store, time(at)).await.unwrap().iter().map(|key| key.state).collect()
        };

        assert_eq!(OVERLAP, 30 * SECOND);
        assert_eq!(states(2 * SECOND + OVERLAP - 1).await, ["signs", "next"]);
        assert_eq!(states(2 * SECOND + OVERLAP).await, ["verifies", "signs"]);
        keys::rotate(&store, &sealer("s"), true, time(40 * SECOND)).await.unwrap();
        assert_eq!(states(40 * SECOND).await, ["verifies", "verifies", "signs"]);
    }

    async fn the_only_key_that_can_sign_is_not_retired(database: TestDatabase) {
        let store = store(&database).await;
        keys::first_start(&store, &sealer("s"), time(SECOND)).await.unwrap();
        let first = store.keys().await.unwrap().remove(0).kid;

        let only = keys::retire(&store, &first, time(2 * SECOND)).await;
        assert!(matches!(only, Err(KeyError::OnlyKey(_))));
        keys::rotate(&store, &sealer("s"), false, time(2 * SECOND)).await.unwrap();
        let next_does_not_sign_yet = keys::retire(&store, &first, time(3 * SECOND)).await;
        assert!(matches!(next_does_not_sign_yet, Err(KeyError::OnlyKey(_))));
        keys::retire(&store, &first, time(32 * SECOND)).await.unwrap();
        keys::retire(&store, &first, time(33 * SECOND)).await.unwrap();

        assert!(matches!(keys::retire(&store, "nobody's", time(33 * SECOND)).await, Err(KeyError::Unknown(_))));
        let retired = store.keys().await.unwrap().remove(0);
        assert_eq!((retired.private_key, retired.retired_at), (None, Some(32 * SECOND)));
        store.prune(i64::MAX, 0, 0, 0).await.unwrap();
        let read = store.sync(1, 0, 10).await.unwrap();
        assert_eq!((read.keys.len(), read.revocations.len()), (1, 1));
        assert_eq!(read.revocations[0].expires_at, None);
    }

    async fn recovery_raises_the_epoch_and_retires_every_older_key(database: TestDatabase) {
        let store = store(&database).await;
        keys::first_start(&store, &sealer("lost"), time(SECOND)).await.unwrap();
        keys::rotate(&store, &sealer("lost"), false, time(SECOND)).await.unwrap();

        let (epoch, kid) = keys::recover(&store, &sealer("new"), time(5 * SECOND)).await.unwrap();

        let read = store.sync(epoch, 0, 10).await.unwrap();
        assert_eq!((epoch, read.epoch, read.revocations.len()), (5 * SECOND, 5 * SECOND, 2));
        assert_eq!(read.keys.iter().map(|key| &key.kid).collect::<Vec<_>>(), [&kid]);
        let throttle_key = keys::first_start(&store, &sealer("new"), time(6 * SECOND)).await.unwrap();
        keys::recover(&store, &sealer("new"), time(7 * SECOND)).await.unwrap();
        assert_eq!(keys::first_start(&store, &sealer("new"), time(8 * SECOND)).await.unwrap(), throttle_key);
    }

    async fn a_mark_differs_after_every_change_that_verifiers_have_to_hear_of_and_no_other(database: TestDatabase) {
        let store = store(&database).await;
        keys::first_start(&store, &sealer("s"), time(SECOND)).await.unwrap();
        let first = store.keys().await.unwrap().remove(0).kid;
        let mut before = store.trust_mark().await.unwrap();
        assert!(before.primary);
        let mut changed = async || {
            let now = store.trust_mark().await.unwrap();
            std::mem::replace(&mut before, now.clone()) != now
        };

        let user = user(&store, 1).await;
        assert!(!changed().await, "a registration");
        store.write(&[Entry::RevokeToken { token: Uuid::new_v4(), expires_at: 9 }]).await.unwrap();
        assert!(changed().await, "a logout");
        let mut change = store.begin_change(time(2)).await.unwrap();
        change.kill_tokens(user.id).await.unwrap();
        change.commit().await.unwrap();
        assert!(changed().await, "a floor");
        store.prune(i64::MAX, 0, 0, 0).await.unwrap();
        assert!(!changed().await, "pruning");
        keys::rotate(&store, &sealer("s"), true, time(2 * SECOND)).await.unwrap();
        assert!(changed().await, "a new key");
        keys::retire(&store, &first, time(3 * SECOND)).await.unwrap();
        assert!(changed().await, "a retired key");
        keys::recover(&store, &sealer("s"), time(4 * SECOND)).await.unwrap();
        assert!(changed().await, "a recovery");
        let elsewhere = "UPDATE signing_keys SET kid = 'another' WHERE retired_at IS NULL";
        database.database().execute(elsewhere, vec![]).await.unwrap();
        assert!(changed().await, "another database");
    }

    async fn an_epoch_is_its_time_so_that_a_backup_restored_twice_begins_two_histories(database: TestDatabase) {
        let store = store(&database).await;
        keys::first_start(&store, &sealer("s"), time(SECOND)).await.unwrap();
        let recover = async |at| keys::recover(&store, &sealer("s"), time(at)).await.unwrap().0;
        let restore = async || {
            database.database().execute("UPDATE trust_state SET epoch = 1", vec![]).await.unwrap();
        };

        assert_eq!(recover(5 * SECOND).await, 5 * SECOND);
        restore().await;
        assert_eq!(recover(6 * SECOND).await, 6 * SECOND);
        assert_eq!(recover(4 * SECOND).await, 6 * SECOND + 1, "a clock that was set back");
    }
}
