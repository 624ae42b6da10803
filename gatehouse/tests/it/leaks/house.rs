//! The real binary with planted secrets, and all that it says.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::house::{Rest, roles, widget_ready};

pub const ADMIN_EMAIL: &str = "root@example.com";
pub const ADMIN_PASSWORD: &str = "planted-administrators-password";
pub const KEY_SECRET: &str = "planted-key-secret-of-thirty-two-bytes-and-more";
pub const SERVICE_TOKEN: &str = "planted-service-token-of-thirty-two-bytes-and-more";

/// The binary in a folder, with planted secrets and the most talkative log.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs([
            ("RUST_LOG", "trace"),
            ("AUTH_KEY_SECRET", KEY_SECRET),
            ("SERVICE_TOKEN", SERVICE_TOKEN),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for role in roles() {
        for listener in ["listen", "ops_listen"] {
            command.env(format!("{role}_{listener}").to_uppercase(), "127.0.0.1:0");
        }
    }
    command
}

/// Runs a command to its end, with something to read.
pub fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs a command that should refuse to start. One that starts is ended.
#[track_caller]
pub fn refused(command: &mut Command) -> Output {
    let mut child = command.env("RUST_LOG", "warn").spawn().unwrap();
    let mut line = String::new();
    // Whoever serves says where.
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    if !line.is_empty() {
        let _ = child.kill();
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(line, "", "it started");
    output
}

/// A running house.
pub struct PlantedHouse {
    child: Child,
    pub folder: TempDir,
    pub rest: Rest,
    pub auth: SocketAddr,
    ops: Vec<SocketAddr>,
    lines: Receiver<String>,
    log: String,
}

impl PlantedHouse {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command(folder.path(), &[])
            .env("AUTH_ADMIN_EMAIL", ADMIN_EMAIL)
            .env("AUTH_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .spawn()
            .unwrap();
        let lines = read(child.stderr.take().unwrap());
        let said: Vec<String> = read(child.stdout.take().unwrap())
            .iter()
            .take_while(|line| !line.starts_with("curl "))
            .collect();
        let at = |name: &str| -> SocketAddr {
            let address = said.iter().find_map(|line| line.strip_prefix(name));
            address
                .unwrap_or_else(|| panic!("{name}: {said:?}"))
                .trim_end()
                .parse()
                .unwrap()
        };
        let mut house = Self {
            rest: Rest::of(at("REST http://")),
            auth: at("auth grpc://"),
            child,
            folder,
            ops: Vec::new(),
            lines,
            log: String::new(),
        };
        house.hear_the_listeners();
        widget_ready(at("widget grpc://")).await;
        house
    }

    /// Reads the log up to where each role has said where it is asked for its metrics.
    fn hear_the_listeners(&mut self) {
        while self.ops.len() < roles().count() {
            let line = self.lines.recv().expect("the house says where it listens");
            let event: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            self.ops
                .extend(event["ops"].as_str().map(|ops| ops.parse::<SocketAddr>().unwrap()));
            self.log.push_str(&line);
        }
    }

    /// What all roles' metrics say.
    pub async fn metrics(&self) -> String {
        let mut all = String::new();
        for ops in &self.ops {
            let metrics = Rest::of(*ops).send("GET", "/metrics", &[], "").await;
            all.push_str(&metrics.text);
        }
        all
    }

    /// Ends it by SIGTERM, and gives back all that it logged.
    pub fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(&id).status().unwrap().success());
        let rest: String = self.lines.iter().collect();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.log.clone() + &rest
    }
}

impl Drop for PlantedHouse {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
    }
}

/// Reads a pipe all along, for a full one would stop the house: its lines, as they come.
fn read(pipe: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            // Nobody may be listening any more: the pipe is read to its end all the same.
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            line.clear();
        }
    });
    lines
}
