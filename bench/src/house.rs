//! The release binary as a process of its own, measured from outside.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use http::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{Outcome, process, rest::Rest};

/// A running house.
#[derive(Debug)]
pub struct House {
    child: Child,
    /// Where the gateway is: `127.0.0.1:40001`.
    pub rest: String,
    /// Where the auth service is.
    pub auth: String,
    /// Where the widget service is.
    pub widget: String,
    /// From `exec` to the last line of the greeting.
    pub start: Duration,
    admin_password: Option<String>,
}

impl House {
    /// Starts `target/release/gatehouse` in a folder, on free ports.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(folder: &Path, settings: &[(&str, &str)]) -> Outcome<Self> {
        let mut command = Command::new(binary()?);
        command
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join("log"))?);
        for role in ["AUTH", "WIDGET", "GATEWAY"] {
            command
                .env(format!("{role}_LISTEN"), "127.0.0.1:0")
                .env(format!("{role}_OPS_LISTEN"), "127.0.0.1:0");
        }
        let began = Instant::now();
        let mut child = command
            .env("RUST_LOG", "warn")
            .envs(settings.iter().copied())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the house has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut said = Vec::new();
        while let Some(line) = lines.next_line().await? {
            let last = line.starts_with("curl ");
            said.push(line);
            if last {
                break;
            }
        }
        let after = |prefix: &str| {
            said.iter()
                .find_map(|line| line.strip_prefix(prefix))
                .map(str::to_owned)
        };
        Ok(Self {
            child,
            rest: after("REST http://").ok_or("the house did not start: see its log")?,
            auth: after("auth grpc://").ok_or("the house did not say where auth is")?,
            widget: after("widget grpc://").ok_or("the house did not say where widget is")?,
            start: began.elapsed(),
            admin_password: after("admin admin@gatehouse.local password: "),
        })
    }

    /// Logs the first administrator in.
    ///
    /// # Errors
    /// When this is not a house's first start.
    pub async fn admin(&self) -> Outcome<String> {
        let password = self.admin_password.as_deref().ok_or("not the house's first start")?;
        self.login("admin@gatehouse.local", password).await
    }

    /// Logs a user in.
    ///
    /// # Errors
    /// When the house refuses.
    pub async fn login(&self, email: &str, password: &str) -> Outcome<String> {
        let body = json!({"email": email, "password": password});
        let reply = Rest::connect(&self.rest)
            .await?
            .json(Method::POST, "/api/v1/auth/login", None, &body)
            .await?;
        token(&reply)
    }

    /// Registers a user.
    ///
    /// # Errors
    /// When the house refuses.
    pub async fn register(&self, email: &str, password: &str) -> Outcome<String> {
        let body = json!({"email": email, "password": password});
        let reply = Rest::connect(&self.rest)
            .await?
            .json(Method::POST, "/api/v1/auth/register", None, &body)
            .await?;
        token(&reply)
    }

    /// Creates widgets `widget-0`, `widget-1` … of ordinary size.
    ///
    /// # Errors
    /// When the house refuses.
    pub async fn fill(&self, admin: &str, widgets: usize) -> Outcome<()> {
        let mut rest = Rest::connect(&self.rest).await?;
        for number in 0..widgets {
            let widget = json!({
                "name": format!("widget-{number}"),
                "description": "A wheel with teeth that fits most machines of its time",
                "info_url": format!("https://example.com/widgets/{number}"),
                "deadline": "2099-12-31T12:00:00Z",
            });
            rest.json(Method::POST, "/api/v1/widgets", Some(admin), &widget).await?;
        }
        Ok(())
    }

    /// Resident memory in bytes.
    ///
    /// # Errors
    /// When the house has ended.
    pub fn memory(&self) -> Outcome<u64> {
        process::memory(self.pid()?)
    }

    /// The most memory that was ever resident, in bytes.
    ///
    /// # Errors
    /// When the house has ended.
    pub fn peak_memory(&self) -> Outcome<u64> {
        process::peak_memory(self.pid()?)
    }

    fn pid(&self) -> Outcome<u32> {
        Ok(self.child.id().ok_or("the house has ended")?)
    }

    /// Ends the house and waits for it.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub async fn stop(mut self) -> Outcome<()> {
        self.child.kill().await?;
        Ok(())
    }
}

fn token(reply: &Value) -> Outcome<String> {
    Ok(reply["access_token"]
        .as_str()
        .ok_or("a reply without a token")?
        .to_owned())
}

/// The release binary.
///
/// # Errors
/// When it has not been built.
pub fn binary() -> Outcome<PathBuf> {
    let binary = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/release/gatehouse")
        .canonicalize();
    binary.map_err(|_| "build the house first: cargo build --release".into())
}
