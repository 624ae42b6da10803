//! The processes that are compared.

use std::{fs, net::TcpListener as StdListener, path::Path, process::Stdio, time::Duration};

use bench::Outcome;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

/// A running process that answers REST.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) addr: String,
    child: Child,
}

impl Candidate {
    /// This program in another role.
    pub(crate) async fn ourselves(role: &'static str, arguments: &[&str]) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).args(arguments);
        Self::that_says_where(role, command, "").await
    }

    /// The release binary as a gateway.
    pub(crate) async fn gatehouse(backend: &str) -> Outcome<Self> {
        let mut command = Command::new(bench::house::binary()?);
        command
            .arg("gateway")
            .env("GATEWAY_LISTEN", "127.0.0.1:0")
            .env("GATEWAY_OPS_LISTEN", "127.0.0.1:0")
            .env(
                "GATEWAY_UPSTREAMS",
                format!("auth.v1=http://{backend},widget.v1=http://{backend}"),
            )
            .env("RUST_LOG", "warn");
        Self::that_says_where("Gatehouse", command, "REST http://").await
    }

    /// Envoy with its JSON transcoder, if there is one: as many workers as cores.
    pub(crate) async fn envoy(backend: &str, folder: &Path) -> Outcome<Option<Self>> {
        let Ok(binary) = std::env::var("ENVOY") else {
            return Ok(None);
        };
        let port = StdListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let descriptors = folder.join("descriptors.bin");
        fs::write(&descriptors, proto::FILE_DESCRIPTOR_SET)?;
        let config = folder.join("envoy.yaml");
        let (host, backend_port) = backend.split_once(':').ok_or("a backend without a port")?;
        let text = include_str!("envoy.yaml")
            .replace("@PORT@", &port.to_string())
            .replace("@DESCRIPTORS@", &descriptors.display().to_string())
            .replace("@HOST@", host)
            .replace("@BACKEND@", backend_port);
        fs::write(&config, text)?;
        let cores = std::thread::available_parallelism()?.to_string();
        let child = Command::new(binary)
            .args([
                "--concurrency",
                &cores,
                "--log-level",
                "error",
                "--disable-hot-restart",
                "-c",
            ])
            .arg(&config)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let envoy = Self {
            name: "Envoy",
            addr: format!("127.0.0.1:{port}"),
            child,
        };
        envoy.listening().await?;
        Ok(Some(envoy))
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        bench::process::cpu(self.child.id().ok_or("a candidate has ended")?)
    }

    async fn that_says_where(name: &'static str, mut command: Command, prefix: &str) -> Outcome<Self> {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some(addr) = line.strip_prefix(prefix) {
                let addr = addr.to_owned();
                return Ok(Self { name, addr, child });
            }
        }
        Err(format!("{name} did not say where it is").into())
    }

    /// Envoy says nothing when it is ready: it is asked until it answers.
    async fn listening(&self) -> Outcome<()> {
        for _ in 0..200 {
            if TcpStream::connect(&self.addr).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("Envoy does not listen".into())
    }
}
