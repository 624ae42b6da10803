//! What holds when things happen at once, on several replicas.

use proto::auth::v1 as pb;
use test_kit::TestDatabase;
use tokio::task::JoinSet;
use tonic::Code;

use crate::house::{House, PASSWORD, User, refusal, said};

test_kit::on_every_engine! {
    async fn logout_kills_the_token_on_every_replica(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let other = house.another(&[]).await;
        for _ in 0..20 {
            let here = house.user().await;
            let there = User { client: other.client().await, ..here.clone() };
            there.is_in().await;

            here.log_out().await;

            there.is_out().await;
            here.is_out().await;
        }
    }

    async fn after_the_reply_to_a_logout_none_of_a_thousand_calls_gets_through(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let other = house.another(&[]).await;
        let here = house.user().await;
        let there = User { client: other.client().await, ..here.clone() };

        here.log_out().await;

        let mut calls = JoinSet::new();
        for user in [here, there] {
            for _ in 0..500 {
                let user = user.clone();
                calls.spawn(async move { refusal(user.current().await) });
            }
        }
        let revoked = said(Code::Unauthenticated, "TOKEN_REVOKED");
        for answer in calls.join_all().await {
            assert_eq!(answer, revoked);
        }
    }

    async fn logouts_at_once_all_hold(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let mut users = Vec::new();
        for _ in 0..10 {
            let user = house.user().await;
            for _ in 0..10 {
                users.push(house.nobody.login(&user.email, PASSWORD).await.unwrap());
            }
        }

        let mut logouts = JoinSet::new();
        for user in users {
            logouts.spawn(async move {
                user.log_out().await;
                user.is_out().await;
            });
        }
        logouts.join_all().await;

        let rows = house.store().sync(1, 0, 1_000).await.unwrap().revocations;
        assert_eq!(rows.len(), 100);
        assert!(rows.windows(2).all(|pair| pair[0].number + 1 == pair[1].number));
    }

    async fn of_two_administrators_who_demote_each_other_one_succeeds(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let other = house.another(&[]).await;
        let (mut ada, mut bob) = (house.admin().await, house.admin().await);
        bob.client = other.client().await;
        for _ in 0..5 {
            let outcomes = tokio::join!(ada.set(bob.id, Some(false), None), bob.set(ada.id, Some(false), None));

            let (left, demoted, refused) = match outcomes {
                (Ok(_), Err(refused)) => (&ada, &bob, refused),
                (Err(refused), Ok(_)) => (&bob, &ada, refused),
                (one, two) => panic!("{one:?} {two:?}"),
            };
            // Late enough, the loser's token is dead already.
            let reason = refusal::<()>(Err(refused)).1;
            assert!(["LAST_ADMINISTRATOR", "TOKEN_REVOKED"].contains(&reason.as_str()), "{reason}");
            left.is_in().await;
            demoted.is_out().await;

            left.set(demoted.id, Some(true), None).await.unwrap();
            let back = demoted.client.login(&demoted.email, PASSWORD).await.unwrap();
            if back.id == ada.id { ada = back } else { bob = back }
        }
    }

    async fn no_login_that_races_a_demotion_leaves_an_administrator(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let other = house.another(&[]).await;
        let admin = house.admin().await;
        let rival = house.admin().await;
        let mut logins = JoinSet::new();
        for n in 0..40 {
            let client = if n % 2 == 0 { house.nobody.clone() } else { other.client().await };
            let email = rival.email.clone();
            logins.spawn(async move { client.login(&email, PASSWORD).await.unwrap() });
        }

        admin.set(rival.id, Some(false), None).await.unwrap();
        let mut held = logins.join_all().await;
        held.push(rival);

        for user in held {
            let write = user.set(admin.id, None, Some(true)).await;
            let answer = refusal(write);
            let allowed = [
                said(Code::PermissionDenied, "ADMIN_REQUIRED"),
                said(Code::Unauthenticated, "TOKEN_REVOKED"),
            ];
            assert!(allowed.contains(&answer), "{answer:?}");
        }
    }

    async fn of_registrations_of_one_address_at_once_one_succeeds(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let email = crate::house::fresh_email();
        let mut tries = JoinSet::new();
        for _ in 0..50 {
            let (client, email) = (house.nobody.clone(), email.clone());
            tries.spawn(async move { client.register(&email).await });
        }

        let outcomes = tries.join_all().await;

        let (made, taken): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(made.len(), 1);
        let expected = said(Code::AlreadyExists, "EMAIL_TAKEN");
        assert!(taken.into_iter().all(|outcome| refusal(outcome) == expected));
    }

    async fn a_user_deleted_while_its_tokens_work_stays_out_on_every_replica(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let other = house.another(&[]).await;
        let (admin, here) = (house.admin().await, house.user().await);
        let there = User { client: other.client().await, ..here.clone() };
        there.is_in().await;

        admin.delete_user(pb::DeleteUserRequest { id: here.id.to_string() }).await.unwrap();

        there.is_out().await;
        here.is_out().await;
    }
}
