use super::*;
use crate::testing::{self, identity};

/// A link to a signaller.
const VIA: LinkId = LinkId::from_raw(1_000_000);

fn room() -> (Cx, Circuits, Signallers) {
    let cx = testing::cx();
    let signallers = Signallers::new(&cx);
    (cx, Circuits::default(), signallers)
}

fn open(cx: &mut Cx, room: &mut Circuits, signallers: &mut Signallers, peer: u8) -> Option<LinkId> {
    let part = CircuitPart::Open(vec![peer; 40]);
    let frame = CircuitFrame { peer: identity(peer).peer_id(), part };
    room.frame(cx, signallers, VIA, frame).map(|(link, _)| link)
}

#[test]
fn of_those_that_ask_and_prove_nothing_the_oldest_gives_way() {
    let (mut cx, mut room, mut signallers) = room();
    let links: Vec<LinkId> = (1..=limits::CIRCUITS as u8 + 2)
        .filter_map(|peer| open(&mut cx, &mut room, &mut signallers, peer))
        .collect();
    assert_eq!(links.len(), limits::CIRCUITS + 2, "no newcomer is kept out");
    let left = cx.links.named(|link| link.relayed);
    assert_eq!(left, links[2..]);
}

#[test]
fn who_asks_again_has_nothing_of_the_earlier_link() {
    let (mut cx, mut room, mut signallers) = room();
    let first = open(&mut cx, &mut room, &mut signallers, 1);
    let second = open(&mut cx, &mut room, &mut signallers, 1);
    assert!(first.is_some() && second.is_some() && first != second);
    assert_eq!(cx.links.named(|link| link.relayed).len(), 1);
    // No driver is told to close what it never opened.
    let outputs = core::mem::take(&mut cx.out);
    let outputs: Vec<Output> = outputs
        .into_iter()
        .filter_map(|output| room.carry(&mut cx, &mut signallers, output))
        .filter(|output| !matches!(output, Output::Event(_)))
        .collect();
    assert!(outputs.is_empty(), "{outputs:?}");
}

#[test]
fn nothing_passes_before_both_have_agreed_nor_for_another_signaller() {
    let (mut cx, mut room, mut signallers) = room();
    let link = open(&mut cx, &mut room, &mut signallers, 1);
    let peer = identity(1).peer_id();
    for part in [CircuitPart::Message(vec![1]), CircuitPart::Accept(vec![1])] {
        let frame = CircuitFrame { peer, part };
        assert_eq!(room.frame(&mut cx, &mut signallers, VIA, frame), None);
    }
    let elsewhere = LinkId::from_raw(1_000_001);
    let end = CircuitFrame { peer, part: CircuitPart::End(RefusalReason::Full) };
    assert_eq!(room.frame(&mut cx, &mut signallers, elsewhere, end.clone()), None);
    assert!(link.is_some_and(|link| cx.links.get(link).is_some()));
    room.frame(&mut cx, &mut signallers, VIA, end);
    assert!(link.is_some_and(|link| cx.links.get(link).is_none()));
}

#[test]
fn one_that_is_blacklisted_or_not_wanted_is_told_no() {
    let (mut cx, mut room, mut signallers) = room();
    cx.blacklist(identity(1).peer_id(), None).expect("room");
    assert_eq!(open(&mut cx, &mut room, &mut signallers, 1), None);
    assert_eq!(open(&mut cx, &mut room, &mut signallers, 0), None, "ourselves");
    cx.config.signaller_relay = SignallerRelay::Never;
    assert_eq!(open(&mut cx, &mut room, &mut signallers, 2), None);
}
