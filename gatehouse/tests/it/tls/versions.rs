//! What is spoken on the listeners.

use std::net::SocketAddr;

use rustls::{ProtocolVersion, SupportedProtocolVersion, version};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::house::{TlsHouse, connect};

/// The first message of a client that knows nothing beyond TLS 1.1.
fn hello_of_tls_1_1() -> Vec<u8> {
    let extensions: [&[u8]; 2] = [
        // Supported groups: x25519, P-256.
        b"\0\x0a\0\x06\0\x04\0\x1d\0\x17",
        // Signature algorithms: ECDSA and RSA-PSS, so that nothing but the version is amiss.
        b"\0\x0d\0\x06\0\x04\x04\x03\x08\x04",
    ];
    let extensions = extensions.concat();
    let mut hello = b"\x03\x02".to_vec();
    hello.extend([7; 32]);
    // No session; ECDHE-ECDSA with AES-128-CBC and SHA; no compression.
    hello.extend(b"\0\0\x02\xc0\x09\x01\0");
    hello.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    hello.extend(extensions);
    let length = u16::try_from(hello.len()).unwrap();
    let mut record = b"\x16\x03\x01".to_vec();
    record.extend((length + 4).to_be_bytes());
    record.extend(b"\x01\0");
    record.extend(length.to_be_bytes());
    record.extend(hello);
    record
}

#[tokio::test]
async fn tls_1_1_is_refused_by_its_version() {
    const ALERT: u8 = 21;
    const PROTOCOL_VERSION: u8 = 70;
    let house = TlsHouse::with(|_, _| ()).await;
    for listener in [house.rest, house.auth, house.widget] {
        let mut tcp = TcpStream::connect(listener).await.unwrap();
        tcp.write_all(&hello_of_tls_1_1()).await.unwrap();

        let mut answer = Vec::new();
        tcp.read_to_end(&mut answer).await.unwrap();

        assert_eq!(
            (answer[0], *answer.last().unwrap()),
            (ALERT, PROTOCOL_VERSION),
            "{answer:?}"
        );
        assert_eq!(answer.len(), 7, "{answer:?}");
    }
}

/// The version and the protocol that are agreed on; `None` without an agreement.
async fn agreed(
    house: &TlsHouse,
    listener: SocketAddr,
    version: &'static SupportedProtocolVersion,
    protocols: &[&str],
) -> Option<(ProtocolVersion, Option<String>)> {
    let mut config = house.client(&[version], Some(&house.authority.sign("client")));
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let tls = connect(listener, config).await.ok()?;
    let (_, session) = tls.get_ref();
    let protocol = session
        .alpn_protocol()
        .map(|name| String::from_utf8_lossy(name).into_owned());
    Some((session.protocol_version().unwrap(), protocol))
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_the_protocol_is_agreed_on() {
    let house = TlsHouse::with(|_, _| ()).await;
    let both = ["h2", "http/1.1"];
    for version in [&version::TLS12, &version::TLS13] {
        let expected = |protocol: &str| Some((version.version, Some(protocol.to_owned())));
        for listener in [house.rest, house.auth, house.widget] {
            assert_eq!(agreed(&house, listener, version, &both).await, expected("h2"));
        }
        assert_eq!(
            agreed(&house, house.rest, version, &both[1..]).await,
            expected("http/1.1")
        );
        for service in [house.auth, house.widget] {
            assert_eq!(agreed(&house, service, version, &both[1..]).await, None);
        }
    }
}
