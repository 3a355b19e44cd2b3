//! Where a signaller can be reached.

use core::net::Ipv6Addr;

use crate::limits;

/// Whether this is an address that a signaller may have: `ws` or `wss`, a host and perhaps a port and a
/// path, and nothing that another parser could take for something else, such as a name and password.
pub(crate) fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("wss://").or_else(|| url.strip_prefix("ws://"));
    let Some(rest) = rest.filter(|_| url.len() <= limits::ADDRESS_BYTES) else { return false };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let in_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%+=,:".contains(&byte);
    let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let Some((host, port)) = v6.split_once(']') else { return false };
            if host.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            (host, port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            if host.is_empty() || !host.bytes().all(in_host) {
                return false;
            }
            (host, port)
        }
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0));
    !host.is_empty() && port && path.bytes().all(in_path)
}

/// Whether two texts are the same address, however they are written.
pub(crate) fn is_same_address(one: &str, other: &str) -> bool {
    one == other || normal(one).is_some_and(|one| Some(one) == normal(other))
}

/// The one form of all addresses that mean the same.
fn normal(url: &str) -> Option<(String, String, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let usual = match &*scheme {
        "ws" => ":80",
        "wss" => ":443",
        _ => return None,
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.strip_suffix(usual).unwrap_or(host).to_ascii_lowercase();
    Some((scheme, host, if path == "/" { "" } else { path }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        for (one, other) in [
            ("wss://one.example", "WSS://One.Example:443/"),
            ("ws://one.example:80/ws", "ws://one.example/ws"),
            ("ws://[::1]:80", "ws://[::1]"),
            ("anything", "anything"),
        ] {
            assert!(is_same_address(one, other) && is_same_address(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("wss://one.example", "ws://one.example"),
            ("wss://one.example", "wss://one.example:80"),
            ("wss://one.example", "wss://two.example"),
            ("wss://one.example/a", "wss://one.example/A"),
            ("wss://one.example", "one.example"),
            ("", "wss://"),
        ] {
            assert!(!is_same_address(one, other), "{one} {other}");
        }
    }

    #[test]
    fn an_address_is_a_host_with_a_port_and_path_or_without() {
        for good in [
            "ws://127.0.0.1:7700",
            "wss://one.example",
            "wss://one.example/a/b-c.d",
            "ws://[::1]:7700/ws",
            "ws://signaller-0.virtual",
        ] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("ws://{}", "a".repeat(limits::ADDRESS_BYTES));
        for bad in [
            "",
            "ws://",
            "ws:///x",
            "ws://:1",
            "http://one.example",
            "wss://user@one.example",
            "wss://user:password@one.example:1",
            "ws://one.example:0",
            "ws://one.example:65536",
            "ws://one.example:",
            "ws://one.example:+1",
            "ws://one.example:8a",
            "ws://one.example#key",
            "ws://one.example?query",
            "ws://one.example/?query",
            "ws://one.example/#key",
            "ws://one example",
            "ws://one.example\\@other.example",
            "ws://[::1",
            "ws://[one]",
            "ws://[::1]x:1",
            "ws://one.example/a b",
            "ws://\u{fc}ber.example",
            &long,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
