//! What some of a network's peers, met by chance, say of themselves.

use crate::wire::Presence;

/// How many of them one knows, and how many of these want everything. Each has signed it for itself: whoever lies
/// counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Crowd {
    pub(crate) peers: u32,
    pub(crate) open: u32,
}

impl Crowd {
    pub(crate) const fn count(&mut self, presence: &Presence) {
        self.peers = self.peers.saturating_add(1);
        self.open = self.open.saturating_add(presence.open as u32);
    }
}
