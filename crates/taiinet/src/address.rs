//! Addresses of signallers as users write them: `ws://HOST:PORT` or `wss://HOST`, and behind a `#` the
//! key that the signaller must prove.

use http::Uri;
use taiinet_identity::PeerIdError;
use taiinet_mesh::SignallerAddress;

/// The longest address.
const ADDRESS_BYTES: usize = 1024;

/// Reads a signaller's address: `ws://127.0.0.1:7700`, `wss://signaller.example#tn1…`. Spaces and ends of lines
/// around it do not count, nor does the case of `ws` and `wss`.
///
/// # Errors
/// [`AddressError`]
pub fn parse_signaller(address: &str) -> Result<SignallerAddress, AddressError> {
    if address.len() > ADDRESS_BYTES {
        return Err(AddressError::TooLong);
    }
    let mut urls = SignallerAddress::urls(address).into_iter();
    let (Some(address), None) = (urls.next(), urls.next()) else { return Err(AddressError::Form) };
    let (url, pinned) = match address.split_once('#') {
        Some((url, key)) => (url, Some(key.parse()?)),
        None => (&*address, None),
    };
    if !(url.starts_with("ws://") || url.starts_with("wss://")) {
        return Err(AddressError::Scheme);
    }
    let uri: Uri = url.parse().map_err(|_| AddressError::Form)?;
    let authority = uri.authority().ok_or(AddressError::Form)?;
    if authority.as_str().contains('@') {
        return Err(AddressError::UserInfo);
    }
    let port = authority.as_str().rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
    if uri.host().is_none_or(str::is_empty)
        || port.is_some_and(|(_, port)| port.parse::<u16>().is_err())
    {
        return Err(AddressError::Form);
    }
    Ok(SignallerAddress { url: url.to_owned(), pinned })
}

/// Why a text is no signaller's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither `ws://` nor `wss://`.
    #[error("an address begins with ws:// or wss://")]
    Scheme,
    /// No host, or a port that is no port.
    #[error("not of the form ws://HOST:PORT or wss://HOST:PORT")]
    Form,
    /// A user name or password.
    #[error("an address has no user name or password")]
    UserInfo,
    /// Longer than any address.
    #[error("an address has at most {ADDRESS_BYTES} bytes")]
    TooLong,
    /// What stands behind the `#`.
    #[error("behind the `#` stands the signaller's key: {0}")]
    Pin(#[from] PeerIdError),
}

#[cfg(test)]
mod tests {
    use taiinet_identity::{Identity, Seed};

    use super::*;

    #[test]
    fn addresses_with_and_without_a_key() {
        let plain = parse_signaller("ws://127.0.0.1:7700").expect("an address");
        assert_eq!(plain, SignallerAddress { url: "ws://127.0.0.1:7700".into(), pinned: None });
        assert_eq!(parse_signaller(" WS://127.0.0.1:7700\n"), Ok(plain));
        parse_signaller("ws://[::1]:7700/path").expect("an address");
        parse_signaller("ws://[::1]").expect("an address");

        let key = Identity::from_seed(&Seed::from_bytes([7; 32])).peer_id();
        let pinned =
            parse_signaller(&format!("wss://signaller.example#{key}")).expect("an address");
        assert_eq!(pinned.pinned, Some(key));
        assert_eq!(pinned.url, "wss://signaller.example");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (address, error) in [
            ("http://127.0.0.1:7700", AddressError::Scheme),
            ("127.0.0.1:7700", AddressError::Scheme),
            ("", AddressError::Form),
            ("ws://one, ws://two", AddressError::Form),
            ("ws://", AddressError::Form),
            ("ws://:7700", AddressError::Form),
            ("ws://host:70000", AddressError::Form),
            ("ws://a b", AddressError::Form),
            ("ws://me:secret@host", AddressError::UserInfo),
            ("ws://host#tn1nothing", AddressError::Pin(PeerIdError::Form)),
        ] {
            assert_eq!(parse_signaller(address), Err(error), "{address}");
        }
        assert_eq!(
            parse_signaller(&format!("ws://{}", "a".repeat(2000))),
            Err(AddressError::TooLong)
        );
    }
}
