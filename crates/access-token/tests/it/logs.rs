//! What the log says, and what it never says.

use std::{
    cell::RefCell,
    io::{self, Write},
    sync::Once,
};

use access_token::{ServiceTokens, mint::SigningKey};
use tonic::Code;

use crate::kit::{House, NOW, SERVICE_TOKEN, bearer, send, settle};

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What this thread logs: each test has a thread of its own, and all share the one subscriber of the process.
struct Log;

impl Log {
    fn listen() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| tracing_subscriber::fmt().with_writer(|| Log).with_ansi(false).init());
        LINES.take();
        Self
    }

    fn text(&self) -> String {
        LINES.with_borrow(|lines| String::from_utf8(lines.clone()).unwrap())
    }
}

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_call_is_one_audit_line_with_who_what_and_why_and_no_token() {
    let log = Log::listen();
    let mut house = House::ready().await;
    house.answer_forever(house.mint.sync_response());
    let claims = house.mint.claims(NOW);
    let token = house.mint.sign(&claims);

    let path = "/widget.v1.WidgetService/CreateWidget";
    assert_eq!(
        send(&house.layer(), path, &bearer(&token)).await.status.code(),
        Code::PermissionDenied
    );

    let text = log.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("audit")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    for part in [
        path,
        "DENIED_CALL",
        "FAILURE",
        "ADMIN_REQUIRED",
        &claims.user_id.to_string(),
    ] {
        assert!(lines[0].contains(part), "{part} is missing in {}", lines[0]);
    }
    for part in token.split('.') {
        assert!(!text.contains(part), "the log holds a part of the token");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_service_token_is_logged_as_what_it_is_once_and_so_is_the_recovery() {
    let log = Log::listen();
    let mut house = House::new();
    house.call().await.fail(Code::Unauthenticated);
    for _ in 0..5 {
        house.next_call().await.fail(Code::Unauthenticated);
    }
    house.next_call().await.answer(house.mint.sync_response());
    settle().await;

    let text = log.text();
    assert_eq!(text.matches("SERVICE_TOKEN was refused").count(), 1, "{text}");
    assert_eq!(text.matches("current again").count(), 1, "{text}");
}

#[tokio::test(start_paused = true)]
async fn lost_history_names_the_command_that_helps() {
    let log = Log::listen();
    let mut house = House::ready().await;
    let mut lost = house.mint.sync_response();
    lost.history_lost = true;
    house.next_call().await.answer(lost);
    settle().await;
    assert!(log.text().contains("auth-service recover"), "{}", log.text());
}

#[test]
fn debug_shows_no_secret() {
    let key = SigningKey::from_seed(&[0x41; 32]).unwrap();
    let shown = format!("{key:?} {:?}", ServiceTokens::new([SERVICE_TOKEN]));
    assert!(
        !shown.contains("65, 65") && !shown.contains("AAAA") && !shown.contains("4141"),
        "{shown}"
    );
    assert!(!shown.contains(SERVICE_TOKEN), "{shown}");
}
