//! What ties a handshake to the channel it runs over.

use core::fmt;

/// What identifies a channel to both of its ends, and is no other channel's: a hash over both
/// DTLS fingerprints, or that of a [`crate::session`]. Signed in the handshake, it leaves no room for
/// an attacker in the middle, even if the session descriptions were altered on their way (compare RFC 5056,
/// RFC 8842).
///
/// A driver has [`ChannelBinding::NONE`] for a WebSocket: what binds there is a session that the core
/// makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChannelBinding([u8; 32]);

impl ChannelBinding {
    /// No binding.
    pub const NONE: Self = Self([0; 32]);

    /// From a hash over what both ends know of the channel.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of a WebRTC channel, from the two session descriptions in either order. The DTLS stack has
    /// checked each certificate against the fingerprint in its description.
    ///
    /// None if a description has no SHA-256 fingerprint, two that differ, or one by another hash: a
    /// stack may check the certificate against just that one. No browser sends others.
    pub fn of_descriptions(one: &str, other: &str) -> Option<Self> {
        let mut fingerprints = [fingerprint(one)?, fingerprint(other)?];
        fingerprints.sort_unstable();
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"taiinet/1 channel");
        hasher.update(&fingerprints[0]);
        hasher.update(&fingerprints[1]);
        Some(Self(*hasher.finalize().as_bytes()))
    }
}

impl fmt::Debug for ChannelBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelBinding({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// The SHA-256 fingerprint in a session description (RFC 8122: `a=fingerprint:sha-256 AB:CD:…`).
fn fingerprint(description: &str) -> Option<[u8; 32]> {
    let mut found = None;
    for line in description.lines() {
        let line = line.trim_end();
        let named = line.get(.."a=fingerprint".len());
        if !named.is_some_and(|name| name.eq_ignore_ascii_case("a=fingerprint")) {
            continue;
        }
        let value = line.strip_prefix("a=fingerprint:")?;
        let (algorithm, hex) = value.split_once(' ')?;
        if !algorithm.eq_ignore_ascii_case("sha-256") {
            return None;
        }
        let bytes: Vec<u8> =
            hex.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect::<Option<_>>()?;
        let bytes: [u8; 32] = bytes.try_into().ok()?;
        if found.is_some_and(|earlier| earlier != bytes) {
            return None;
        }
        found = Some(bytes);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(bytes: [u8; 32]) -> String {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("v=0\r\na=fingerprint:sha-256 {}\r\na=setup:actpass\r\n", hex.join(":"))
    }

    #[test]
    fn both_ends_compute_the_same_and_another_certificate_another() {
        let (a, b, c) = (description([1; 32]), description([2; 32]), description([3; 32]));
        let binding = ChannelBinding::of_descriptions(&a, &b);
        assert!(binding.is_some());
        assert_eq!(binding, ChannelBinding::of_descriptions(&b, &a));
        assert_ne!(binding, ChannelBinding::of_descriptions(&a, &c));
    }

    #[test]
    fn no_fingerprint_or_two_different_ones_bind_nothing() {
        let a = description([1; 32]);
        assert_eq!(ChannelBinding::of_descriptions(&a, "v=0\r\n"), None);
        let two = format!("{a}{}", description([2; 32]));
        assert_eq!(ChannelBinding::of_descriptions(&two, &a), None);
        // Two of one certificate, as RFC 8122 has it, or the second of another: no one could tell.
        let victim = description([2; 32]);
        let hidden = format!("{victim}a=fingerprint:sha-512 01:02:03\r\n");
        assert!(ChannelBinding::of_descriptions(&victim, &a).is_some());
        assert_eq!(ChannelBinding::of_descriptions(&hidden, &a), None);
        assert_eq!(ChannelBinding::of_descriptions(&a, &hidden), None);
        for line in
            ["A=FINGERPRINT:sha-512 01", "a=Fingerprint:sha-256 01", "a=fingerprint :sha-1 01"]
        {
            assert_eq!(
                ChannelBinding::of_descriptions(&format!("{victim}{line}\r\n"), &a),
                None,
                "{line}"
            );
        }
        let odd = "a=fingerprint:sha-256 01:zz\r\n";
        assert_eq!(ChannelBinding::of_descriptions(odd, &a), None);
    }
}
