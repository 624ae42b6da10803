//! One of the two that are compared: a process, and what it says of itself.

use std::{process::Stdio, time::Instant};

use bench::{Outcome, process::cpu, rest::Rest};
use bytes::Bytes;
use http::Method;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::View;

/// A running pair of services.
pub(super) struct Side {
    pub(super) view: View,
    /// Where the widget service is.
    pub(super) widget: String,
    /// A user's token.
    pub(super) token: String,
    ops: String,
    started: Instant,
    child: Child,
    _folder: TempDir,
}

impl Side {
    /// Starts this program as the two services, on free ports and databases of their own.
    pub(super) async fn start(view: View) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["services", view.name()])
            .current_dir(folder.path())
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut said = async || Ok::<_, std::io::Error>(lines.next_line().await?.unwrap_or_default());
        let (widget, ops, token) = (said().await?, said().await?, said().await?);
        if token.is_empty() {
            return Err(format!("the services did not start ({})", view.name()).into());
        }
        Ok(Self {
            view,
            widget,
            token,
            ops,
            started: Instant::now(),
            child,
            _folder: folder,
        })
    }

    /// What it has done so far.
    pub(super) async fn counts(&self) -> Outcome<Counts> {
        let mut ops = Rest::connect(&self.ops).await?;
        let (_, page) = ops.send(&Method::GET, "/metrics", None, Bytes::new()).await?;
        let page = String::from_utf8_lossy(&page);
        let pid = self.child.id().ok_or("a side has ended")?;
        Ok(Counts {
            seconds: self.started.elapsed().as_secs_f64(),
            cpu: cpu(pid)?.as_secs_f64(),
            requests: sum(&page, "rpc_server_duration_seconds_count"),
            syncs: sum(&page, "trust_syncs_total"),
        })
    }
}

/// What a side has done, or did between two moments.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    seconds: f64,
    cpu: f64,
    requests: f64,
    syncs: f64,
}

impl Counts {
    /// Adds what was done between two moments.
    pub(super) fn add(&mut self, before: Self, after: Self) {
        self.seconds += after.seconds - before.seconds;
        self.cpu += after.cpu - before.cpu;
        self.requests += after.requests - before.requests;
        self.syncs += after.syncs - before.syncs;
    }

    /// CPU time of both services for each request, in microseconds.
    pub(super) fn cpu_per_request(&self) -> f64 {
        self.cpu * 1e6 / self.requests
    }

    pub(super) fn syncs_per_second(&self) -> f64 {
        self.syncs / self.seconds
    }

    pub(super) fn requests_per_sync(&self) -> f64 {
        self.requests / self.syncs
    }
}

/// The sum over all labels of a metric.
fn sum(page: &str, name: &str) -> f64 {
    let lines = page.lines().filter(|line| line.starts_with(name));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
