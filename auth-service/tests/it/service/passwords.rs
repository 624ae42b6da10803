//! Passwords: what is taken, what is hashed, what a refusal tells.

use auth_service::passwords::HashParams;
use tokio::task::JoinSet;
use tonic::Code;

use crate::house::{CHEAP, House, PASSWORD, Replica, User, config, fields, fresh_email, quota, refusal, said, wait};

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

/// What was done so far: hashes, blocks that these filled, failures counted, events written.
async fn work(house: &House) -> [f64; 4] {
    let number = async |sql: &str| -> f64 {
        let row = house
            .database
            .database()
            .fetch_one(sql.to_owned(), vec![])
            .await
            .unwrap();
        row.get::<i64>("n").unwrap() as f64
    };
    [
        house.replica.metric("password_hashes_total").await,
        house.replica.metric("password_hash_blocks_total").await,
        number("SELECT coalesce(sum(failures), 0) AS n FROM login_failures").await,
        number("SELECT count(*) AS n FROM audit_events").await,
    ]
}

#[tokio::test]
async fn every_refused_login_says_the_same_after_the_same_work() {
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
        let before = work(&house).await;
        let client = house.nobody.from(&format!("10.1.{place}.1"));
        let status = client.login(email, password).await.map(drop).unwrap_err();
        let after = work(&house).await;
        let metadata = status.metadata();
        let challenge = metadata.get("www-authenticate").unwrap().to_str().unwrap().to_owned();
        assert_eq!(fields(&status), [""; 0]);
        answers.push((
            [0, 1, 2, 3].map(|place| after[place] - before[place]),
            status.code(),
            status.message().to_owned(),
            status.details().to_vec(),
            challenge,
            quota(metadata).map(str::to_owned),
        ));
    }

    let hash = f64::from(CHEAP.memory * CHEAP.passes);
    assert_eq!(
        (answers[0].0, answers[0].1),
        ([1.0, hash, 2.0, 1.0], Code::Unauthenticated)
    );
    assert_eq!(answers[0].4, r#"Bearer realm="gatehouse""#);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
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
    const REFUSED: usize = 100;
    let house = House::start().await;
    let user = house.user().await;
    // A hash takes long enough for everything else to happen meanwhile.
    let mut slow = config(house.database.url(), &house.clock, &["--auth-hash-queue=1"]);
    slow.hash = HashParams {
        memory: 65_536,
        passes: 8,
        lanes: 1,
    };
    let slow = Replica::start(slow).await;
    let nobody = slow.client().await;
    let cores = std::thread::available_parallelism().unwrap().get();
    let admitted = cores.saturating_sub(1).max(1) + 1;

    let mut logins = JoinSet::new();
    for n in 0..admitted + REFUSED {
        let client = nobody.from(&format!("10.{}.{}.1", n / 256, n % 256));
        logins.spawn(async move { client.login(&fresh_email(), PASSWORD).await.map(drop) });
    }
    for _ in 0..REFUSED {
        let status = logins.join_next().await.unwrap().unwrap().unwrap_err();
        assert_eq!(wait(&status).as_secs(), 1);
        assert_eq!(refusal::<()>(Err(status)), said(Code::ResourceExhausted, "OVERLOADED"));
    }
    User { client: nobody, ..user }.is_in().await;

    assert!(
        logins.try_join_next().is_none(),
        "a hash was done before the rest was answered"
    );
    assert_eq!(slow.metric("password_hash_queue").await, 1.0);
}
