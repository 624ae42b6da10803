//! Whether the time of a refused login tells why it was refused.

use std::time::{Duration, Instant};

use bench::{Outcome, house::House, load::middle, rest::Rest};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

const ROUNDS: usize = 50;
const PASSWORD: &str = "a password for measuring only";
const WRONG: &str = "certainly not the password that it is";

/// The throttle stays out of it honestly: every attempt comes from a network of its own, which the gateway is told by a
/// proxy that it trusts, and no account fails more than 50 times in a row, which is half of what it may.
pub(crate) async fn run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let house = House::start(folder.path(), &[("GATEWAY_TRUSTED_PROXIES", "127.0.0.0/8")]).await?;
    let rows = rows(&house).await?;
    let mut rest = Rest::connect(&house.rest).await?;

    let mut took = vec![Vec::new(); rows.len()];
    let mut said = Vec::new();
    for round in 0..ROUNDS {
        for place in 0..rows.len() {
            let row = (place + round) % rows.len();
            rest.forward_for(format!("10.{row}.{round}.1"));
            let began = Instant::now();
            let answer = rest
                .send(&Method::POST, "/api/v1/auth/login", None, rows[row].body.clone())
                .await?;
            took[row].push(began.elapsed());
            said.push(without_id(answer)?);
        }
    }
    house.stop().await?;

    if said.iter().any(|answer| answer != &said[0]) {
        return Err("refusals differ in what they say".into());
    }
    print(&rows, took);
    Ok(())
}

struct Row {
    name: &'static str,
    body: Bytes,
}

async fn rows(house: &House) -> Outcome<Vec<Row>> {
    for account in ["wrong", "control", "empty", "overlong", "disabled"] {
        house.register(&address(account), PASSWORD).await?;
    }
    disable(house, &address("disabled")).await?;
    let row = |name, account, password: &str| Row {
        name,
        body: json!({"email": address(account), "password": password})
            .to_string()
            .into(),
    };
    Ok(vec![
        row("wrong password", "wrong", WRONG),
        row("wrong password, again", "control", WRONG),
        row("unknown address", "unknown", WRONG),
        row("empty password", "empty", ""),
        row("overlong password", "overlong", &"x".repeat(2_000)),
        row("disabled account", "disabled", PASSWORD),
    ])
}

fn address(account: &str) -> String {
    format!("{account}@example.com")
}

async fn disable(house: &House, email: &str) -> Outcome<()> {
    let token = house.login(email, PASSWORD).await?;
    let mut rest = Rest::connect(&house.rest).await?;
    let user = rest
        .json(Method::GET, "/api/v1/auth/user", Some(&token), &Value::Null)
        .await?;
    let path = format!("/api/v1/users/{}", user["id"].as_str().ok_or("a user without an id")?);
    let admin = house.admin().await?;
    rest.json(Method::PATCH, &path, Some(&admin), &json!({"disabled": true}))
        .await?;
    Ok(())
}

fn without_id((status, body): (StatusCode, Bytes)) -> Outcome<(StatusCode, Value)> {
    let mut body: Value = serde_json::from_slice(&body)?;
    body["request_id"] = Value::Null;
    match status {
        StatusCode::UNAUTHORIZED => Ok((status, body)),
        _ => Err(format!("{status} {body}").into()),
    }
}

fn print(rows: &[Row], took: Vec<Vec<Duration>>) {
    println!("refused logins over REST, {ROUNDS} interleaved rounds, medians; the second row shows the noise");
    let medians: Vec<f64> = took.into_iter().map(|took| middle(took).as_secs_f64()).collect();
    for (row, median) in rows.iter().zip(&medians) {
        println!(
            "  {:<24} {:>7.3} ms   {:.3}",
            row.name,
            median * 1e3,
            median / medians[0]
        );
    }
}
