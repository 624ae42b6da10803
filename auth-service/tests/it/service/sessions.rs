//! Registering, logging in and out.

use std::time::Duration;

use auth_service::store::Entry;
use proto::auth::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::house::{
    Anonymous, House, PASSWORD, Replica, User, claims, config, fields, fresh_email, header, refusal, said,
};

#[tokio::test]
async fn a_registered_user_is_logged_in_and_no_administrator() {
    let house = House::start().await;

    let user = house.user().await;

    let shown = user.current().await.unwrap();
    assert_eq!((shown.email.as_str(), shown.admin), (user.email.as_str(), false));
    assert_eq!(
        (user.token.token_type.as_str(), user.token.expires_in),
        ("Bearer", 3600)
    );
    assert_eq!(
        shown.token_expires_at.unwrap().seconds,
        claims(&user.token.access_token)["exp"]
    );
}

#[tokio::test]
async fn a_token_says_what_it_should_and_nothing_private() {
    let house = House::start().await;

    let user = house.user().await;

    let claims = claims(&user.token.access_token);
    let mut names: Vec<&String> = claims.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["admin", "aud", "exp", "gen", "iat", "iss", "jti", "sub"]);
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(
        (claims["iss"].as_str(), claims["aud"].as_str()),
        (Some("https://gatehouse.local"), Some("gatehouse"))
    );
    assert_eq!(lifetime, 3600);
    let header = header(&user.token.access_token);
    assert_eq!(
        (header["alg"].as_str(), header["typ"].as_str()),
        (Some("EdDSA"), Some("at+jwt"))
    );
    assert_eq!(
        header["kid"],
        house.nobody.key_set().await.unwrap().keys[0].kid.as_str()
    );
}

#[tokio::test]
async fn logout_kills_this_token_and_no_other() {
    let house = House::start().await;
    let first = house.user().await;
    let second = house.nobody.login(&first.email, PASSWORD).await.unwrap();

    first.log_out().await;

    first.is_out().await;
    second.is_in().await;
}

#[tokio::test]
async fn logout_everywhere_kills_all_and_a_login_in_the_same_second_is_live() {
    let house = House::start().await;
    let first = house.user().await;
    let second = house.nobody.login(&first.email, PASSWORD).await.unwrap();

    first.logout_everywhere(pb::LogoutEverywhereRequest {}).await.unwrap();

    first.is_out().await;
    second.is_out().await;
    house.nobody.login(&first.email, PASSWORD).await.unwrap().is_in().await;
}

#[tokio::test]
async fn register_names_every_bad_field_at_once() {
    let house = House::start().await;

    let status = house
        .nobody
        .register_with("nobody", "short")
        .await
        .map(|_| ())
        .unwrap_err();

    assert_eq!(fields(&status), ["email", "password"]);
    assert_eq!(
        refusal::<()>(Err(status)),
        said(Code::InvalidArgument, "INVALID_FIELDS")
    );
}

#[tokio::test]
async fn an_address_in_another_case_is_the_same_account() {
    let house = House::start().await;
    let email = fresh_email();
    house.nobody.register(&email.to_uppercase()).await.unwrap();

    let again = house.nobody.register(&format!(" {email} ")).await;

    assert_eq!(refusal(again), said(Code::AlreadyExists, "EMAIL_TAKEN"));
    house.nobody.login(&email, PASSWORD).await.unwrap().is_in().await;
}

#[tokio::test]
async fn addresses_with_line_breaks_nul_or_255_characters_are_refused() {
    let house = House::start().await;
    let long = format!("{}@example.com", "a".repeat(243));

    for bad in [
        "ada@example.com\r\nBcc: bob@example.com",
        "ada@example.com\n",
        "a\0da@example.com",
        &long,
    ] {
        let status = house.nobody.register(bad).await.map(drop).unwrap_err();
        assert_eq!(fields(&status), ["email"], "{bad:?}");
        assert_eq!(
            refusal::<()>(Err(status)),
            said(Code::InvalidArgument, "INVALID_FIELDS")
        );
    }
    house.nobody.register(&long[1..]).await.unwrap();
}

#[tokio::test]
async fn a_lowered_lifetime_lets_no_revocation_go_early() {
    let house = House::with(&["--auth-token-ttl=24h"]).await;
    let (out, everywhere) = (house.user().await, house.user().await);
    let mut short = config(house.database.url(), &house.clock, &["--auth-token-ttl=1s"]);
    short.sweep_every = Duration::from_millis(5);
    let short = Replica::start(short).await;
    let at_short = |user: &User, client: Anonymous| User { client, ..user.clone() };
    let client = short.client().await;
    at_short(&out, client.clone()).log_out().await;
    let request = pb::LogoutEverywhereRequest {};
    at_short(&everywhere, client.clone())
        .logout_everywhere(request)
        .await
        .unwrap();

    house.advance(24 * 3600 - 1);
    let due = Entry::RevokeToken {
        token: Uuid::new_v4(),
        expires_at: house.seconds() * 1_000_000,
    };
    house.store().write(&[due]).await.unwrap();
    while house.store().sync(1, 0, 10).await.unwrap().revocations.len() > 2 {
        tokio::task::yield_now().await;
    }

    let later = house.another(&["--auth-token-ttl=1s"]).await;
    for client in [house.nobody.clone(), client, later.client().await] {
        at_short(&out, client.clone()).is_out().await;
        at_short(&everywhere, client).is_out().await;
    }
}

#[tokio::test]
async fn a_logout_is_kept_until_ten_minutes_after_the_tokens_end() {
    let house = House::start().await;
    let user = house.user().await;

    user.log_out().await;

    let rows = house.store().sync(1, 0, 10).await.unwrap().revocations;
    let end = claims(&user.token.access_token)["exp"].as_i64().unwrap();
    assert_eq!(rows[0].expires_at.unwrap().get(), (end + 600) * 1_000_000);
}
