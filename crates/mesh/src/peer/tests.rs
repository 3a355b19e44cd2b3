#![allow(clippy::unwrap_used)]

use taiinet_query::DocumentKeys;

use super::*;
use crate::{
    Event, Output, limits,
    notice::{Named, NeighbourUp},
    testing::{self, NOW, identity},
    wire::{Entry, IdPrefix, Slot, ViewFrame},
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

#[test]
fn a_peer_knows_that_it_is_cut_off_by_what_is_named_and_does_not_come_or_by_peers_that_it_does_not_reach()
 {
    let peer = || {
        let mut peer = Peer::new(identity(0), Config::new(testing::network()), [1; 32], NOW);
        let link = testing::neighbour(&mut peer.cx, &identity(1));
        peer.cx.links.get_mut(link).unwrap().has_trees = true;
        peer.cx.notify(Notice::NeighbourUp(NeighbourUp {
            link,
            peer: identity(1).peer_id(),
            session: 0,
            since: NOW.timestamp(),
        }));
        peer.settle();
        (peer, link)
    };
    // It knows more peers than those of its tree.
    let (mut apart, link) = peer();
    assert!(!apart.is_cut_off());
    let presences = (10..20).map(|number| testing::presence(&identity(number), NOW));
    let presences = presences.map(|presence| presence.signed().clone()).collect();
    apart.membership.frame(&mut apart.cx, link, ViewFrame::ShuffleReply(presences)).unwrap();
    assert!(apart.is_cut_off());
    // It wants what is named, asks for it in vain, and gets nothing else.
    let (mut starving, link) = peer();
    starving.subscribe("{}".parse().unwrap()).unwrap();
    let entries =
        [1, 2].map(|number| Entry { id: IdPrefix([number; 8]), about: DocumentKeys::EVERYTHING });
    starving.cx.now = NOW.after(limits::BEAT_IDLE);
    starving.cx.notify(Notice::Named(Named { slot: Slot(0), depth: 0, entries: entries.into() }));
    starving.settle();
    assert!(!starving.is_cut_off(), "it may come yet");
    let asks = limits::ASK_EVERY * u32::from(limits::ASK_ALONE + 1);
    let until = starving.cx.now.after(limits::ASK_AFTER + limits::MISSED_LATER + asks);
    while starving.cx.now < until {
        starving.cx.now = starving.cx.now.after(limits::ASK_LATER);
        starving.routes.tick(&mut starving.cx, starving.interest.wants(), &starving.trees);
    }
    assert!(starving.is_cut_off());
    starving.cx.links.get_mut(link).unwrap().brought_at = Some(starving.cx.now);
    assert!(!starving.is_cut_off());
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
