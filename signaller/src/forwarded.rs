//! The headers in which reverse proxies write which client they serve (RFC 7239).

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// The addresses in a line of `X-Forwarded-For`; none for what is no address.
pub(crate) fn forwarded_for(line: &str) -> Vec<Option<IpAddr>> {
    line.split(',').map(|hop| address(hop.trim())).collect()
}

/// The addresses in a line of `Forwarded`; none for what is hidden, or no address.
pub(crate) fn forwarded(line: &str) -> Vec<Option<IpAddr>> {
    let Some(hops) = split_unquoted(line, ',') else { return vec![None] };
    let hop = |hop| {
        let pairs = split_unquoted(hop, ';')?;
        let value = pairs.into_iter().find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
        })?;
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        address(bare.unwrap_or(value))
    };
    hops.into_iter().map(hop).collect()
}

/// Splits at a separator outside of quotes: what a client chose, such as `host`, may stand in them.
/// None if a quote is left open, since then it is not known what was meant.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (index, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if letter == separator && !quoted => {
                parts.push(text.get(start..index)?);
                start = index + letter.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (!quoted).then_some(parts)
}

/// An address, with or without brackets and a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = IpAddr::from_str(bare)
        .or_else(|_| SocketAddr::from_str(text).map(|address| address.ip()))
        .ok()?;
    Some(address.to_canonical())
}
