#![allow(clippy::unwrap_used)]

use taiinet_query::DocumentKeys;

use super::*;
use crate::{
    Event, Output, limits,
    notice::Named,
    testing::{self, NOW, identity},
    wire::{Entry, Slot},
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

/// Another instance of ours may have published it, and a root may have named it before it is published here.
#[test]
fn who_publishes_what_was_named_before_is_told_so() {
    let config = Config::new(testing::network());
    let mut peer = Peer::new(identity(0), config, [1; 32], NOW);
    let document = testing::document(&identity(0), 1, 10);
    let id = document.id();
    let named = |peer: &mut Peer| {
        peer.publish_signed(document.clone(), NOW).unwrap();
        let mut outputs = std::iter::from_fn(|| peer.poll_output(NOW));
        outputs.any(|output| matches!(output, Output::Event(Event::Named { id: of }) if of == id))
    };
    assert!(!named(&mut peer));
    let entry = Entry { id: (&id).into(), about: DocumentKeys::EVERYTHING };
    peer.cx.notify(Notice::Named(Named { slot: Slot(0), depth: 0, entries: vec![entry] }));
    peer.settle();
    assert!(named(&mut peer));
}
