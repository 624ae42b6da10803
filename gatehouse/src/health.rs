//! `gatehouse health`: asks roles on this machine whether they are ready, for containers that hold no HTTP client.

use std::{io, net::SocketAddr, time::Duration};

use clap::{Args, ValueEnum};
use service_kit::process::{StartError, say};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::house::{HouseArgs, reachable};

const PATIENCE: Duration = Duration::from_secs(2);
const REQUEST: &[u8] = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Whom to ask. Where they listen is a setting of theirs, `AUTH_OPS_LISTEN` and so on.
#[derive(Debug, Clone, Args)]
pub(crate) struct HealthArgs {
    /// The roles to ask; all of them when none is named
    #[arg(value_enum)]
    roles: Vec<Role>,
    #[command(flatten)]
    house: HouseArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Auth,
    Widget,
    Gateway,
}

impl HealthArgs {
    /// Says of each role that it is ready.
    ///
    /// # Errors
    /// At the first that is not, or does not answer within 2 seconds.
    pub(crate) async fn run(self) -> Result<(), StartError> {
        let roles = if self.roles.is_empty() {
            Role::value_variants()
        } else {
            &self.roles
        };
        for role in roles {
            let (name, listen) = match role {
                Role::Auth => ("auth", self.house.auth.ops_listen),
                Role::Widget => ("widget", self.house.widget.ops_listen),
                Role::Gateway => ("gateway", self.house.gateway.ops_listen),
            };
            let reply = timeout(PATIENCE, ask(reachable(listen)))
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                .map_err(|cause| StartError::failed(format!("asking {name} at {listen}"), cause))?;
            judge(name, &reply)?;
        }
        Ok(())
    }
}

async fn ask(addr: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(REQUEST).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply)
}

fn judge(name: &str, reply: &str) -> Result<(), StartError> {
    let said = reply.split_once("\r\n\r\n").map_or("", |(_, body)| body.trim_end());
    if reply.split(' ').nth(1) == Some("200") {
        say(format_args!("{name}: {said}"));
        return Ok(());
    }
    Err(StartError::Refused(format!("{name} is not ready: {said}")))
}
