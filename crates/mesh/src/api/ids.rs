//! Names of what a peer holds.

/// Names a link of this peer. The core chooses it when it dials; it is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub(crate) u64);

impl LinkId {
    /// For drivers' own tests; a core gives out its ids itself.
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number behind it.
    pub const fn raw(self) -> u64 {
        self.0
    }
}

impl core::fmt::Display for LinkId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Names a subscription of this peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub(crate) u64);

/// Names documents that archives are asked to keep ([`crate::Peer::keep`]); it is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeepId(pub(crate) u32);

/// Names a search of this peer ([`crate::Peer::find`]); it is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindId(pub(crate) u32);
