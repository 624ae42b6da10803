//! The binary, as an operator has it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
};

use proto::auth::v1 as pb;
use serde_json::Value;
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::{
    actors::{Anonymous, User},
    house::{KEY_SECRET, PASSWORD, SERVICE_TOKEN},
    replies::refused,
};

const NEW: &str = "a quite different sentence";

/// A folder with a database, and the command lines that are run on it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auth-service"));
        command
            .args(arguments)
            .env_clear()
            .env(
                "AUTH_DATABASE_URL",
                format!("sqlite://{}/auth.db", self.0.path().display()),
            )
            .env("AUTH_KEY_SECRET", KEY_SECRET)
            .env("SERVICE_TOKEN", SERVICE_TOKEN)
            .env("AUTH_LISTEN", "127.0.0.1:0")
            .env("AUTH_OPS_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command with something to read.
    fn run(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self.command(arguments).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    fn serve(&self, log: &str) -> Serving {
        let mut child = self.command(&[]).env("RUST_LOG", log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let addr = line
            .trim()
            .strip_prefix("auth grpc://")
            .unwrap_or_else(|| panic!("{line}"));
        let mut pipe = child.stderr.take().unwrap();
        Serving {
            addr: addr.parse().unwrap(),
            child,
            // Read all along: a full pipe would stop the service.
            log: Some(std::thread::spawn(move || {
                let mut log = String::new();
                pipe.read_to_string(&mut log).unwrap();
                log
            })),
        }
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

struct Serving {
    addr: SocketAddr,
    child: Child,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Serving {
    async fn client(&self) -> Anonymous {
        let channel = Channel::from_shared(format!("http://{}", self.addr)).unwrap();
        Anonymous::on(channel.connect().await.unwrap())
    }

    /// Sends a signal, and gives back what was logged.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let log = self.log.take().unwrap().join().unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[tokio::test]
async fn an_operator_makes_an_administrator_and_sets_its_password() {
    let place = Place::new();
    let made = place.run(
        &["create-admin", "--email", "root@example.com"],
        &format!("{PASSWORD}\n"),
    );
    assert_eq!(made.code, Some(0), "{}", made.err);
    let again = place.run(
        &["create-admin", "--email", "Root@Example.com"],
        &format!("{PASSWORD}\n"),
    );
    assert_eq!(again.code, Some(1));
    assert!(
        again.err.contains("registered already") && again.err.contains("set-password"),
        "{}",
        again.err
    );

    let serving = place.serve("info");
    let admin = serving
        .client()
        .await
        .login("root@example.com", PASSWORD)
        .await
        .unwrap();
    assert!(admin.current().await.unwrap().admin);
    let set = place.run(&["set-password", "--email", "root@example.com"], &format!("{NEW}\r\n"));
    assert_eq!(set.code, Some(0), "{}", set.err);

    admin.is_out().await;
    serving
        .client()
        .await
        .login("root@example.com", PASSWORD)
        .await
        .map(drop)
        .unwrap_err();
    serving
        .client()
        .await
        .login("root@example.com", NEW)
        .await
        .unwrap()
        .is_in()
        .await;
    assert_eq!(serving.stop("-TERM").0, Some(0));
}

#[test]
fn commands_refuse_what_they_cannot_use() {
    let place = Place::new();
    let rows = [
        (place.run(&["create-admin", "--email", "nobody"], ""), 64, "--email"),
        (
            place.run(&["create-admin", "--email", "a@example.com"], "short\n"),
            1,
            "at least 15 characters",
        ),
        (
            place.run(&["create-admin", "--email", "a@example.com"], ""),
            1,
            "must be given",
        ),
        (
            place.run(&["set-password", "--email", "a@example.com"], PASSWORD),
            1,
            "is not registered",
        ),
        (
            place.run(&["keys", "retire", "nobody's"], ""),
            1,
            "no signing key nobody's",
        ),
        // Ids are base64url: one of 64 begins so.
        (place.run(&["keys", "retire", "-qXgmp"], ""), 1, "no signing key -qXgmp"),
        (
            place.run(&["keys", "retire", "--qXgmp"], ""),
            1,
            "no signing key --qXgmp",
        ),
        (place.run(&["--auth-token-ttl", "2d"], ""), 64, "AUTH_TOKEN_TTL"),
        (place.run(&["migrate", "sideways"], ""), 64, "sideways"),
    ];
    for (ran, code, said) in rows {
        assert_eq!(ran.code, Some(code), "{}", ran.err);
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
}

#[tokio::test]
async fn keys_are_rotated_and_retired_by_command_while_the_service_runs() {
    let place = Place::new();
    let serving = place.serve("info");
    let user = serving.client().await.register("ada@example.com").await.unwrap();
    let listed = place.run(&["keys", "list"], "").out;
    let first = listed.split_whitespace().next().unwrap().to_owned();
    assert_eq!(listed.split_whitespace().nth(1), Some("signs"));

    assert_eq!(place.run(&["keys", "retire", &first], "").code, Some(1), "the only key");
    let rotated = place.run(&["keys", "rotate", "--now"], "");
    assert_eq!(rotated.code, Some(0), "{}", rotated.err);
    user.is_in().await;
    assert_eq!(place.run(&["keys", "retire", &first], "").code, Some(0));
    user.is_out().await;
    assert_eq!(place.run(&["recover"], "").code, Some(0));

    let states: Vec<String> = place
        .run(&["keys", "list"], "")
        .out
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        states.iter().filter(|line| line.contains(" retired ")).count(),
        2,
        "{states:?}"
    );
    assert_eq!(
        states.iter().filter(|line| line.contains(" signs ")).count(),
        1,
        "{states:?}"
    );
    serving
        .client()
        .await
        .login("ada@example.com", PASSWORD)
        .await
        .unwrap()
        .is_in()
        .await;
}

#[test]
fn the_schema_goes_up_and_down_by_command() {
    let place = Place::new();
    assert_eq!(place.run(&["migrate", "status"], "").out.matches("pending").count(), 4);
    assert_eq!(place.run(&["migrate", "up"], "").out.lines().count(), 4);
    assert_eq!(place.run(&["migrate", "down"], "").out.trim(), "taken back: 4");
    assert_eq!(place.run(&["migrate", "down", "--to", "0"], "").out.lines().count(), 3);
    assert_eq!(place.run(&["migrate", "status"], "").out.matches("pending").count(), 4);
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let place = Place::new();
    let serving = place.serve("info");
    let nobody = serving.client().await;
    let user = nobody.register("ada@example.com").await.unwrap();
    let out = nobody.login("ada@example.com", PASSWORD).await.unwrap();
    out.log_out().await;
    serving.stop("-KILL");

    let again = place.serve("info").into_client().await;

    User {
        client: again.1.clone(),
        ..out
    }
    .is_out()
    .await;
    User {
        client: again.1.clone(),
        ..user
    }
    .is_in()
    .await;
}

impl Serving {
    async fn into_client(self) -> (Self, Anonymous) {
        let client = self.client().await;
        (self, client)
    }
}

#[tokio::test]
async fn every_event_of_the_table_is_a_line_in_the_log_and_so_is_every_denied_call() {
    let place = Place::new();
    place.run(
        &["create-admin", "--email", "root@example.com"],
        &format!("{PASSWORD}\n"),
    );
    let serving = place.serve("info");
    let nobody = serving.client().await.from("203.0.113.9");
    let admin = nobody.login("root@example.com", PASSWORD).await.unwrap();
    let user = nobody.register("ada@example.com").await.unwrap();
    nobody.login("ada@example.com", NEW).await.map(drop).unwrap_err();
    user.change("wrong", NEW).await.map(drop).unwrap_err();
    let changed = user.change(PASSWORD, NEW).await.unwrap();
    admin.set(user.id, Some(true), Some(true)).await.unwrap();
    let (list, everybody) = ("/auth.v1.AuthService/ListUsers", pb::ListUsersRequest::default());
    changed.list_users(everybody).await.unwrap_err();
    nobody.call(list, None).await.unwrap_err();
    let asked = pb::ListAuditEventsRequest {
        page_size: 1_000,
        ..Default::default()
    };
    let mut events = admin.list_audit_events(asked).await.unwrap().events;

    let (_, log) = serving.stop("-TERM");

    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let (denied, told): (Vec<_>, Vec<_>) = lines
        .filter(|line| line["target"] == "audit")
        .partition(|line| line["kind"] == "DENIED_CALL");
    // The command line has a log of its own.
    events.retain(|event| event.actor != "operator");
    assert!(events.len() >= 7, "{events:?}");
    for event in events {
        let lines: Vec<_> = told.iter().filter(|line| line["id"] == event.id.as_str()).collect();
        let [line] = lines[..] else {
            panic!("{event:?}: {lines:?}");
        };
        let said = ["kind", "outcome", "actor", "target_id", "client", "request_id"].map(|name| &line[name]);
        let (kind, outcome) = (event.kind().as_str_name(), event.outcome().as_str_name());
        assert_eq!(
            said,
            [
                kind,
                outcome,
                &event.actor,
                &event.target,
                &event.client,
                &event.request_id
            ]
        );
        assert_eq!(event.client.is_empty(), kind == "KEY_ROTATION");
    }
    let reasons: Vec<_> = denied.iter().map(|line| line["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["TOKEN_REVOKED", "TOKEN_MISSING"]);
    assert_eq!(denied[0]["actor"], user.id.to_string());
    for line in denied {
        assert_eq!([&line["target_id"], &line["peer"]], [list, "127.0.0.1"]);
        assert!(line["forwarded_for"].as_str().unwrap().contains("203.0.113.9"));
        assert!(!line["span"]["request_id"].as_str().unwrap().is_empty() && line["timestamp"].is_string());
    }
}

#[tokio::test]
async fn not_even_the_most_talkative_log_holds_a_secret() {
    let place = Place::new();
    let serving = place.serve("trace");
    let nobody = serving.client().await;
    let user = nobody.register("ada@example.com").await.unwrap();
    nobody
        .login("ada@example.com", "a wrong password, typed")
        .await
        .map(drop)
        .unwrap_err();
    nobody
        .register_with("bob@example.com", "a short one")
        .await
        .map(drop)
        .unwrap_err();
    let refusal = user.change("a wrong current one", NEW).await.map(drop).unwrap_err();
    assert_eq!(refused(&refusal).1, "BAD_CREDENTIALS");
    let user = user.change(PASSWORD, NEW).await.unwrap();
    nobody.introspect(&user.token.access_token).await.unwrap();
    nobody.sync(0, 0).await.unwrap();
    user.log_out().await;
    let hashes = std::fs::read(place.0.path().join("auth.db")).map(|file| {
        let text = String::from_utf8_lossy(&file).into_owned();
        text.match_indices("$argon2id$")
            .map(|(at, _)| text[at + 30..at + 60].to_owned())
            .collect::<Vec<_>>()
    });

    let (_, log) = serving.stop("-TERM");

    assert!(log.contains("LOGIN") && log.contains("audit"), "{log}");
    let signature = user.token.access_token.rsplit('.').next().unwrap();
    for secret in [
        PASSWORD,
        NEW,
        "a wrong password",
        "a short one",
        "a wrong current one",
        signature,
        KEY_SECRET,
        SERVICE_TOKEN,
    ] {
        assert!(!log.contains(secret), "the log holds {secret:?}");
    }
    assert!(!log.contains("$argon2id$"));
    for hash in hashes.unwrap() {
        assert!(!log.contains(&hash));
    }
}
