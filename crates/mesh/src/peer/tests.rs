#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
    limits,
    testing::{self, NOW, identity},
};

/// A signaller can add to what it relays: that is no sign of life, and does not end the dial in place of the link.
#[test]
fn what_does_not_open_is_not_heard() {
    for relayed in [true, false] {
        let config = Config::new(testing::network());
        let mut peer = Peer::new(identity(0), config, [1; 32], NOW);
        let link = testing::neighbour(&mut peer.cx, &identity(1));
        let state = peer.cx.links.get_mut(link).unwrap();
        if relayed {
            state.on_circuit(true);
        }
        state.doubt(NOW);
        let later = NOW.after(limits::DOUBTED_AFTER);
        state.tick(later).unwrap();
        assert!(state.is_doubted());
        let dial = peer.cx.links.open(identity(1).peer_id(), false, 7, later).id;
        peer.cx.now = later;
        peer.of_peer(link, vec![7; 100]);
        assert_eq!(peer.cx.links.get(dial).is_some(), relayed);
    }
}
