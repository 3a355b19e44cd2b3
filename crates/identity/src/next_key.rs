//! What a peer says of the key that it will have next.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The hash of a peer's next key, which it can state in presences and documents long before it shows the
/// key itself: so that a later version can rotate and revoke keys without trust in others.
///
/// Reserved. This version states none, and carries what others state unread, under their signatures.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextKey([u8; 32]);

impl NextKey {
    /// Takes the 32 bytes as they are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for NextKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NextKey({:02x}{:02x}{:02x}…)", self.0[0], self.0[1], self.0[2])
    }
}
