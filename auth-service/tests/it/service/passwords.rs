//! Passwords: what is taken, what is hashed, what a refusal tells.

use std::time::{Duration, Instant};

use auth_service::passwords::HashParams;
use test_kit::{FixedClock, TestDatabase};
use tokio::task::JoinSet;
use tonic::Code;

use crate::house::{CHEAP, House, PASSWORD, Replica, config, fields, fresh_email, refusal, said};

#[tokio::test]
async fn long_passwords_with_any_characters_are_taken_whole() {
    let house = House::start().await;
    for password in [
        &"x".repeat(64),
        "mit Leerzeichen und Ümlauten ",
        &"🦀".repeat(15),
        &"y".repeat(1024),
    ] {
        let email = fresh_email();
        house.nobody.register_with(&email, password).await.unwrap();

        house.nobody.login(&email, password).await.unwrap();
        let cut = &password[..password.char_indices().last().unwrap().0];
        let outcome = house.nobody.login(&email, cut).await;
        assert_eq!(
            refusal(outcome),
            said(Code::Unauthenticated, "BAD_CREDENTIALS"),
            "{cut}"
        );
    }
}

#[tokio::test]
async fn composed_and_decomposed_letters_are_one_password() {
    let house = House::start().await;
    let email = fresh_email();
    house
        .nobody
        .register_with(&email, "caf\u{E9} cr\u{E8}me, s'il vous pla\u{EE}t")
        .await
        .unwrap();

    house
        .nobody
        .login(&email, "cafe\u{301} cre\u{300}me, s'il vous plai\u{302}t")
        .await
        .unwrap();
}

#[tokio::test]
async fn bad_new_passwords_are_refused_before_anything_is_hashed() {
    let house = House::start().await;
    let hashed = house.replica.metric("password_hashes_total").await;
    let long = "x".repeat(1025);

    for bad in [
        "",
        "fourteen chars",
        &long,
        "with a nul \0 inside, long",
        "passwordpassword",
        "ada.lovelace@example.com",
    ] {
        let outcome = house.nobody.register_with("ada.lovelace@example.com", bad).await;
        assert_eq!(fields(&outcome.map(drop).unwrap_err()), ["password"], "{bad:?}");
    }

    assert_eq!(house.replica.metric("password_hashes_total").await, hashed);
}

#[tokio::test]
async fn every_refused_login_says_the_same_after_one_hash() {
    let house = House::start().await;
    let (admin, known, disabled) = (house.admin().await, house.user().await, house.user().await);
    admin.set(disabled.id, None, Some(true)).await.unwrap();
    let long = "x".repeat(100_000);
    let rows = [
        (known.email.as_str(), "a wrong password"),
        (&known.email, ""),
        (&known.email, &long),
        (&known.email, "nul \0"),
        (&disabled.email, PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("no address at all", PASSWORD),
        ("", ""),
        ("' OR 1=1 --\r\n\0", PASSWORD),
    ];

    let mut answers = Vec::new();
    for (place, (email, password)) in rows.into_iter().enumerate() {
        let before = house.replica.metric("password_hashes_total").await;
        let client = house.nobody.from(&format!("10.1.{place}.1"));
        let status = client.login(email, password).await.map(drop).unwrap_err();
        let hashes = house.replica.metric("password_hashes_total").await - before;
        let challenge = status
            .metadata()
            .get("www-authenticate")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        answers.push((
            hashes,
            status.code(),
            status.message().to_owned(),
            status.details().to_vec(),
            challenge,
        ));
        assert_eq!(fields(&status), [""; 0]);
    }

    assert_eq!((answers[0].0, answers[0].1), (1.0, Code::Unauthenticated));
    assert_eq!(answers[0].4, r#"Bearer realm="gatehouse""#);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn raised_parameters_rehash_once_at_login() {
    let old = House::start().await;
    let user = old.user().await;
    let stored = async || {
        old.store()
            .credentials_by_id(user.id)
            .await
            .unwrap()
            .unwrap()
            .password_hash
    };
    let before = stored().await;
    assert!(before.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));

    let mut dearer = config(old.database.url(), &old.clock, &[]);
    dearer.hash = HashParams { passes: 2, ..CHEAP };
    let new = Replica::start(dearer).await;
    let client = new.client().await;
    client
        .login(&user.email, "wrong, so nothing is rehashed")
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(stored().await, before);
    client.login(&user.email, PASSWORD).await.unwrap().is_in().await;

    let after = stored().await;
    assert!(after.as_str().starts_with("$argon2id$v=19$m=64,t=2,p=1$"));
    client.login(&user.email, PASSWORD).await.unwrap();
    old.nobody.login(&user.email, PASSWORD).await.unwrap();
    assert_eq!(stored().await, after);
    user.is_in().await;
}

#[tokio::test]
async fn past_the_queue_logins_are_refused_at_once_and_other_calls_go_on() {
    let house = House::with(&["--auth-hash-queue=1"]).await;
    let user = house.user().await;
    let mut logins = JoinSet::new();
    for n in 0..200 {
        let (client, email) = (house.nobody.from(&format!("10.{n}.0.1")), user.email.clone());
        logins.spawn(async move { client.login(&email, PASSWORD).await.map(drop) });
    }

    user.is_in().await;
    let outcomes = logins.join_all().await;

    let refused: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(!refused.is_empty());
    for status in refused {
        assert!(crate::house::wait(&status).as_secs() >= 1);
        assert_eq!(refusal::<()>(Err(status)), said(Code::ResourceExhausted, "OVERLOADED"));
    }
    assert_eq!(house.replica.metric("password_hash_queue").await, 0.0);
}

#[tokio::test]
#[ignore = "needs a quiet machine: cargo test -p auth-service -- --ignored"]
async fn every_refused_login_takes_the_same_time() {
    let (database, clock) = (TestDatabase::sqlite().await, FixedClock::now_standing_still());
    let mut config = config(database.url(), &clock, &[]);
    config.hash = HashParams::default();
    let house = House::of(database, clock, config).await;
    let (admin, known, disabled) = (house.admin().await, house.user().await, house.user().await);
    admin.set(disabled.id, None, Some(true)).await.unwrap();
    let long = "x".repeat(2_000);
    let rows = [
        (known.email.as_str(), "a wrong password, long enough"),
        ("nobody@example.com", "a wrong password, long enough"),
        (&known.email, ""),
        (&known.email, &long),
        (&disabled.email, PASSWORD),
    ];

    let mut times = vec![Vec::new(); rows.len()];
    for round in 0..50 {
        for (place, (email, password)) in rows.iter().enumerate() {
            let client = house.nobody.from(&format!("10.{place}.{round}.1"));
            let began = Instant::now();
            client.login(email, password).await.map(drop).unwrap_err();
            times[place].push(began.elapsed());
        }
        // Its failures end here, before they add up to a wait.
        house.nobody.login(&known.email, PASSWORD).await.unwrap();
    }

    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let medians: Vec<Duration> = times.into_iter().map(median).collect();
    for median in &medians {
        let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
        assert!((0.95..1.05).contains(&ratio), "{medians:?}");
    }
}
