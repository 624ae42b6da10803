//! What is written down of what happened.

use std::time::Duration;

use auth_service::{
    audit::Origin,
    store::{AuditFilter, Entry},
};
use chrono::DateTime;
use proto::auth::v1::{
    self as pb,
    audit_event::{Kind, Outcome},
};
use test_kit::{FixedClock, TestDatabase};
use tonic::Request;

use crate::house::{House, PASSWORD, User, config, fields};

async fn list(admin: &User, request: pb::ListAuditEventsRequest) -> Vec<pb::AuditEvent> {
    admin.list_audit_events(request).await.unwrap().events
}

/// Kind, outcome, actor and target of each event about a user, oldest first.
async fn told(admin: &User, user: &User) -> Vec<(Kind, Outcome, String)> {
    let request = pb::ListAuditEventsRequest {
        target: user.id.to_string(),
        ..Default::default()
    };
    let mut events = list(admin, request).await;
    events.reverse();
    events
        .into_iter()
        .map(|event| (event.kind(), event.outcome(), event.actor))
        .collect()
}

#[tokio::test]
async fn everything_that_happens_to_an_account_is_written_down() {
    let house = House::start().await;
    let admin = house.admin().await;
    let mut user = house.user().await;
    let tick = || house.advance(1);

    tick();
    house.nobody.login(&user.email, "wrong").await.map(drop).unwrap_err();
    tick();
    house.nobody.login(&user.email, PASSWORD).await.unwrap().log_out().await;
    tick();
    user.change("wrong", "a quite different sentence")
        .await
        .map(drop)
        .unwrap_err();
    tick();
    user = user.change(PASSWORD, "a quite different sentence").await.unwrap();
    tick();
    user.logout_everywhere(pb::LogoutEverywhereRequest {}).await.unwrap();
    for (roles, on) in [
        ("admin", true),
        ("admin", false),
        ("disabled", true),
        ("disabled", false),
    ] {
        tick();
        let given = |name| (roles == name).then_some(on);
        admin.set(user.id, given("admin"), given("disabled")).await.unwrap();
    }
    tick();
    admin
        .delete_user(pb::DeleteUserRequest {
            id: user.id.to_string(),
        })
        .await
        .unwrap();

    let (done, refused) = (Outcome::Success, Outcome::Failure);
    let (itself, other) = (user.id.to_string(), admin.id.to_string());
    let expected = [
        (Kind::Registration, done, &itself),
        (Kind::Login, refused, &String::new()),
        (Kind::Login, done, &itself),
        (Kind::Logout, done, &itself),
        (Kind::PasswordChange, refused, &itself),
        (Kind::PasswordChange, done, &itself),
        (Kind::LogoutEverywhere, done, &itself),
        (Kind::RoleChange, done, &other),
        (Kind::RoleChange, done, &other),
        (Kind::Disable, done, &other),
        (Kind::Enable, done, &other),
        (Kind::Deletion, done, &other),
    ];
    let mut told = told(&admin, &user).await;
    // Login and logout happened in the same instant.
    told[2..4].sort_by_key(|event| event.0 as i32);
    assert_eq!(
        told,
        expected.map(|(kind, outcome, actor)| (kind, outcome, actor.clone()))
    );
}

#[tokio::test]
async fn an_event_tells_the_request_and_the_client() {
    let house = House::start().await;
    let admin = house.admin().await;
    let login = pb::LoginRequest {
        email: admin.email.clone(),
        password: PASSWORD.to_owned(),
    };
    let mut request = Request::new(login);
    request.metadata_mut().insert("x-request-id", "job-7".parse().unwrap());
    request
        .metadata_mut()
        .insert("x-forwarded-for", "203.0.113.9".parse().unwrap());

    house.advance(1);
    house.nobody.auth.clone().login(request).await.unwrap();

    let event = list(
        &admin,
        pb::ListAuditEventsRequest {
            page_size: 1,
            ..Default::default()
        },
    )
    .await
    .remove(0);
    assert_eq!(
        (event.request_id.as_str(), event.client.as_str()),
        ("job-7", "203.0.113.9")
    );
    assert_eq!(event.at.unwrap().seconds, house.seconds());
    assert_eq!(event.target, admin.id.to_string());
}

#[tokio::test]
async fn events_are_filtered_and_paged() {
    let house = House::start().await;
    let admin = house.admin().await;
    for _ in 0..5 {
        house.advance(1);
        house.user().await;
    }
    let registrations = pb::ListAuditEventsRequest {
        kind: Kind::Registration.into(),
        page_size: 4,
        ..Default::default()
    };

    let first = admin.list_audit_events(registrations.clone()).await.unwrap();
    let next = pb::ListAuditEventsRequest {
        page_token: first.next_page_token.clone(),
        ..registrations.clone()
    };
    let second = admin.list_audit_events(next.clone()).await.unwrap();

    assert_eq!(
        (first.events.len(), second.events.len(), second.next_page_token.as_str()),
        (4, 2, "")
    );
    assert!(
        first
            .events
            .iter()
            .chain(&second.events)
            .all(|event| event.kind() == Kind::Registration)
    );
    let other_query = pb::ListAuditEventsRequest {
        kind: Kind::Login.into(),
        ..next
    };
    assert_eq!(
        fields(&admin.list_audit_events(other_query).await.unwrap_err()),
        ["page_token"]
    );
    let bad = pb::ListAuditEventsRequest {
        page_size: -1,
        kind: 99,
        since: Some(prost_types::Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        }),
        ..Default::default()
    };
    assert_eq!(
        fields(&admin.list_audit_events(bad).await.unwrap_err()),
        ["kind", "since", "page_size"]
    );
    let since = pb::ListAuditEventsRequest {
        since: Some(prost_types::Timestamp {
            seconds: house.seconds(),
            nanos: 0,
        }),
        until: Some(prost_types::Timestamp {
            seconds: house.seconds() + 1,
            nanos: 0,
        }),
        ..Default::default()
    };
    let last_second = list(&admin, since).await;
    assert!(
        !last_second.is_empty()
            && last_second
                .iter()
                .all(|event| event.at.unwrap().seconds >= house.seconds() - 1)
    );
}

#[tokio::test]
async fn events_go_when_their_retention_is_over() {
    let (database, clock) = (TestDatabase::sqlite().await, FixedClock::now_standing_still());
    let mut config = config(database.url(), &clock, &["--auth-audit-retention=90d"]);
    config.sweep_every = Duration::from_millis(5);
    let house = House::of(database, clock, config).await;
    let old = house.user().await;
    let kept = async |user: &User| {
        let filter = AuditFilter {
            target: Some(user.id.to_string()),
            ..AuditFilter::default()
        };
        house.store().audit_events(&filter, None, 10).await.unwrap().len()
    };
    house.advance(1);
    let new = house.user().await;

    house.advance(90 * 86_400 - 1);
    swept(&house).await;
    assert_eq!((kept(&old).await, kept(&new).await), (1, 1), "when it is just as old");

    house.advance(1);
    swept(&house).await;
    assert_eq!((kept(&old).await, kept(&new).await), (0, 1), "a second later");
}

/// Waits until the house has looked, from now on, for all that is over. An event from long ago tells when; where it goes
/// with a look that had begun already, the next one does not.
async fn swept(house: &House) {
    let long_ago = AuditFilter {
        until: Some(DateTime::UNIX_EPOCH + Duration::from_secs(1)),
        ..AuditFilter::default()
    };
    for _ in 0..2 {
        let event = Origin::operator().success(Kind::Login, "", DateTime::UNIX_EPOCH);
        house.store().write(&[Entry::Audit(event)]).await.unwrap();
        let gone = async {
            while !house.store().audit_events(&long_ago, None, 1).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), gone)
            .await
            .expect("nothing is deleted");
    }
}

#[tokio::test]
async fn no_event_holds_an_address_a_password_or_a_token() {
    let house = House::start().await;
    let admin = house.admin().await;
    let user = house.user().await;
    house
        .nobody
        .login("typed-into-the-wrong-field", PASSWORD)
        .await
        .map(drop)
        .unwrap_err();
    user.log_out().await;

    let events = list(
        &admin,
        pb::ListAuditEventsRequest {
            page_size: 1_000,
            ..Default::default()
        },
    )
    .await;

    let text = format!("{events:?}");
    assert!(events.len() >= 6);
    for secret in [PASSWORD, &user.token.access_token, &user.email, "typed-into", "argon2"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
