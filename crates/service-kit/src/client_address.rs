//! Who the client is, behind proxies that are trusted and none else.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// The networks whose `x-forwarded-for` is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// This machine alone.
    pub fn loopback() -> Self {
        Self(vec![
            IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8),
            IpNet::new_assert(IpAddr::from(std::net::Ipv6Addr::LOCALHOST), 128),
        ])
    }

    /// The client's address, from the peer of the connection and the values of its `x-forwarded-for` headers.
    ///
    /// Read from the right: the first address that no trusted proxy has, is the client. What stands further left was
    /// written by the client itself. From an untrusted peer the header is ignored and a warning logged.
    pub fn client<'a>(&self, peer: IpAddr, forwarded_for: impl IntoIterator<Item = &'a str>) -> IpAddr {
        let mut client = canonical(peer);
        let hops: Vec<&str> = forwarded_for
            .into_iter()
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        if !hops.is_empty() && !self.trusts(client) {
            tracing::warn!(%peer, "x-forwarded-for from a peer that is no trusted proxy: ignored");
            return client;
        }
        for hop in hops.into_iter().rev() {
            let Some(address) = address_of(hop) else { break };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "wants networks or addresses, comma-separated, such as 10.0.0.0/8,192.168.1.7";
        let network = |part: &str| {
            part.parse::<IpNet>()
                .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| wanted.to_owned())
        };
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map_or(hop, |(address, _)| address);
    bare.parse()
        .or_else(|_| bare.parse::<std::net::SocketAddr>().map(|socket| socket.ip()))
        .ok()
        .map(canonical)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::TrustedProxies;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_client_is_the_first_untrusted_hop_from_the_right() {
        let proxies: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        let rows = [
            ("10.0.0.1", vec!["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", vec!["6.6.6.6, 203.0.113.9, 10.2.3.4"], "203.0.113.9"),
            ("10.0.0.1", vec!["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["nonsense"], "10.0.0.1"),
            ("10.0.0.1", vec!["[2001:db8::7]:443"], "2001:db8::7"),
            ("::ffff:10.0.0.1", vec!["203.0.113.9:9000"], "203.0.113.9"),
            ("198.51.100.1", vec!["203.0.113.9"], "198.51.100.1"),
        ];
        for (peer, header, client) in rows {
            assert_eq!(
                proxies.client(ip(peer), header.clone()),
                ip(client),
                "{peer} {header:?}"
            );
        }
    }

    #[test]
    fn a_network_that_is_none_is_refused() {
        assert!("10.0.0.0/8,nowhere".parse::<TrustedProxies>().is_err());
        assert_eq!("".parse(), Ok(TrustedProxies::default()));
    }
}
