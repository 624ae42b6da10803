//! One role of the binary, as a process.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tonic::transport::Channel;

use crate::rest::Rest;

/// A process that serves. It keeps its address when it is started again, and is killed when it is dropped.
pub struct Role {
    name: &'static str,
    settings: Vec<(String, String)>,
    log: PathBuf,
    child: Child,
    pub addr: SocketAddr,
}

/// The binary with nothing in its environment but these settings.
pub fn command(arguments: &[&str], settings: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    command
        .args(arguments)
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .kill_on_drop(true);
    command
}

impl Role {
    /// Starts `auth`, `widget` or `gateway` on a free port, with its log in a folder. It serves when this returns.
    pub async fn start(name: &'static str, folder: &Path, settings: Vec<(String, String)>) -> Self {
        let log = folder.join(format!("{name}-{}.log", uuid::Uuid::new_v4()));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (child, addr) = spawn(name, any, &settings, &log).await;
        Self {
            name,
            settings,
            log,
            child,
            addr,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A connection for gRPC.
    pub async fn channel(&self) -> Channel {
        let endpoint = Channel::from_shared(self.url()).unwrap().tcp_nodelay(true);
        endpoint.connect().await.unwrap()
    }

    /// How many calls it has answered since it started.
    pub async fn served(&self) -> usize {
        let said = self.said();
        let events = said
            .lines()
            .rev()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let ops = events.filter_map(|event| event["ops"].as_str()?.parse().ok()).next();
        let metrics = Rest::http1(ops.expect("where its metrics are")).text("/metrics").await;
        let counts = metrics
            .lines()
            .filter(|line| line.starts_with("rpc_server_duration_seconds_count{"));
        counts
            .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok())
            .sum()
    }

    /// Ends it at once, wherever it stands.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to end and waits until it has finished what was under way.
    pub async fn terminate(&mut self) {
        self.signal("TERM").await;
        let status = self.child.wait().await.unwrap();
        assert_eq!(
            status.code(),
            Some(0),
            "{} was asked to stop: {}",
            self.name,
            self.said()
        );
    }

    /// Starts it again, at the address that it had.
    pub async fn restart(&mut self) {
        (self.child, _) = spawn(self.name, self.addr, &self.settings, &self.log).await;
    }

    /// Stops it where it stands, its connections open, as a machine does that hangs.
    pub async fn freeze(&self) {
        self.signal("STOP").await;
    }

    /// Lets it go on.
    pub async fn thaw(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let process = self.child.id().expect("a process that runs").to_string();
        let sent = Command::new("kill").args(["-s", signal, &process]).status().await;
        assert!(sent.unwrap().success(), "SIG{signal} to {}", self.name);
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

async fn spawn(name: &str, addr: SocketAddr, settings: &[(String, String)], log: &Path) -> (Child, SocketAddr) {
    let upper = name.to_uppercase();
    let file = File::options().create(true).append(true).open(log).unwrap();
    let mut child = command(&[name], settings)
        .env(format!("{upper}_LISTEN"), addr.to_string())
        .env(format!("{upper}_OPS_LISTEN"), "127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(file)
        .spawn()
        .unwrap();
    let first = BufReader::new(child.stdout.take().unwrap()).lines().next_line().await;
    let first = first.unwrap().unwrap_or_default();
    let addr = first.rsplit("://").next().and_then(|addr| addr.parse().ok());
    let addr = addr.unwrap_or_else(|| panic!("{name} did not start: {}", fs::read_to_string(log).unwrap()));
    (child, addr)
}
