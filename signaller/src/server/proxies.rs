//! Which client it is when a reverse proxy speaks for it.
//!
//! Any client can write a header. What counts is what was written by proxies that the operator named, and
//! each appends the address that it saw: so the client is the rightmost address that is no such proxy.
//! Only one of the two headers is believed: a proxy that sets one passes the other on as it came.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, header::FORWARDED};
use serde::{Deserialize, Serialize};

use super::prefix::AddressPrefix;
use crate::{
    forwarded::{forwarded, forwarded_for},
    limits,
};

/// The reverse proxies that are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// Their addresses.
    pub trusted: Vec<AddressPrefix>,
    /// Where they write which client they serve.
    pub header: ProxyHeader,
}

/// A header in which a proxy writes which client it serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For: 192.0.2.1, 198.51.100.7`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=192.0.2.1, for="[2001:db8::1]:4711";proto=https` (RFC 7239)
    Forwarded,
}

impl Proxies {
    /// Whether this address may speak for others.
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|prefix| prefix.contains(address))
    }

    /// The client that a connection from here serves, by the headers of its request.
    pub(super) fn client(&self, from: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = from.to_canonical();
        if !self.trust(client) {
            return client;
        }
        let name = match self.header {
            ProxyHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ProxyHeader::Forwarded => FORWARDED,
        };
        let lines = headers.get_all(name).iter().rev();
        let hops = lines.flat_map(|line| {
            let mut hops = match (line.to_str(), self.header) {
                (Err(_), _) => vec![None],
                (Ok(line), ProxyHeader::XForwardedFor) => forwarded_for(line),
                (Ok(line), ProxyHeader::Forwarded) => forwarded(line),
            };
            hops.reverse();
            hops
        });
        for hop in hops.take(limits::FORWARDED_HOPS) {
            // A proxy that hides or garbles its client is answerable for it.
            let Some(address) = hop else { break };
            client = address;
            if !self.trust(client) {
                break;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn client(header: ProxyHeader, from: &str, lines: &[(&'static str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:ffff::/48"];
        let trusted = trusted.map(|prefix| prefix.parse().expect("a prefix")).to_vec();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).expect("a value"));
        }
        let proxies = Proxies { trusted, header };
        proxies.client(from.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_trusted_proxy() {
        const NAME: &str = "x-forwarded-for";
        let client = |from, lines: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|line| (NAME, *line)).collect();
            client(ProxyHeader::XForwardedFor, from, &lines)
        };
        assert_eq!(client("10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("::ffff:10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6, 192.0.2.1,10.0.0.2"]),
            "192.0.2.1",
            "a forged one"
        );
        assert_eq!(client("10.0.0.1", &["6.6.6.6", "192.0.2.1"]), "192.0.2.1", "several lines");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1:4711"]), "192.0.2.1");
        assert_eq!(client("192.0.2.9", &["192.0.2.1"]), "192.0.2.9", "a stranger's header");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1, unknown, 10.0.0.3"]), "10.0.0.3");
        let long = format!("192.0.2.1{}", ", 10.0.0.9".repeat(1000));
        assert_eq!(client("10.0.0.1", &[&long]), "10.0.0.9", "not all of it is looked at");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        let client =
            |value: &str| client(ProxyHeader::Forwarded, "10.0.0.1", &[("forwarded", value)]);
        assert_eq!(client("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60");
        assert_eq!(client("For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
        assert_eq!(client("for=6.6.6.6, for=192.0.2.43;proto=https, FOR=10.1.2.3"), "192.0.2.43");
        for quoted in ["x,for=6.6.6.6;y=", "x;for=6.6.6.6;y=", "\\\", for=6.6.6.6;y="] {
            let value = format!("host=\"{quoted}\";for=192.0.2.43");
            assert_eq!(client(&value), "192.0.2.43", "{quoted}");
        }
        assert_eq!(client("for=6.6.6.6;x=\", for=192.0.2.43"), "10.0.0.1", "an open quote");
        assert_eq!(client("for=_hidden"), "10.0.0.1");
        assert_eq!(client("proto=https"), "10.0.0.1");
    }

    #[test]
    fn the_other_header_is_not_believed() {
        let lines = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.2")];
        assert_eq!(client(ProxyHeader::XForwardedFor, "10.0.0.1", &lines), "192.0.2.1");
        assert_eq!(client(ProxyHeader::Forwarded, "10.0.0.1", &lines), "192.0.2.2");
    }

    proptest! {
        #[test]
        fn whatever_a_client_writes_left_of_a_proxy_changes_nothing(forged in "[ -~]{0,60}") {
            let line = format!("{forged}, 192.0.2.1");
            let header = ProxyHeader::XForwardedFor;
            prop_assert_eq!(client(header, "10.0.0.1", &[("x-forwarded-for", &line)]), "192.0.2.1");
            // An open quote swallows what comes after it: then the proxy itself counts.
            let line = format!("{forged}, for=192.0.2.1");
            let found = client(ProxyHeader::Forwarded, "10.0.0.1", &[("forwarded", &line)]);
            prop_assert!(["192.0.2.1", "10.0.0.1"].contains(&found.as_str()), "{}", found);
        }
    }
}
