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

/// Has what is left to do with circuits done.
fn carry(cx: &mut Cx, room: &mut Circuits, signallers: &mut Signallers) -> Vec<Output> {
    let outputs = core::mem::take(&mut cx.out);
    let left = outputs.into_iter().filter_map(|output| room.carry(cx, signallers, output));
    left.filter(|output| !matches!(output, Output::Event(_))).collect()
}

#[test]
fn those_that_ask_and_prove_nothing_share_the_places_by_signaller() {
    let (mut cx, mut room, mut signallers) = room();
    let honest = open(&mut cx, &mut room, &mut signallers, 1);
    let hostile = LinkId::from_raw(1_000_001);
    let mut let_in = 0;
    for peer in 2..100 {
        let part = CircuitPart::Open(vec![peer; 40]);
        let frame = CircuitFrame { peer: identity(peer).peer_id(), part };
        let_in += usize::from(room.frame(&mut cx, &mut signallers, hostile, frame).is_some());
        carry(&mut cx, &mut room, &mut signallers);
    }
    assert!((30..95).contains(&let_in), "by chance, and not whoever comes last: {let_in}");
    assert_eq!(cx.links.named(|link| link.relayed).len(), limits::CIRCUITS);
    let honest = honest.and_then(|link| cx.links.get(link));
    assert!(honest.is_some(), "the one of another signaller is left alone");
}

/// A neighbour whose link is relayed.
fn relayed(cx: &mut Cx, peer: u8, incoming: bool) -> LinkId {
    let link = testing::neighbour(cx, &identity(peer));
    let state = cx.links.get_mut(link).expect("a link");
    (state.relayed, state.extra, state.incoming) = (true, true, incoming);
    link
}

#[test]
fn what_others_ask_for_leaves_a_peer_to_seek_links_of_its_own() {
    let (mut cx, mut room, mut signallers) = room();
    for peer in 1..=limits::CIRCUITS as u8 {
        let newcomer = identity(99).peer_id();
        assert!(cx.has_room_for_extra(false, newcomer));
        let has_room = usize::from(peer) <= limits::CIRCUITS_OF_OTHERS;
        assert_eq!(cx.has_room_for_extra(true, newcomer), has_room);
        // More, as where all links are relayed.
        relayed(&mut cx, peer, true);
        assert!(is_wanting(&cx), "{peer} of others' choice");
        if peer > 3 {
            break;
        }
    }
    assert_eq!(open(&mut cx, &mut room, &mut signallers, 9), None, "no more of them");
    relayed(&mut cx, 20, false);
    assert!(!is_wanting(&cx), "one of its own makes it enough");
}

/// It comes back by another signaller before the old link is seen to be dead.
#[test]
fn a_peer_is_not_kept_out_by_its_own_old_link() {
    let (mut cx, mut room, mut signallers) = room();
    for peer in 1..=limits::CIRCUITS_OF_OTHERS as u8 {
        relayed(&mut cx, peer, true);
    }
    assert_eq!(open(&mut cx, &mut room, &mut signallers, 9), None, "a third");
    assert!(open(&mut cx, &mut room, &mut signallers, 1).is_some());
}

/// What is earned on one of two links counts for both.
#[test]
fn a_peer_that_is_blacklisted_keeps_no_second_link() {
    let (mut cx, _, _) = room();
    let (direct, beside) = (testing::neighbour(&mut cx, &identity(1)), relayed(&mut cx, 1, true));
    let other = relayed(&mut cx, 2, true);
    for _ in 0..1000 {
        if cx.links.get(beside).is_none() {
            break;
        }
        cx.charge(beside, crate::Misbehaviour::InvalidSignature);
    }
    assert!(cx.reputation.is_blacklisted(&identity(1).peer_id(), cx.now));
    assert!(cx.links.get(beside).is_none() && cx.links.get(direct).is_none());
    assert!(cx.links.get(other).is_some(), "that is another's");
}

#[test]
fn a_neighbour_in_doubt_is_no_reason_to_go_without_a_relayed_link() {
    let (mut cx, _, _) = room();
    let direct: Vec<LinkId> =
        (1..=3).map(|peer| testing::neighbour(&mut cx, &identity(peer))).collect();
    assert!(!is_wanting(&cx));
    let (now, later) = (cx.now, cx.now.after(limits::DOUBTED_AFTER));
    for link in direct {
        let state = cx.links.get_mut(link).expect("a link");
        state.doubt(now);
        let _ = state.tick(later);
    }
    cx.now = later;
    assert!(cx.links.iter().all(Link::is_doubted) && is_wanting(&cx));
}

#[test]
fn who_has_not_proven_itself_is_no_link_to_the_peer_it_says_to_be() {
    let (mut cx, mut room, mut signallers) = room();
    let pending = open(&mut cx, &mut room, &mut signallers, 1).expect("room");
    cx.config.signaller_relay = SignallerRelay::Only;
    for peer in 2..=limits::CIRCUITS as u8 {
        open(&mut cx, &mut room, &mut signallers, peer);
    }
    assert!(is_wanting(&cx), "whoever only asks");
    assert!(!cx.links.get(pending).is_some_and(is_sure));
    let peer = identity(1).peer_id();
    assert!(!room.ask_over(&mut cx, peer, vec![VIA]), "there it has its name");
    assert!(room.ask_over(&mut cx, peer, vec![VIA, LinkId::from_raw(1_000_001)]));
}

#[test]
fn more_than_the_window_ends_the_circuit_and_blames_nobody() {
    let (mut cx, mut room, mut signallers) = room();
    let link = open(&mut cx, &mut room, &mut signallers, 1).expect("room");
    if let Some(circuit) = room.circuits.get_mut(&link) {
        circuit.stage = Stage::Open;
    }
    let peer = identity(1).peer_id();
    let mut message = |cx: &mut Cx, room: &mut Circuits| {
        let frame = CircuitFrame { peer, part: CircuitPart::Message(vec![1; 7_000]) };
        room.frame(cx, &mut signallers, VIA, frame)
    };
    let mut taken = 0;
    while let Some((link, bytes)) = message(&mut cx, &mut room) {
        taken += bytes.len() + limits::CIRCUIT_MESSAGE_BYTES;
        // It owes, so everything waits.
        let (now, state) = (cx.now, cx.links.get_mut(link).expect("a link"));
        state.work.spend(u64::MAX, now);
        assert_eq!(state.work.arrives(bytes, now), crate::links::Arrival::Waits);
        room.tell_taken(&mut cx, &mut Signallers::new(&testing::cx()));
        assert!(taken < 4 * limits::CIRCUIT_WINDOW, "{taken}");
    }
    assert!(taken >= limits::CIRCUIT_WINDOW, "{taken}");
    assert!(cx.links.get(link).is_none());
    assert!(cx.notices.iter().any(|notice| matches!(
        notice,
        Notice::LinkDown(LinkDown { cause: Disconnect::Link(LinkFailure::Transport(_)), .. })
    )));
    assert!(!cx.notices.iter().any(|notice| matches!(notice, Notice::Offended { .. })));
}

/// As a TURN server that keeps a direct link from being had.
#[test]
fn what_a_relayed_link_would_not_fail_of_is_a_want_of_a_path() {
    let mistaken = LinkFailure::Mistaken { what: String::new(), cure: String::new() };
    for failure in [mistaken, LinkFailure::Unreachable(String::new())] {
        assert!(is_for_want_of_a_path(&Disconnect::Link(failure)));
    }
    assert!(is_for_want_of_a_path(&Disconnect::DialTimeout));
    for other in [
        Disconnect::Link(LinkFailure::Remote),
        Disconnect::Local,
        Disconnect::Refused(RefusalReason::Full),
    ] {
        assert!(!is_for_want_of_a_path(&other), "{other:?}");
    }
}

#[test]
fn who_asks_again_has_nothing_of_the_earlier_link() {
    let (mut cx, mut room, mut signallers) = room();
    let first = open(&mut cx, &mut room, &mut signallers, 1);
    let second = open(&mut cx, &mut room, &mut signallers, 1);
    assert!(first.is_some() && second.is_some() && first != second);
    assert_eq!(cx.links.named(|link| link.relayed).len(), 1);
    // No driver is told to close what it never opened.
    let outputs = carry(&mut cx, &mut room, &mut signallers);
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
