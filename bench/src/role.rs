//! One role of the release binary as a process of its own.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use bench::{
    Outcome,
    house::binary,
    process::{cpu, memory},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// A running service. It ends when it is dropped.
pub(crate) struct Role {
    child: Child,
    /// `http://127.0.0.1:40001`.
    pub(crate) url: String,
    began: Instant,
}

impl Role {
    /// Starts `gatehouse auth` or `gatehouse widget` on a free port, with its log in a folder.
    pub(crate) async fn start(role: &str, folder: &Path, settings: &[(&str, &str)]) -> Outcome<Self> {
        let upper = role.to_uppercase();
        let began = Instant::now();
        let mut child = Command::new(binary()?)
            .arg(role)
            .env(format!("{upper}_LISTEN"), "127.0.0.1:0")
            .env(format!("{upper}_OPS_LISTEN"), "127.0.0.1:0")
            .env("RUST_LOG", "warn")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join(format!("{role}.log")))?)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let line = BufReader::new(stdout).lines().next_line().await?.unwrap_or_default();
        let addr = line
            .strip_prefix(&format!("{role} grpc://"))
            .ok_or_else(|| format!("{role} did not start: {line}"))?;
        Ok(Self {
            child,
            url: format!("http://{addr}"),
            began,
        })
    }

    /// Since `exec`.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Resident memory in megabytes.
    pub(crate) fn memory(&self) -> Outcome<f64> {
        let pid = self.child.id().ok_or("a service has ended")?;
        Ok(memory(pid)? as f64 / 1e6)
    }

    /// CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        cpu(self.child.id().ok_or("a service has ended")?)
    }

    /// Ends it and waits for it.
    pub(crate) async fn stop(&mut self) -> Outcome<()> {
        Ok(self.child.kill().await?)
    }
}
