//! Who may supply whom.

use taiinet_identity::PeerId;
use taiinet_query::RoutingKey;

use crate::interest::Wants;

/// The order among the peers that want one key: the lesser supplies the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order([u8; 16]);

impl Order {
    pub(super) fn of(peer: &PeerId, key: &RoutingKey) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"taiinet/1 supplier");
        for term in key.terms() {
            hasher.update(&term.to_bytes());
        }
        hasher.update(peer.as_bytes());
        let mut order = [0; 16];
        hasher.finalize_xof().fill(&mut order);
        Self(order)
    }
}

/// Whether we, who want this, may supply a peer with what stands under a key.
pub(super) fn supplies(us: &PeerId, wants: &Wants, client: &PeerId, key: &RoutingKey) -> bool {
    wants.keys().any(|own| own != key && own.covers(key))
        || wants.has(key) && Order::of(us, key) < Order::of(client, key)
}
