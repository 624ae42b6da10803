use std::{num::NonZeroI64, time::Duration};

use auth_service::{
    audit::Origin,
    store::{Entry, FLOOR_LIFETIME, Store, Subject},
};
use proto::auth::v1::audit_event::Kind;
use test_kit::TestDatabase;
use tokio::{task::JoinSet, time::timeout};
use uuid::Uuid;

use super::{store, time, user};

test_kit::on_every_engine! {
    async fn of_two_transactions_at_once_both_revocations_are_delivered(database: TestDatabase) {
        let store = store(&database).await;
        let (first, second) = (user(&store, 1).await.id, user(&store, 1).await.id);
        let mut early = store.begin_change(time(2)).await.unwrap();
        let mut late = tokio::spawn({
            let store = store.clone();
            async move { kill(&store, second).await }
        });

        // The later number waits for the earlier one: a reader that has seen it has seen all before it.
        assert!(timeout(Duration::from_millis(300), &mut late).await.is_err());
        assert!(store.sync(1, 0, 10).await.unwrap().revocations.is_empty());
        early.kill_tokens(first).await.unwrap();
        early.commit().await.unwrap();
        late.await.unwrap();

        let delivered = store.sync(1, 0, 10).await.unwrap().revocations;
        let subjects: Vec<Subject> = delivered.into_iter().map(|row| row.subject).collect();
        assert_eq!(subjects, [Subject::User(first, 2), Subject::User(second, 2)]);
    }

    async fn a_reader_that_follows_the_cursor_gets_every_revocation_once(database: TestDatabase) {
        let store = store(&database).await;
        let mut users = Vec::new();
        for _ in 0..8 {
            users.push(user(&store, 1).await.id);
        }
        let mut writers = JoinSet::new();
        for id in users {
            let store = store.clone();
            writers.spawn(async move {
                for _ in 0..10 {
                    let tokens = [(); 3].map(|()| Entry::RevokeToken { token: Uuid::new_v4(), expires_at: 9 });
                    insist(|| try_kill(&store, id)).await;
                    insist(|| store.write(&tokens)).await;
                }
            });
        }

        let (mut cursor, mut numbers) = (0, Vec::new());
        loop {
            let done = writers.is_empty();
            let read = insist(|| store.sync(1, cursor, 10)).await;
            cursor = read.revocations.last().map_or(cursor, |row| row.number);
            numbers.extend(read.revocations.iter().map(|row| row.number));
            assert!(cursor <= read.counter);
            if done && read.revocations.is_empty() {
                break;
            }
            while let Some(outcome) = writers.try_join_next() {
                outcome.unwrap();
            }
        }

        let written = insist(|| store.sync(1, 0, 1_000)).await.revocations;
        assert_eq!(numbers, written.iter().map(|row| row.number).collect::<Vec<i64>>());
        assert!(numbers.len() >= 8 * 10 * 4);
    }

    async fn a_floor_is_kept_for_a_day_and_the_clock_skew_and_a_deletion_writes_the_highest(database: TestDatabase) {
        let store = store(&database).await;
        let id = user(&store, 1).await.id;

        let mut change = store.begin_change(time(5)).await.unwrap();
        assert_eq!(change.kill_tokens(id).await.unwrap(), Some(2));
        change.delete(id).await.unwrap();
        assert_eq!(change.kill_tokens(id).await.unwrap(), None);
        change.commit().await.unwrap();

        let rows = store.sync(1, 0, 10).await.unwrap().revocations;
        let subjects: Vec<&Subject> = rows.iter().map(|row| &row.subject).collect();
        assert_eq!(subjects, [&Subject::User(id, 2), &Subject::User(id, i64::MAX)]);
        assert!(rows.iter().all(|row| row.expires_at == NonZeroI64::new(5 + FLOOR_LIFETIME)));
        assert_eq!(FLOOR_LIFETIME, (24 * 60 + 10) * 60 * 1_000_000);
    }

    async fn a_cursor_counts_only_in_its_epoch(database: TestDatabase) {
        let store = store(&database).await;
        let id = user(&store, 1).await.id;
        kill(&store, id).await;

        let numbers = async |epoch, cursor| -> Vec<i64> {
            let read = store.sync(epoch, cursor, 10).await.unwrap();
            read.revocations.iter().map(|row| row.number).collect()
        };
        assert_eq!(numbers(1, 1).await, Vec::<i64>::new());
        assert_eq!(numbers(7, 1).await, [1]);
        let mut change = store.begin_change(time(3)).await.unwrap();
        assert_eq!(change.raise_epoch().await.unwrap(), 3);
        change.commit().await.unwrap();
        assert_eq!(numbers(1, 1).await, [1]);
        assert!(store.sync(3, 0, 10).await.unwrap().primary);
    }

    async fn entries_are_written_all_or_none(database: TestDatabase) {
        let store = store(&database).await;
        let event = Origin::operator().success(Kind::Logout, "somebody", time(1));
        let revocation = Entry::RevokeToken { token: Uuid::new_v4(), expires_at: 9 };

        let twice = [revocation, Entry::Audit(event.clone()), Entry::Audit(event.clone())];
        assert!(store.write(&twice).await.unwrap_err().is_unique());

        assert!(store.sync(1, 0, 10).await.unwrap().revocations.is_empty());
        assert!(store.audit_events(&Default::default(), None, 10).await.unwrap().is_empty());
        store.write(&twice[..2]).await.unwrap();
        assert_eq!(store.audit_events(&Default::default(), None, 10).await.unwrap(), [event]);
    }
}

/// Tries until the database has time: a disk that is busy for seconds is not what this is about. Anything else that goes
/// wrong is.
async fn insist<T, F>(act: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, database::Error>>,
{
    loop {
        match act().await {
            Err(error) if error.is_unavailable() => {}
            outcome => return outcome.unwrap(),
        }
    }
}

async fn kill(store: &Store, id: Uuid) {
    try_kill(store, id).await.unwrap();
}

async fn try_kill(store: &Store, id: Uuid) -> Result<(), database::Error> {
    let mut change = store.begin_change(time(2)).await?;
    change.kill_tokens(id).await?.unwrap();
    change.commit().await
}
