//! A house that shows a certificate on every listener and wants one of everybody.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use gatehouse::{House, HouseArgs};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use service_kit::{config::Secret, process::StartError, tls::UpstreamTlsArgs};
use tempfile::TempDir;
use test_kit::{Authority, Certified};
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

use crate::house::settings;

pub const SERVICE_TOKEN: &str = "the-service-token-of-the-house-with-tls";

/// Each listener, and the certificates of all.
pub struct TlsHouse {
    pub authority: Authority,
    pub rest: SocketAddr,
    pub auth: SocketAddr,
    pub widget: SocketAddr,
    pub admin_password: String,
    _stop: oneshot::Sender<()>,
    _serving: JoinHandle<Result<(), StartError>>,
    _folder: TempDir,
}

impl TlsHouse {
    /// As it should be, and ready.
    pub async fn start() -> Self {
        let house = Self::with(|_, _| ()).await;
        house.widget_ready().await;
        house
    }

    /// With something changed, and perhaps never ready.
    pub async fn with(change: impl FnOnce(&Authority, &mut HouseArgs)) -> Self {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        let mut settings = settings(folder.path());
        secure(&authority, &mut settings);
        change(&authority, &mut settings);
        let house = House::build(settings).await.unwrap();
        let (rest, auth, widget) = (house.rest_addr(), house.auth_addr(), house.widget_addr());
        let admin_password = house.first_administrator().unwrap().password.expose().to_owned();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(house.run_until(async { drop(stopped.await) }));
        Self {
            authority,
            rest,
            auth,
            widget,
            admin_password,
            _stop: stop,
            _serving: serving,
            _folder: folder,
        }
    }

    async fn widget_ready(&self) {
        let channel = self.channel(self.widget, Some(&self.authority.sign("watcher")));
        let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
        let request = tonic_health::pb::HealthCheckRequest::default();
        let mut states = health.watch(request).await.unwrap().into_inner();
        while states.message().await.unwrap().unwrap().status != 1 {}
    }

    /// To a service, with a certificate or none.
    pub fn channel(&self, service: SocketAddr, shown: Option<&Certified>) -> Channel {
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(self.authority.pem()));
        if let Some(Certified { pem: (cert, key), .. }) = shown {
            tls = tls.identity(Identity::from_pem(cert, key));
        }
        let endpoint = Channel::from_shared(format!("https://{service}")).unwrap();
        endpoint.tls_config(tls).unwrap().connect_lazy()
    }

    /// How a client that trusts the house speaks TLS.
    pub fn client(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
        shown: Option<&Certified>,
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        match shown {
            None => builder.with_no_client_auth(),
            Some(Certified { pem: (cert, key), .. }) => {
                let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        }
    }

    /// A REST call on a connection of its own: status and body.
    pub async fn rest(
        &self,
        shown: Option<&Certified>,
        (method, path): (&str, &str),
        token: &str,
        body: &Value,
    ) -> Result<(u16, Value), Box<dyn std::error::Error>> {
        let tls = connect(self.rest, self.client(rustls::ALL_VERSIONS, shown)).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let response = sender.send_request(request.body(Full::new(body))?).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        connection.abort();
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

/// A TLS connection to this machine.
pub async fn connect(addr: SocketAddr, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

/// Certificates for each listener and for calls between them, and all wanted.
fn secure(authority: &Authority, settings: &mut HouseArgs) {
    let ca = || Some(authority.file());
    let [auth, widget, gateway, inside] = ["auth", "widget", "gateway", "inside"].map(|name| authority.sign(name));
    settings.auth.tls_cert = Some(auth.cert);
    settings.auth.tls_key = Some(auth.key);
    settings.auth.tls_client_ca = ca();
    settings.widget.tls_cert = Some(widget.cert);
    settings.widget.tls_key = Some(widget.key);
    settings.widget.tls_client_ca = ca();
    settings.gateway.tls_cert = Some(gateway.cert);
    settings.gateway.tls_key = Some(gateway.key);
    settings.gateway.tls_client_ca = ca();
    settings.upstream_tls = UpstreamTlsArgs {
        ca: ca(),
        cert: Some(inside.cert),
        key: Some(inside.key),
    };
    settings.trust.service_token = Some(Secret::new(SERVICE_TOKEN));
}
