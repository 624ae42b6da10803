//! What users do with their own accounts.

use proto::auth::v1 as pb;
use test_kit::TestDatabase;
use tonic::Code;

use crate::house::{House, PASSWORD, User, fields, refusal, said};

const NEW: &str = "a quite different sentence";

async fn delete(user: &User, password: &str) -> Result<(), tonic::Status> {
    let request = pb::DeleteCurrentUserRequest {
        password: password.to_owned(),
    };
    user.delete_current_user(request).await
}

#[tokio::test]
async fn a_password_change_kills_all_older_tokens_and_gives_a_live_one() {
    let house = House::start().await;
    let first = house.user().await;
    let second = house.nobody.login(&first.email, PASSWORD).await.unwrap();

    let changed = first.change(PASSWORD, NEW).await.unwrap();

    first.is_out().await;
    second.is_out().await;
    changed.is_in().await;
    assert_eq!(changed.token.expires_in, 3600);
    let old = house.nobody.login(&first.email, PASSWORD).await;
    assert_eq!(refusal(old), said(Code::Unauthenticated, "BAD_CREDENTIALS"));
    house.nobody.login(&first.email, NEW).await.unwrap().is_in().await;
}

#[tokio::test]
async fn a_wrong_current_password_is_forbidden_and_the_token_stays_good() {
    let house = House::start().await;
    let user = house.user().await;

    let outcome = user.change("not the password at all", NEW).await;

    assert_eq!(refusal(outcome), said(Code::PermissionDenied, "BAD_CREDENTIALS"));
    user.is_in().await;
    house.nobody.login(&user.email, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_new_password_keeps_the_rules_of_registration() {
    let house = House::start().await;
    let user = house.user().await;
    let name = user.email.split('@').next().unwrap();

    for bad in [
        "",
        "too short",
        "passwordpassword",
        name,
        &user.email,
        "with a nul \0 in it, and long",
    ] {
        let status = user.change(PASSWORD, bad).await.map(drop).unwrap_err();
        assert_eq!(fields(&status), ["new"], "{bad:?}");
    }
    let status = user.change("", "").await.map(drop).unwrap_err();
    assert_eq!(fields(&status), ["current", "new"]);
    user.is_in().await;
}

#[tokio::test]
async fn deleting_oneself_takes_the_password_frees_the_address_and_kills_the_tokens() {
    let house = House::start().await;
    let first = house.user().await;
    let second = house.nobody.login(&first.email, PASSWORD).await.unwrap();

    assert_eq!(
        refusal(delete(&first, "wrong").await),
        said(Code::PermissionDenied, "BAD_CREDENTIALS")
    );
    first.is_in().await;
    delete(&first, PASSWORD).await.unwrap();

    first.is_out().await;
    second.is_out().await;
    let login = house.nobody.login(&first.email, PASSWORD).await;
    assert_eq!(refusal(login), said(Code::Unauthenticated, "BAD_CREDENTIALS"));
    let again = house.nobody.register(&first.email).await.unwrap();
    assert_ne!(again.id, first.id);
    first.is_out().await;
}

#[tokio::test]
async fn the_last_administrator_cannot_leave() {
    let house = House::start().await;
    let admin = house.admin().await;
    let last = said(Code::FailedPrecondition, "LAST_ADMINISTRATOR");

    assert_eq!(refusal(delete(&admin, PASSWORD).await), last);
    let request = pb::DeleteUserRequest {
        id: admin.id.to_string(),
    };
    assert_eq!(refusal(admin.delete_user(request).await), last);
    assert_eq!(refusal(admin.set(admin.id, Some(false), None).await), last);
    assert_eq!(refusal(admin.set(admin.id, None, Some(true)).await), last);
    admin.is_in().await;

    let disabled = house.admin().await;
    admin.set(disabled.id, None, Some(true)).await.unwrap();
    assert_eq!(
        refusal(delete(&admin, PASSWORD).await),
        last,
        "a disabled administrator does not count"
    );
    house.admin().await;
    delete(&admin, PASSWORD).await.unwrap();
}

test_kit::on_every_engine! {
    async fn of_two_password_changes_with_one_old_password_one_wins(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let other = house.another(&[]).await;
        for _ in 0..5 {
            let here = house.user().await;
            let there = User { client: other.client().await, ..here.clone() };

            let outcomes = tokio::join!(here.change(PASSWORD, NEW), there.change(PASSWORD, "yet another sentence"));

            let (winner, loser, password) = match outcomes {
                (Ok(winner), Err(loser)) => (winner, loser, NEW),
                (Err(loser), Ok(winner)) => (winner, loser, "yet another sentence"),
                (one, two) => panic!("{:?} {:?}", one.map(drop), two.map(drop)),
            };
            assert!([Code::Aborted, Code::Unauthenticated].contains(&loser.code()), "{loser:?}");
            winner.is_in().await;
            house.nobody.login(&here.email, password).await.unwrap();
        }
    }
}

#[tokio::test]
async fn closed_registration_refuses_everybody_and_everything() {
    let house = House::with(&["--auth-registration=closed"]).await;

    for (email, password) in [("ada@example.com", PASSWORD), ("no address", "short")] {
        let outcome = house.nobody.register_with(email, password).await;
        assert_eq!(refusal(outcome), said(Code::PermissionDenied, "REGISTRATION_CLOSED"));
    }
}

#[tokio::test]
async fn a_checked_registration_registers_nobody_and_does_not_look_for_the_address() {
    let house = House::start().await;
    let taken = house.user().await.email;

    for email in [taken.as_str(), "free@example.com"] {
        let request = pb::RegisterRequest {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            validate_only: true,
        };
        let reply = house.nobody.auth.clone().register(request).await.unwrap();
        assert_eq!(reply.metadata().get("http-status").unwrap(), "200");
        assert_eq!(reply.into_inner(), pb::AccessToken::default());
    }
    assert_eq!(house.store().count_users().await.unwrap(), 1);
}
