//! Signing keys in a running house.

use auth_service::keys::{self, Sealer};
use service_kit::{clock::Clock, config::Secret};
use test_kit::TestDatabase;
use tonic::Code;

use crate::house::{House, KEY_SECRET, PASSWORD, Replica, User, config, header, refusal, said};

fn sealer() -> Sealer {
    Sealer::new(Some(&Secret::new(KEY_SECRET))).unwrap()
}

fn kid(user: &User) -> String {
    header(&user.token.access_token)["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_key_set_shows_public_members_only() {
    let house = House::start().await;

    let set = house.nobody.key_set().await.unwrap();

    let key = &set.keys[0];
    assert_eq!((key.kty.as_str(), key.crv.as_str()), ("OKP", "Ed25519"));
    assert_eq!((key.r#use.as_str(), key.alg.as_str()), ("sig", "EdDSA"));
    assert_eq!((key.x.len(), key.kid.len()), (43, 43));
    let mint = house.mint().await;
    assert_eq!(key.kid, mint.key.kid());
    let private = mint.key.pkcs8();
    let stored = house.store().keys().await.unwrap().remove(0).private_key.unwrap();
    assert!(
        !stored
            .windows(32)
            .any(|window| private.windows(32).any(|secret| secret == window))
    );
}

#[tokio::test]
async fn old_and_new_keys_verify_during_the_overlap_and_a_retired_one_dies_at_once() {
    let house = House::start().await;
    let old = house.user().await;
    let next = keys::rotate(&house.store(), &sealer(), false, house.clock.now())
        .await
        .unwrap();

    assert_eq!(house.nobody.key_set().await.unwrap().keys.len(), 2);
    house.advance(29);
    let before = house.nobody.login(&old.email, PASSWORD).await.unwrap();
    house.advance(1);
    let after = house.nobody.login(&old.email, PASSWORD).await.unwrap();
    assert_eq!((kid(&before), kid(&after)), (kid(&old), next.clone()));
    old.is_in().await;
    after.is_in().await;

    keys::retire(&house.store(), &kid(&old), house.clock.now())
        .await
        .unwrap();
    old.is_out().await;
    before.is_out().await;
    after.is_in().await;
    let published = house.nobody.key_set().await.unwrap().keys;
    assert_eq!(published.into_iter().map(|key| key.kid).collect::<Vec<_>>(), [next]);
}

#[tokio::test]
async fn a_key_for_an_emergency_signs_at_once_on_every_replica() {
    let house = House::start().await;
    let another = house.another(&[]).await;
    let other = another.client().await;
    let old = house.user().await;

    let next = keys::rotate(&house.store(), &sealer(), true, house.clock.now())
        .await
        .unwrap();
    keys::retire(&house.store(), &kid(&old), house.clock.now())
        .await
        .unwrap();

    for client in [&house.nobody, &other] {
        let user = client.login(&old.email, PASSWORD).await.unwrap();
        assert_eq!(kid(&user), next);
        user.is_in().await;
    }
    old.is_out().await;
}

#[tokio::test]
async fn recovery_kills_every_older_token_in_a_running_house() {
    let house = House::start().await;
    let another = house.another(&[]).await;
    let other = another.client().await;
    let old = house.user().await;

    keys::recover(&house.store(), &sealer(), house.clock.now())
        .await
        .unwrap();

    old.is_out_somehow().await;
    User {
        client: other,
        ..old.clone()
    }
    .is_out_somehow()
    .await;
    house.nobody.login(&old.email, PASSWORD).await.unwrap().is_in().await;
}

test_kit::on_every_engine! {
    async fn a_database_that_went_back_is_not_believed_until_it_is_recovered(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let user = house.user().await;
        let out = house.nobody.login(&user.email, PASSWORD).await.unwrap();
        out.log_out().await;
        out.is_out().await;
        let seen = house.nobody.sync(1, 0).await.unwrap().next_cursor;
        assert!(seen > 0);

        // What restoring a backup from before the logout does.
        let db = house.database.database();
        db.execute("DELETE FROM revocations", vec![]).await.unwrap();
        db.execute("UPDATE trust_state SET counter = 0", vec![]).await.unwrap();
        let another = house.another(&[]).await;
    let restarted = another.client().await;

        for client in [&house.nobody, &restarted] {
            let told = client.sync(1, seen).await.unwrap();
            assert!(told.history_lost && !told.complete);
        }
        for user in [&user, &out] {
            let asked = User { client: user.client.impatient(), ..user.clone() }.current().await;
            assert_eq!(refusal(asked), said(Code::Unavailable, "TRUST_UNAVAILABLE"));
        }

        let (epoch, _) = keys::recover(&house.store(), &sealer(), house.clock.now()).await.unwrap();
        for user in [&user, &out] {
            user.is_out_somehow().await;
            User { client: restarted.clone(), ..user.clone() }.is_out_somehow().await;
        }
        let told = restarted.sync(1, seen).await.unwrap();
        assert_eq!((told.epoch, told.history_lost, told.complete), (epoch, false, true));
        house.nobody.login(&user.email, PASSWORD).await.unwrap().is_in().await;
    }
}

#[tokio::test]
async fn a_restarted_replica_still_refuses_what_was_revoked() {
    let house = House::start().await;
    let user = house.user().await;
    user.log_out().await;

    house.replica.stop().await;
    let again = Replica::start(config(house.database.url(), &house.clock, &[])).await;

    User {
        client: again.client().await,
        ..user
    }
    .is_out()
    .await;
}
