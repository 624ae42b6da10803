//! What other services are told.

use std::{sync::Arc, time::Duration};

use access_token::{RemoteSource, SyncSource, Trust, TrustConfig, Verifier, VerifierConfig};
use auth_service::store::Entry;
use proto::auth::v1 as pb;
use test_kit::{Cluster, ClusterOptions, FixedClock, TestDatabase};
use tokio::time::Instant;
use tonic::{Code, transport::Endpoint};
use uuid::Uuid;

use crate::house::{House, PASSWORD, Replica, SERVICE_TOKEN, config, http_get, refusal, said};

/// A verifying service that follows one replica.
fn verifier(house: &House, replica: &Replica) -> access_token::Authenticator {
    let endpoint = Endpoint::from_shared(format!("http://{}", replica.addr)).unwrap();
    let source: Arc<dyn SyncSource> = Arc::new(RemoteSource::new(endpoint, SERVICE_TOKEN).unwrap());
    let (trust, _driver) = Trust::start(vec![source], TrustConfig::default(), house.clock.seconds());
    let config = VerifierConfig::new("https://gatehouse.local", "gatehouse");
    access_token::Authenticator::new(trust, Arc::new(Verifier::new(config, house.clock.seconds())))
}

test_kit::on_every_engine! {
    async fn a_logout_at_one_replica_holds_at_a_service_that_follows_another(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let other = house.another(&[]).await;
        let service = verifier(&house, &other);
        for _ in 0..50 {
            let user = house.user().await;
            let token = user.token.access_token.as_bytes();
            assert_eq!(service.authenticate(token, Instant::now()).await.unwrap().user_id, user.id);

            user.log_out().await;

            let refused = service.authenticate(token, Instant::now()).await.unwrap_err();
            assert_eq!(refused.reason(), "TOKEN_REVOKED");
        }
    }

    async fn a_long_history_comes_in_pages_of_ten_thousand(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let later = (house.seconds() + 3_600) * 1_000_000;
        let entries = (0..25_000).map(|_| Entry::RevokeToken { token: Uuid::new_v4(), expires_at: later });
        house.store().write(&entries.collect::<Vec<_>>()).await.unwrap();
        let another = house.another(&[]).await;
    let late = another.client().await;

        for client in [&house.nobody, &late] {
            let (mut cursor, mut pages) = (0, Vec::new());
            loop {
                let page = client.sync(1, cursor).await.unwrap();
                assert_eq!(page.keys.len(), 1);
                pages.push(page.revocations.len());
                cursor = page.next_cursor;
                if page.complete {
                    break;
                }
            }
            assert_eq!(pages, [10_000, 10_000, 5_000]);
        }
    }
}

#[tokio::test]
async fn a_reply_holds_what_was_revoked_before_the_call_and_only_what_is_past_the_cursor() {
    let house = House::start().await;
    let (admin, user) = (house.admin().await, house.user().await);
    admin.set(user.id, Some(true), None).await.unwrap();

    let reply = house.nobody.sync(0, 0).await.unwrap();

    assert_eq!((reply.epoch, reply.complete, reply.history_lost), (1, true, false));
    assert_eq!(
        (reply.revocations.len(), reply.next_cursor),
        (1, reply.revocations[0].number)
    );
    let floor = pb::GenerationFloor {
        user_id: user.id.as_bytes().to_vec(),
        generation: 2,
    };
    assert_eq!(reply.revocations[0].subject, Some(pb::revocation::Subject::User(floor)));
    let lifetime = reply.revocations[0].expires_at.unwrap().seconds - house.seconds();
    assert_eq!(lifetime, 24 * 3600 + 600);
    admin.log_out().await;
    let next = house.nobody.sync(1, reply.next_cursor).await.unwrap();
    assert_eq!((next.revocations.len(), next.next_cursor), (1, reply.next_cursor + 1));
}

#[tokio::test]
async fn a_cursor_from_the_future_is_told_that_history_is_lost() {
    let house = House::start().await;

    let reply = house.nobody.sync(1, 99).await.unwrap();

    assert!(reply.history_lost && !reply.complete);
    assert!(!house.nobody.sync(7, 99).await.unwrap().history_lost);
}

#[tokio::test]
async fn many_who_sync_at_once_cost_the_database_few_statements() {
    let house = House::start().await;
    house.nobody.sync(0, 0).await.unwrap();
    let before = house.replica.labelled("trust_syncs_total", "complete").await;

    let mut syncs = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let client = house.nobody.clone();
        syncs.spawn(async move { client.sync(1, 0).await.unwrap().complete });
    }

    assert!(syncs.join_all().await.into_iter().all(|complete| complete));
    let statements = house.replica.labelled("trust_syncs_total", "complete").await - before;
    assert!(statements < 500.0, "{statements}");
}

#[tokio::test]
async fn expired_revocations_go_from_the_table_and_from_memory() {
    let house = House::sweeping(Duration::from_millis(5)).await;
    let user = house.user().await;
    user.log_out().await;
    house.nobody.sync(0, 0).await.unwrap();
    assert_eq!(house.replica.metric("revocations").await, 1.0);

    house.advance(3_600 + 599);
    assert_eq!(house.nobody.sync(0, 0).await.unwrap().revocations.len(), 1);
    house.advance(2);
    while house.replica.metric("revocations").await > 0.0 {
        tokio::task::yield_now().await;
    }
    while !house.store().sync(1, 0, 10).await.unwrap().revocations.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(refusal(user.current().await).0, Code::Unauthenticated);
}

#[tokio::test]
async fn while_the_database_is_gone_nothing_is_accepted_and_then_it_goes_on_unaided() {
    let Some(cluster) = Cluster::for_test(ClusterOptions::default()).await else {
        return;
    };
    let clock = FixedClock::now_standing_still();
    let replica = Replica::start(config(&cluster.url("postgres"), &clock, &[])).await;
    let nobody = replica.client().await.impatient();
    let user = nobody.register("ada@example.com").await.unwrap();
    let unavailable = said(Code::Unavailable, "TRUST_UNAVAILABLE");

    cluster.stop();
    let asked = Instant::now();
    assert_eq!(refusal(user.current().await), unavailable);
    assert_eq!(refusal(nobody.sync(0, 0).await), unavailable);
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_eq!(
        refusal(nobody.login("ada@example.com", PASSWORD).await).0,
        Code::Unavailable
    );
    while !http_get(replica.ops, "/readyz").await.contains("503") {
        tokio::task::yield_now().await;
    }

    cluster.boot();
    while user.current().await.is_err() {
        tokio::task::yield_now().await;
    }
    user.log_out().await;
    user.is_out().await;
}

#[tokio::test]
async fn a_frozen_database_is_answered_for_within_a_second_or_so() {
    let Some(cluster) = Cluster::for_test(ClusterOptions::default()).await else {
        return;
    };
    let clock = FixedClock::now_standing_still();
    let replica = Replica::start(config(&cluster.url("postgres"), &clock, &[])).await;
    let nobody = replica.client().await.impatient();
    let user = nobody.register("ada@example.com").await.unwrap();

    cluster.freeze();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let user = user.clone();
        calls.spawn(async move {
            let asked = Instant::now();
            (refusal(user.current().await), asked.elapsed())
        });
    }
    for (answer, took) in calls.join_all().await {
        assert_eq!(answer, said(Code::Unavailable, "TRUST_UNAVAILABLE"));
        assert!(took < Duration::from_secs(4), "{took:?}");
    }

    cluster.thaw();
    while user.current().await.is_err() {
        tokio::task::yield_now().await;
    }
}
