//! Guessing is slowed down, and nobody is locked out.

use std::time::Duration;

use proto::auth::v1 as pb;
use test_kit::TestDatabase;
use tonic::{Code, Status};

use crate::house::{Anonymous, House, PASSWORD, fresh_email, quota, refusal, said, wait};

const WRONG: &str = "certainly not the password";

async fn fail(client: &Anonymous, email: &str, times: usize) {
    for _ in 0..times {
        let outcome = client.login(email, WRONG).await;
        assert_eq!(refusal(outcome), said(Code::Unauthenticated, "BAD_CREDENTIALS"));
    }
}

async fn throttled(client: &Anonymous, email: &str, password: &str) -> Duration {
    let status = client.login(email, password).await.map(drop).unwrap_err();
    let seconds = wait(&status);
    assert_eq!(refusal::<()>(Err(status)), said(Code::ResourceExhausted, "THROTTLED"));
    seconds
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[tokio::test]
async fn after_five_failures_the_wait_doubles_and_a_success_ends_it() {
    let house = House::start().await;
    let email = house.user().await.email;
    fail(&house.nobody, &email, 5).await;

    for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(throttled(&house.nobody, &email, PASSWORD).await, seconds(expected));
        house.advance(expected - 1);
        assert_eq!(throttled(&house.nobody, &email, PASSWORD).await, seconds(1));
        house.advance(1);
        fail(&house.nobody, &email, 1).await;
    }
    house.advance(60);
    house.nobody.login(&email, PASSWORD).await.unwrap();
    fail(&house.nobody, &email, 5).await;
    assert_eq!(throttled(&house.nobody, &email, WRONG).await, seconds(1));
}

#[tokio::test]
async fn refused_attempts_do_not_count() {
    let house = House::start().await;
    let email = house.user().await.email;
    fail(&house.nobody, &email, 5).await;

    for _ in 0..20 {
        throttled(&house.nobody, &email, WRONG).await;
    }

    house.advance(1);
    house.nobody.login(&email, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn unknown_addresses_are_throttled_exactly_alike() {
    let house = House::start().await;
    let known = house.user().await.email;
    let answers = async |email: &str, client: &Anonymous| -> Vec<(Code, String, Vec<u8>, String)> {
        let mut answers = Vec::new();
        for _ in 0..8 {
            let status = client.login(email, WRONG).await.map(drop).unwrap_err();
            let told = quota(status.metadata()).concat();
            answers.push((
                status.code(),
                status.message().to_owned(),
                status.details().to_vec(),
                told,
            ));
        }
        answers
    };

    let of_known = answers(&known, &house.nobody.from("10.1.1.1")).await;
    let of_unknown = answers(&fresh_email(), &house.nobody.from("10.2.2.2")).await;
    let of_no_address = answers("no address", &house.nobody.from("10.3.3.3")).await;

    assert_eq!(of_known, of_unknown);
    assert_eq!(of_known, of_no_address);
}

#[tokio::test]
async fn another_network_and_another_account_are_not_concerned() {
    let house = House::start().await;
    let (email, other) = (house.user().await.email, house.user().await.email);
    let here = house.nobody.from("203.0.113.7");
    fail(&here, &email, 5).await;

    throttled(&house.nobody.from("203.0.113.250"), &email, PASSWORD).await;
    house.nobody.from("203.0.114.7").login(&email, PASSWORD).await.unwrap();
    here.login(&other, PASSWORD).await.unwrap();
    throttled(&here, &email.to_uppercase(), PASSWORD).await;
}

#[tokio::test]
async fn an_ipv6_network_is_a_64() {
    let house = House::start().await;
    let email = house.user().await.email;
    fail(&house.nobody.from("2001:db8:1:2::1"), &email, 5).await;

    throttled(&house.nobody.from("2001:db8:1:2:ffff::1"), &email, PASSWORD).await;
    house
        .nobody
        .from("2001:db8:1:3::1")
        .login(&email, PASSWORD)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_forwarded_address_from_an_untrusted_peer_is_ignored() {
    let house = House::with(&["--auth-trusted-proxies=192.0.2.0/24"]).await;
    let email = house.user().await.email;
    for n in 0..5 {
        fail(&house.nobody.from(&format!("10.0.{n}.1")), &email, 1).await;
    }

    throttled(&house.nobody.from("10.0.9.1"), &email, PASSWORD).await;
}

#[tokio::test]
async fn one_network_has_fifty_failures_in_ten_minutes() {
    let house = House::start().await;
    let email = house.user().await.email;
    let here = house.nobody.from("203.0.113.7");
    for _ in 0..50 {
        fail(&here, &fresh_email(), 1).await;
        house.advance(1);
    }

    assert_eq!(throttled(&here, &email, PASSWORD).await, seconds(550));
    house.nobody.from("203.0.114.7").login(&email, PASSWORD).await.unwrap();
    house.advance(550);
    here.login(&email, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn after_a_hundred_failures_from_anywhere_only_known_networks_are_not_slowed_down() {
    let house = House::start().await;
    let email = house.user().await.email;
    let home = house.nobody.from("198.51.100.7");
    home.login(&email, PASSWORD).await.unwrap();
    for n in 0..100 {
        fail(&house.nobody.from(&format!("10.{n}.0.1")), &email, 1).await;
    }

    let stranger = house.nobody.from("192.0.2.9");
    assert_eq!(throttled(&stranger, &email, PASSWORD).await, seconds(60));
    house.advance(60);
    fail(&stranger, &email, 1).await;
    throttled(&house.nobody.from("192.0.77.9"), &email, PASSWORD).await;
    home.login(&email, PASSWORD).await.unwrap();
    stranger.login(&email, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_network_is_known_for_thirty_days() {
    let house = House::start().await;
    let email = house.user().await.email;
    let home = house.nobody.from("198.51.100.7");
    home.login(&email, PASSWORD).await.unwrap();
    house.advance(30 * 86_400);
    for n in 0..100 {
        fail(&house.nobody.from(&format!("10.{n}.0.1")), &email, 1).await;
    }

    assert_eq!(throttled(&home, &email, PASSWORD).await, seconds(60));
}

#[tokio::test]
async fn of_guesses_at_once_one_is_let_through_when_the_wait_is_over() {
    let house = House::start().await;
    let email = house.user().await.email;
    fail(&house.nobody, &email, 5).await;
    house.advance(1);

    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (client, email) = (house.nobody.clone(), email.clone());
        guesses.spawn(async move { refusal(client.login(&email, WRONG).await).1 });
    }

    let answers = guesses.join_all().await;
    assert_eq!(answers.iter().filter(|reason| *reason == "BAD_CREDENTIALS").count(), 1);
}

test_kit::on_every_engine! {
    async fn failures_are_shared_by_replicas(database: TestDatabase) {
        let house = House::on(database, &[]).await;
        let email = house.user().await.email;
        let another = house.another(&[]).await;
        let other = another.client().await;
        fail(&house.nobody, &email, 3).await;
        fail(&other, &email, 2).await;

        throttled(&house.nobody, &email, PASSWORD).await;
        throttled(&other, &email, PASSWORD).await;
        house.advance(1);
        other.login(&email, PASSWORD).await.unwrap();
        fail(&house.nobody, &email, 5).await;
    }
}

#[tokio::test]
async fn wrong_current_passwords_are_throttled_with_logins() {
    let house = House::start().await;
    let user = house.user().await;
    let delete = async || -> Status {
        let request = pb::DeleteCurrentUserRequest {
            password: WRONG.to_owned(),
        };
        user.delete_current_user(request).await.unwrap_err()
    };
    for _ in 0..2 {
        assert_eq!(
            refusal(user.change(WRONG, "a quite different sentence").await).0,
            Code::PermissionDenied
        );
        assert_eq!(delete().await.code(), Code::PermissionDenied);
    }
    fail(&house.nobody, &user.email, 1).await;

    let outcome = user.change(PASSWORD, "a quite different sentence").await;
    assert_eq!(refusal(outcome), said(Code::ResourceExhausted, "THROTTLED"));
    assert_eq!(wait(&delete().await), seconds(1));
    throttled(&house.nobody, &user.email, PASSWORD).await;
    house.advance(1);
    user.change(PASSWORD, "a quite different sentence").await.unwrap();
}

#[tokio::test]
async fn registrations_of_one_network_are_counted() {
    let house = House::with(&["--auth-registration-limit=3"]).await;
    let here = house.nobody.from("203.0.113.7");
    for _ in 0..3 {
        here.register(&fresh_email()).await.unwrap();
    }

    let status = here.register(&fresh_email()).await.map(drop).unwrap_err();

    assert_eq!(wait(&status), seconds(600));
    assert_eq!(refusal::<()>(Err(status)), said(Code::ResourceExhausted, "THROTTLED"));
    house.nobody.from("203.0.114.7").register(&fresh_email()).await.unwrap();
    house.advance(600);
    here.register(&fresh_email()).await.unwrap();
}

#[tokio::test]
async fn nothing_in_the_throttles_tables_tells_whose_it_is() {
    let house = House::start().await;
    let email = house.user().await.email;
    fail(&house.nobody, &email, 1).await;

    let sql = "SELECT key FROM login_failures UNION ALL SELECT key FROM known_networks";
    let rows = house.database.database().fetch_all(sql, vec![]).await.unwrap();

    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.get::<Vec<u8>>("key").unwrap().len() == 32));
}

#[tokio::test]
async fn logins_tell_what_their_network_has_left() {
    let house = House::start().await;
    let email = house.user().await.email;
    let here = house.nobody.from("203.0.113.7");

    let refused = here.login(&email, WRONG).await.map(drop).unwrap_err();
    house.advance(10);
    let neighbour = house.nobody.from("203.0.113.8");
    let let_in = neighbour.login_answer(&email, PASSWORD).await.unwrap();

    assert_eq!(
        quota(refused.metadata()),
        [r#""network";q=50;w=600"#, r#""network";r=49;t=600"#]
    );
    assert_eq!(
        quota(let_in.metadata()),
        [r#""network";q=50;w=600"#, r#""network";r=49;t=590"#]
    );
}

#[tokio::test]
async fn a_throttled_attempt_tells_which_quota_is_used_up() {
    let house = House::with(&["--auth-registration-limit=1"]).await;
    let here = house.nobody.from("203.0.113.7");
    let user = here.register(&fresh_email()).await.unwrap();
    let told = async |attempt: Result<(), Status>| quota(attempt.unwrap_err().metadata()).map(str::to_owned);

    let registration = told(here.register(&fresh_email()).await.map(drop)).await;
    fail(&here, &user.email, 5).await;
    house.advance(1);
    fail(&here, &user.email, 1).await;
    let account = told(here.login(&user.email, PASSWORD).await.map(drop)).await;
    let change = told(user.change(PASSWORD, "a quite different sentence").await.map(drop)).await;
    for _ in 0..44 {
        fail(&here, &fresh_email(), 1).await;
    }
    let network = told(here.login(&fresh_email(), PASSWORD).await.map(drop)).await;

    let said = |fields: [&str; 2]| fields.map(str::to_owned);
    assert_eq!(
        registration,
        said([r#""registrations";q=1;w=600"#, r#""registrations";r=0;t=600"#])
    );
    assert_eq!(account, said([r#""account";q=1;w=2"#, r#""account";r=0;t=2"#]));
    assert_eq!(change, account);
    assert_eq!(network, said([r#""network";q=50;w=600"#, r#""network";r=0;t=599"#]));
}
