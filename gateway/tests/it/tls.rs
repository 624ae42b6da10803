//! TLS towards clients and towards services.

use std::{net::SocketAddr, path::Path, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::kit::{Fake, House};

/// An authority that signs certificates for `localhost`.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes `NAME.pem`, `NAME.key` and `ca.pem` into a folder.
    fn write(&self, folder: &Path, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        std::fs::write(folder.join("ca.pem"), self.0.pem()).unwrap();
    }

    fn client(&self, protocol: &[u8]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        config
    }
}

/// Status, body and HSTS of a GET.
async fn get(addr: SocketAddr, config: ClientConfig, path: &str) -> (u16, Bytes, bool) {
    let http2 = config.alpn_protocols == [b"h2"];
    let tcp = TcpStream::connect(addr).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    let request = http::Request::get(format!("https://localhost{path}")).header("host", "localhost");
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let response = if http2 {
        let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tls))
            .await
            .unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    };
    let hsts = response.headers().contains_key("strict-transport-security");
    (
        response.status().as_u16(),
        response.into_body().collect().await.unwrap().to_bytes(),
        hsts,
    )
}

#[tokio::test]
async fn clients_come_by_tls_with_either_protocol_and_are_told_to_stay_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.write(folder.path(), "gateway");
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let house = House::with(&[
        "--gateway-tls-cert",
        &file("gateway.pem"),
        "--gateway-tls-key",
        &file("gateway.key"),
    ])
    .await;
    for protocol in [&b"h2"[..], b"http/1.1"] {
        for (path, expected) in [
            ("/path/string/x", 200),
            ("/docs", 200),
            ("/nowhere", 404),
            ("/query?nope=1", 400),
        ] {
            let (status, body, hsts) = get(house.client.addr, authority.client(protocol), path).await;
            assert_eq!((status, hsts), (expected, true), "{protocol:?} {path}: {body:?}");
        }
    }
}

#[tokio::test]
async fn services_are_called_by_tls_and_must_show_a_certificate_of_the_authority() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, others) = (Authority::new(), Authority::new());
    ours.write(folder.path(), "service");
    let service = Fake::tls(&folder.path().join("service.pem"), &folder.path().join("service.key")).await;
    let url = format!("https://localhost:{}", service.addr.port());
    let ca = folder.path().join("ca.pem").to_str().unwrap().to_owned();
    let house = House::before(service, &url, &["--upstream-tls-ca", &ca]).await;
    assert_eq!(house.client.get("/path/string/x").await.json()["text"], "x");

    std::fs::write(&ca, others.0.pem()).unwrap();
    let distrustful = House::before(Fake::start().await, &url, &["--upstream-tls-ca", &ca]).await;
    assert_eq!(distrustful.client.get("/query").await.status, 503);
}
