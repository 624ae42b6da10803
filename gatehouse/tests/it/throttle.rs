//! How a client that guesses is told to wait.

use http::StatusCode;
use serde_json::json;

use crate::house::{Reply, TestHouse};

async fn login(house: &TestHouse, password: &str) -> Reply {
    let body = json!({"email": "ada@example.com", "password": password}).to_string();
    house.send("POST", "/api/v1/auth/login", &[], &body).await
}

fn quota(reply: &Reply) -> [&str; 2] {
    ["ratelimit-policy", "ratelimit"].map(|name| reply.headers[name].to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_login_tells_its_quota_and_when_to_try_again() {
    let house = TestHouse::start().await;
    house.user("ada@example.com").await;
    for failed in 1..=5 {
        let refused = login(&house, "wrong").await;
        assert_eq!(
            (refused.status, refused.reason()),
            (StatusCode::UNAUTHORIZED, "BAD_CREDENTIALS")
        );
        let [policy, left] = quota(&refused);
        assert_eq!(policy, r#""network";q=50;w=600"#);
        assert!(
            left.starts_with(&format!(r#""network";r={};t="#, 50 - failed)),
            "{left}"
        );
    }

    // The sixth comes within the second that it would have to wait, unless the machine slept: then the tenth does.
    let mut throttled = login(&house, "correct horse battery staple").await;
    for _ in 0..4 {
        if throttled.status == StatusCode::UNAUTHORIZED || throttled.status == StatusCode::OK {
            throttled = login(&house, "wrong").await;
        }
    }

    assert_eq!(
        (throttled.status, throttled.reason()),
        (StatusCode::TOO_MANY_REQUESTS, "THROTTLED")
    );
    let wait: u64 = throttled.headers["retry-after"].to_str().unwrap().parse().unwrap();
    let [policy, left] = quota(&throttled);
    assert!(policy.starts_with(r#""account";q=1;w="#), "{policy}");
    assert_eq!(left, format!(r#""account";r=0;t={wait}"#));
}
