//! What the tests share.

mod client;
mod fake;
mod schema;

use std::{fs, sync::Arc};

use clap::Parser;
use gateway::{Resolver, SystemResolver, cli::Cli};
use prost::Message;
use prost_reflect::DynamicMessage;
use tokio::{sync::oneshot, task::JoinHandle};

pub use self::{
    client::{Client, json},
    fake::{Answer, Fake},
    schema::{POOL, compile, descriptors, pool},
};

/// A message of `echo.proto` from its JSON, read by the reference.
pub fn message(name: &str, json: serde_json::Value) -> Vec<u8> {
    let descriptor = POOL.get_message_by_name(&format!("echo.v1.{name}")).unwrap();
    DynamicMessage::deserialize(descriptor, json).unwrap().encode_to_vec()
}

/// A message of `echo.proto` as JSON, written by the reference.
pub fn shown(name: &str, bytes: &[u8]) -> serde_json::Value {
    let descriptor = POOL.get_message_by_name(&format!("echo.v1.{name}")).unwrap();
    let options = prost_reflect::SerializeOptions::new().use_proto_field_name(true);
    let message = DynamicMessage::decode(descriptor, bytes).unwrap();
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .unwrap()
}

/// A gateway in front of a fake service, with a client.
pub struct House {
    pub client: Client,
    pub fake: Fake,
    pub ops: std::net::SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// How a gateway is started; [`House`] has the shorthands.
pub struct Setup {
    /// An encoded descriptor set, and the package in it that is served.
    pub descriptors: Vec<u8>,
    pub package: &'static str,
    pub resolver: Arc<dyn Resolver>,
    /// On threads of its own, not on the runtime of the test.
    pub on_cores: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            descriptors: schema::DESCRIPTORS.clone(),
            package: "echo.v1",
            resolver: Arc::new(SystemResolver),
            on_cores: false,
        }
    }
}

impl Setup {
    /// In front of these URLs, with more flags.
    pub async fn before(self, fake: Fake, urls: &str, flags: &[&str]) -> House {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("descriptors.bin");
        fs::write(&file, &self.descriptors).unwrap();
        let upstreams = format!("{}={urls}", self.package);
        let mut line = vec![
            "gateway",
            "--gateway-listen",
            "127.0.0.1:0",
            "--gateway-ops-listen",
            "127.0.0.1:0",
        ];
        line.extend([
            "--gateway-descriptors",
            file.to_str().unwrap(),
            "--gateway-upstreams",
            &upstreams,
        ]);
        line.extend(flags);
        let config = gateway::Config {
            resolver: self.resolver,
            ..Cli::try_parse_from(line).unwrap().into()
        };
        let server = gateway::build(config).await.unwrap();
        let client = Client::new(server.addr());
        let ops = server.ops_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            match self.on_cores {
                true => server.run_on_cores_until(stopped).await.unwrap(),
                false => server.run_until(stopped).await.unwrap(),
            }
        });
        House {
            client,
            fake,
            ops,
            stop: Some(stop),
            running,
            _folder: folder,
        }
    }

    /// In front of a fake service.
    pub async fn start(self) -> House {
        let fake = Fake::start().await;
        let url = format!("http://{}", fake.addr);
        self.before(fake, &url, &[]).await
    }
}

impl House {
    /// With settings as they come.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With more flags.
    pub async fn with(flags: &[&str]) -> Self {
        let fake = Fake::start().await;
        let url = format!("http://{}", fake.addr);
        Self::before(fake, &url, flags).await
    }

    /// In front of these URLs.
    pub async fn before(fake: Fake, urls: &str, flags: &[&str]) -> Self {
        Setup::default().before(fake, urls, flags).await
    }

    /// Asks the gateway to stop; the handle ends when it has.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the gateway has ended.
    pub async fn ended(self) {
        self.running.await.unwrap();
    }
}
