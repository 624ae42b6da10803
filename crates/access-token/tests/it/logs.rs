//! What the log says, and what it never says.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use access_token::{ServiceTokens, mint::SigningKey};
use tonic::Code;
use tracing_subscriber::fmt::MakeWriter;

use crate::kit::{House, NOW, SERVICE_TOKEN, bearer, send, settle};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Listens to this thread's events.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(self.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_call_is_one_audit_line_with_who_what_and_why_and_no_token() {
    let log = Log::default();
    let _listening = log.listen();
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
    for part in [path, "denied_call", "ADMIN_REQUIRED", &claims.user_id.to_string()] {
        assert!(lines[0].contains(part), "{part} is missing in {}", lines[0]);
    }
    for part in token.split('.') {
        assert!(!text.contains(part), "the log holds a part of the token");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_service_token_is_logged_as_what_it_is_once_and_so_is_the_recovery() {
    let log = Log::default();
    let _listening = log.listen();
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
    let log = Log::default();
    let _listening = log.listen();
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
