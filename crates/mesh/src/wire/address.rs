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
    is_authority(authority) && path.bytes().all(in_path)
}

/// Whether this is a host, perhaps with a port of 1 to 65535, and nothing else.
fn is_authority(authority: &str) -> bool {
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
    !host.is_empty() && port
}

/// The addresses in what a user writes, each as it goes over the wire: with commas between them, spaces and
/// line ends around them, the scheme in whatever case. A comma belongs to an address unless another
/// begins behind it. Whether each is one is not looked at.
pub(crate) fn addresses(text: &str) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for part in text.split(',') {
        match (scheme(part.trim()), addresses.last_mut()) {
            (None, Some(before)) if !part.trim().is_empty() => {
                before.push(',');
                before.push_str(part);
            }
            (Some((scheme, rest)), _) => addresses.push(format!("{scheme}://{rest}")),
            (None, _) => {
                addresses.extend(Some(part.trim().to_owned()).filter(|part| !part.is_empty()));
            }
        }
    }
    for address in &mut addresses {
        address.truncate(address.trim_end().len());
    }
    addresses
}

/// A signaller's scheme in lower case, and what follows it.
fn scheme(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let known = ["ws", "wss"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
    Some((known, rest))
}

/// Whether this is the address of a STUN server (RFC 7064; `stuns` is not spoken here) or a TURN server
/// (RFC 7065): a host, perhaps a port, and for TURN perhaps the transport, and nothing else.
pub(crate) fn is_ice_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    let (authority, query) = match rest.split_once('?') {
        Some((authority, query)) => (authority, Some(query)),
        None => (rest, None),
    };
    let query = match scheme {
        "stun" => query.is_none(),
        "turn" | "turns" => matches!(query, None | Some("transport=udp" | "transport=tcp")),
        _ => false,
    };
    query && url.len() <= limits::ICE_SERVER_BYTES && is_authority(authority)
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
    use proptest::prelude::*;

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
    fn what_a_user_writes_is_read_as_it_is_meant() {
        let all = ["ws://one.example", "wss://Two.example:1/a#tn1"];
        for text in [
            "ws://one.example,wss://Two.example:1/a#tn1",
            "ws://one.example, wss://Two.example:1/a#tn1\n",
            " WS://one.example ,\r\n\tWsS://Two.example:1/a#tn1 , ",
        ] {
            assert_eq!(addresses(text), all, "{text:?}");
        }
        for (text, expected) in [
            ("", &[][..]),
            (" ,\n", &[]),
            ("ws://one.example/a,b", &["ws://one.example/a,b"]),
            ("ws://one.example/a,b, ws://c", &["ws://one.example/a,b", "ws://c"]),
            // What is wrong stays so, and is seen by who reads it.
            ("http://one.example", &["http://one.example"]),
            ("one.example, ws://two.example", &["one.example", "ws://two.example"]),
        ] {
            assert_eq!(addresses(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_stun_or_turn_server_is_a_host_with_a_port_and_transport_or_without() {
        for good in [
            "stun:stun.example",
            "stun:127.0.0.1:3478",
            "stun:[::1]:5349",
            "turn:turn.example:3478",
            "turn:turn.example?transport=udp",
            "turns:turn.example:5349?transport=tcp",
            "turn:turn_1.example:65535",
        ] {
            assert!(is_ice_url(good), "{good}");
        }
        let long = format!("turn:{}", "a".repeat(limits::ICE_SERVER_BYTES));
        for bad in [
            "",
            "turn",
            "turn:",
            "turn::3478",
            "turn://turn.example",
            "http:turn.example",
            "stuns:stun.example",
            "turn:turn.example:",
            "turn:turn.example:0",
            "turn:turn.example:65536",
            "turn:turn.example:+1",
            "turn:turn.example:3478/",
            "turn:user@turn.example",
            "turn:user:password@turn.example:1",
            "turn:turn.example?transport=sctp",
            "turn:turn.example?transport=",
            "turn:turn.example?x=y",
            "turn:turn.example?transport=udp&x=y",
            "stun:stun.example?transport=udp",
            "turn:::1",
            "turn:[::1",
            "turn:[one]:1",
            "turn:a b",
            "turn:\u{fc}ber.example",
            "turn:turn.example#x",
            &long,
        ] {
            assert!(!is_ice_url(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_was_read_is_read_as_the_same(text in "( ?[Ww][Ss]{1,2}://[a-c,/ ]{1,6}[,\n]?){0,4}") {
            let read = addresses(&text);
            prop_assert!(read.iter().all(|one| !one.is_empty() && one.trim() == one));
            prop_assert_eq!(addresses(&read.join(", ")), read);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = (addresses(&text), is_ice_url(&text), is_address(&text));
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
