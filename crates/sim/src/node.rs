//! The names of what lives in a world.

use core::fmt;

macro_rules! index {
    ($(#[$about:meta])* $name:ident, $letter:literal) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) usize);

        impl $name {
            /// Its place in the order of creation.
            pub const fn index(self) -> usize {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $letter, self.0)
            }
        }
    };
}

index!(
    /// A peer of a world.
    PeerIndex, "p"
);
index!(
    /// A signaller of a world.
    SignallerIndex, "s"
);
index!(
    /// A puppet of a world.
    PuppetIndex, "x"
);

/// Anything that has a place in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// A peer.
    Peer(PeerIndex),
    /// A signaller.
    Signaller(SignallerIndex),
    /// A puppet.
    Puppet(PuppetIndex),
}

impl From<PeerIndex> for Node {
    fn from(peer: PeerIndex) -> Self {
        Self::Peer(peer)
    }
}

impl From<SignallerIndex> for Node {
    fn from(signaller: SignallerIndex) -> Self {
        Self::Signaller(signaller)
    }
}

impl From<PuppetIndex> for Node {
    fn from(puppet: PuppetIndex) -> Self {
        Self::Puppet(puppet)
    }
}
