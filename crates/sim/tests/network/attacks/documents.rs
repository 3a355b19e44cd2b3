//! Documents that must not pass: forged, foreign, out of time, too large.

use std::time::Duration;

use taiinet_document::{DocumentId, SignedDocument};
use taiinet_mesh::{
    Misbehaviour, limits,
    wire::{DocumentFrame, Frame, Push, codec},
};
use taiinet_sim::{Manners, PeerIndex, WireId, forge};

use crate::common::{Setting, network, seconds, sparse};

fn push(document: &SignedDocument) -> Frame {
    Frame::Documents(DocumentFrame::Push(Push { hops: 0, document: document.clone() }))
}

/// The victim drops it, counts it once under this name, and tells no other of it.
fn is_dropped(setting: &mut Setting, victim: PeerIndex, bad: &[u8], as_what: Misbehaviour) {
    let witness = setting.befriend(victim, Manners::HONEST).1;
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let delivered: Vec<usize> =
        setting.peers.iter().map(|peer| setting.world.deliveries(*peer).len()).collect();
    let announced = setting.world.wire(witness).frames().len();
    let before = setting.refused(victim, as_what);
    let pieces =
        if codec::needs_fragments(bad) { codec::fragment(bad) } else { vec![bad.to_vec()] };
    for piece in pieces {
        setting.world.speak_frame(wire, &piece);
    }
    setting.world.run_for(seconds(4));
    assert_eq!(setting.refused(victim, as_what), before + 1, "{as_what:?}");
    let after: Vec<usize> =
        setting.peers.iter().map(|peer| setting.world.deliveries(*peer).len()).collect();
    assert_eq!(delivered, after, "{as_what:?}: no peer gets anything");
    let told = &setting.world.wire(witness).frames()[announced..];
    let of_documents = |frame: &Frame| {
        matches!(
            frame,
            Frame::Documents(DocumentFrame::Push(_)) | Frame::Documents(DocumentFrame::Have(_))
        )
    };
    assert!(!told.iter().any(of_documents), "{as_what:?} was passed on: {told:?}");
    setting.world.hang_up(witness);
    setting.world.hang_up(wire);
    setting.world.run_for(seconds(1));
}

#[test]
fn what_breaks_a_rule_is_dropped_counted_and_never_forwarded() {
    let mut setting = sparse(1, 5);
    let victim = setting.peers[0];
    let author = setting.world.identity();
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).expect("short");

    let now = setting.world.now().as_millis();
    let good = forge::document(&author, &network(), now, r#"{"a": 1}"#);
    let bad = forge::with_bad_signature(&good);
    is_dropped(&mut setting, victim, &codec::encode(&push(&bad)), Misbehaviour::InvalidSignature);

    let foreign = forge::document(&author, &"elsewhere".parse().expect("a name"), now, "{}");
    is_dropped(&mut setting, victim, &codec::encode(&push(&foreign)), Misbehaviour::WrongNetwork);

    for (created_at, what) in [
        (
            setting.world.now().as_millis() + millis(limits::CLOCK_SKEW) + 60_000,
            Misbehaviour::OutOfTime,
        ),
        (
            setting.world.now().as_millis() - millis(limits::LIVE_WINDOW) - 60_000,
            Misbehaviour::OutOfTime,
        ),
        (0, Misbehaviour::LongOver),
        (u64::MAX - 1, Misbehaviour::LongOver),
    ] {
        let document = forge::document(&author, &network(), created_at, "{}");
        let frame = codec::encode(&push(&document));
        is_dropped(&mut setting, victim, &frame, what);
    }

    let garbage = forge::raw_push(&author, 0, &[0xff; 100]);
    is_dropped(&mut setting, victim, &garbage, Misbehaviour::MalformedDocument);
    let empty = forge::raw_push(&author, 0, &[]);
    is_dropped(&mut setting, victim, &empty, Misbehaviour::MalformedDocument);
    let mut padded = good.body().to_vec();
    padded.push(0);
    let padded = forge::raw_push(&author, 0, &padded);
    is_dropped(&mut setting, victim, &padded, Misbehaviour::MalformedDocument);
    let cut = forge::raw_push(&author, 0, &good.body()[..good.body().len() - 1]);
    is_dropped(&mut setting, victim, &cut, Misbehaviour::MalformedDocument);

    setting.still_works();
    setting.sound();
}

#[test]
fn a_document_over_the_limit_is_refused_and_its_sender_dropped() {
    let mut setting = sparse(2, 5);
    let victim = setting.peers[0];
    let author = setting.world.identity();
    for size in [limits::FRAME_BYTES - 100, limits::FRAME_BYTES + 100, 4 * limits::FRAME_BYTES] {
        let wire = setting.befriend(victim, Manners::HONEST).1;
        let frame = forge::raw_push(&author, 0, &vec![7; size]);
        for piece in codec::fragment(&frame) {
            setting.world.speak_frame(wire, &piece);
        }
        setting.world.run_for(seconds(4));
        let rejected = setting.world.status(victim).counters.rejected;
        assert!(setting.world.wire(wire).ended().is_some(), "{size}: {rejected:?}");
    }
    let rejected = setting.world.status(victim).counters.rejected;
    let fitting = rejected
        .iter()
        .filter(|(what, _)| matches!(what, Misbehaviour::Oversize | Misbehaviour::Undecodable));
    assert_eq!(fitting.map(|(_, count)| count).sum::<u64>(), 3, "{rejected:?}");
    setting.still_works();
}

/// An attacker is faster with a spoilt copy of an honest document (the same name, a signature that does
/// not hold): the good one arrives all the same.
#[test]
fn a_bad_copy_does_not_suppress_the_good_one() {
    let mut setting = sparse(3, 6);
    let author = setting.world.identity();
    let mut wires = Vec::new();
    for peer in setting.peers.clone() {
        wires.push(setting.befriend(peer, Manners::HONEST).1);
    }
    let mut good = Vec::new();
    // Few enough not to cost the wires themselves.
    for number in 0..8 {
        let now = setting.world.now().as_millis();
        let content = format!(r#"{{"number": {number}}}"#);
        let document = forge::document(&author, &network(), now, &content);
        let bad = forge::with_bad_signature(&document);
        assert_eq!(bad.id(), document.id());
        for wire in &wires {
            setting
                .world
                .speak(*wire, &[push(&bad), Frame::Documents(DocumentFrame::Have(vec![bad.id()]))]);
        }
        setting.world.run_for(Duration::from_millis(200));
        setting.world.speak(wires[0], &[push(&document)]);
        good.push(document.id());
    }
    for peer in setting.peers.clone() {
        let all = |world: &taiinet_sim::World| {
            let got: Vec<DocumentId> =
                world.deliveries(peer).iter().map(|delivered| delivered.id).collect();
            good.iter().all(|id| got.contains(id))
        };
        assert!(setting.world.run_until(seconds(20), all), "{peer:?} lacks some");
        let mut ids: Vec<_> =
            setting.world.deliveries(peer).iter().map(|delivered| delivered.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{peer:?} got some twice");
    }
    setting.still_works();
}

/// A peer that sends nothing but invalid signatures loses the link; the others notice nothing.
#[test]
fn a_flood_of_invalid_signatures_ends_the_link() {
    let mut setting = sparse(4, 5);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    flood(&mut setting, wire, 200);
    setting.world.run_for(seconds(3));
    assert!(setting.world.wire(wire).ended().is_some());
    let counted = setting.refused(victim, Misbehaviour::InvalidSignature);
    let enough = limits::BLACKLISTED_AT / Misbehaviour::InvalidSignature.weight();
    assert_eq!(counted, u64::from(enough), "signatures were checked");
    setting.still_works();
}

fn flood(setting: &mut Setting, wire: WireId, count: usize) {
    let author = setting.world.identity();
    for number in 0..count {
        let now = setting.world.now().as_millis();
        let content = format!(r#"{{"number": {number}}}"#);
        let document = forge::document(&author, &network(), now, &content);
        setting.world.speak(wire, &[push(&forge::with_bad_signature(&document))]);
    }
}

/// A hop count is a hint, whatever it says.
#[test]
fn extreme_hop_counts_do_no_harm() {
    let mut setting = sparse(5, 6);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let author = setting.world.identity();
    let mut ids = Vec::new();
    for hops in [0, 1, 127, 128, 254, 255] {
        let now = setting.world.now().as_millis();
        let document = forge::document(&author, &network(), now, &format!(r#"{{"hops": {hops}}}"#));
        ids.push(document.id());
        setting
            .world
            .speak(wire, &[Frame::Documents(DocumentFrame::Push(Push { hops, document }))]);
    }
    for peer in setting.peers.clone() {
        let all = |world: &taiinet_sim::World| {
            let got = world.deliveries(peer);
            ids.iter().all(|id| got.iter().filter(|delivered| delivered.id == *id).count() == 1)
        };
        assert!(setting.world.run_until(seconds(10), all), "{peer:?}");
    }
    assert!(setting.world.wire(wire).ended().is_none());
    setting.still_works();
}

/// The same document again and again is a duplicate each time, and no work.
#[test]
fn repeating_a_document_delivers_it_once() {
    let mut setting = sparse(6, 5);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let author = setting.world.identity();
    let now = setting.world.now().as_millis();
    let document = forge::document(&author, &network(), now, "{}");
    for _ in 0..300 {
        setting.world.speak(wire, &[push(&document)]);
    }
    setting.world.run_for(seconds(5));
    for peer in setting.peers.clone() {
        let got = setting.world.deliveries(peer);
        assert_eq!(got.iter().filter(|got| got.id == document.id()).count(), 1, "{peer:?}");
    }
    setting.still_works();
    setting.sound();
}
