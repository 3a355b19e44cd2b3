//! Announcements without documents, requests without end, acknowledgements that lie.

use std::time::Duration;

use taiinet_document::DocumentId;
use taiinet_mesh::{
    Misbehaviour, limits,
    wire::{DocumentFrame, Fragment, Frame, LinkFrame, Push},
};
use taiinet_sim::{Manners, World, forge};

use crate::common::{Setting, network, seconds, sparse};

fn invented(number: u64) -> DocumentId {
    let mut bytes = [0xab; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    DocumentId::from_bytes(bytes)
}

fn announce(setting: &mut Setting, wire: taiinet_sim::WireId, range: std::ops::Range<u64>) {
    let ids: Vec<DocumentId> = range.map(invented).collect();
    for ids in ids.chunks(limits::IDS_PER_FRAME) {
        setting.world.speak(wire, &[Frame::Documents(DocumentFrame::Have(ids.to_vec()))]);
    }
}

/// Time-outs of a victim in twenty seconds in which a neighbour announced so many documents that do
/// not exist.
fn time_outs_under(announced: u64) -> u64 {
    let mut setting = sparse(1, 5);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners { serves: false, ..Manners::HONEST }).1;
    let before = setting.world.time_outs(victim);
    announce(&mut setting, wire, 0..announced);
    setting.world.run_for(seconds(20));
    let time_outs = setting.world.time_outs(victim) - before;
    let asked = setting.world.wire(wire).grafted().len();
    assert!(asked <= limits::IDS_PER_FRAME * 2, "it asked for {asked} in spite of broken promises");
    if announced > 0 {
        assert!(setting.refused(victim, Misbehaviour::BrokenPromise) > 0);
    }
    // Everything else goes on.
    setting.still_works();
    setting.sound();
    time_outs
}

#[test]
fn announcements_of_nothing_grow_neither_timers_nor_traffic() {
    let (without, few, many) = (time_outs_under(0), time_outs_under(1), time_outs_under(8_000));
    assert!(many <= few + 20, "time-outs: {without} without, {few} with one, {many} with 8000");
}

#[test]
fn more_announcements_than_the_budget_end_the_link() {
    let mut setting = sparse(2, 5);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners { serves: false, ..Manners::HONEST }).1;
    announce(&mut setting, wire, 0..200_000);
    setting.world.run_for(seconds(10));
    assert!(setting.refused(victim, Misbehaviour::AnnouncementFlood) > 0);
    assert!(setting.world.wire(wire).ended().is_some(), "the flood still has its link");
    setting.still_works();
}

/// A liar announces first and never sends; an honest neighbour announces later and would send.
fn arrives_in_spite_of(liar_does: impl Fn(&mut Setting, taiinet_sim::WireId)) -> Duration {
    let mut setting = sparse(3, 4);
    let victim = setting.peers[0];
    let liar = setting.befriend(victim, Manners { serves: false, ..Manners::HONEST }).1;
    let (honest, friend) = setting.befriend(victim, Manners::HONEST);
    let author = setting.world.identity();
    let began = setting.world.now();
    let document = forge::document(&author, &network(), began.as_millis(), r#"{"wanted": 1}"#);
    let id = document.id();
    setting.world.stash(honest, document);
    setting.world.speak(liar, &[Frame::Documents(DocumentFrame::Have(vec![id]))]);
    setting.world.run_for(Duration::from_millis(100));
    setting.world.speak(friend, &[Frame::Documents(DocumentFrame::Have(vec![id]))]);
    let got = |world: &World| world.deliveries(victim).iter().any(|delivered| delivered.id == id);
    for _ in 0..120 {
        liar_does(&mut setting, liar);
        if setting.world.run_until(Duration::from_millis(500), got) {
            return setting.world.now().since(began);
        }
    }
    panic!("the document did not arrive within a minute");
}

#[test]
fn a_promise_not_kept_only_delays_the_document() {
    let delay = arrives_in_spite_of(|_, _| {});
    assert!(delay < seconds(8), "{delay:?}");
}

/// The liar sends a piece of something now and then, so that it looks as if the document came.
#[test]
fn a_promise_dripped_byte_by_byte_does_not_hold_the_document_back() {
    let delay = arrives_in_spite_of(|setting, liar| {
        let drop = Frame::Fragment(Fragment { last: false, bytes: vec![1] });
        setting.world.speak(liar, &[drop]);
    });
    assert!(delay < seconds(20), "{delay:?}");
}

/// The liar announces the document among many others, and keeps one of these promises now and then.
#[test]
fn a_promise_hidden_among_kept_ones_does_not_hold_the_document_back() {
    let mut setting = sparse(4, 4);
    let victim = setting.peers[0];
    let (bad, liar) = setting.befriend(victim, Manners { serves: false, ..Manners::HONEST });
    let (honest, friend) = setting.befriend(victim, Manners::HONEST);
    let author = setting.world.identity();
    let began = setting.world.now();
    let make = |number: u32| {
        let content = format!(r#"{{"number": {number}}}"#);
        forge::document(&author, &network(), began.as_millis(), &content)
    };
    let wanted = make(1000);
    let id = wanted.id();
    let bait: Vec<_> = (0..100).map(make).collect();
    let mut ids: Vec<DocumentId> = bait.iter().map(taiinet_document::SignedDocument::id).collect();
    ids.push(id);
    assert!(!setting.world.puppet(bad).has_joined() || setting.world.wire(liar).is_neighbour());
    setting.world.stash(honest, wanted);
    setting.world.speak(liar, &[Frame::Documents(DocumentFrame::Have(ids))]);
    setting.world.run_for(Duration::from_millis(100));
    setting.world.speak(friend, &[Frame::Documents(DocumentFrame::Have(vec![id]))]);
    let got = |world: &World| world.deliveries(victim).iter().any(|delivered| delivered.id == id);
    for document in bait {
        setting
            .world
            .speak(liar, &[Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }))]);
        if setting.world.run_until(Duration::from_millis(1500), got) {
            break;
        }
    }
    let delay = setting.world.now().since(began);
    assert!(got(&setting.world) && delay < seconds(30), "{delay:?}");
}

/// A neighbour that takes and never says so costs itself the documents, and no other.
#[test]
fn a_neighbour_that_never_acknowledges_holds_nobody_up() {
    let mut setting = sparse(5, 6);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners { acks: false, ..Manners::HONEST }).1;
    let text = "x".repeat(20_000);
    let since = setting.world.now();
    for number in 0..150 {
        let by = setting.peers[number % 6];
        let content = format!(r#"{{"number": {number}, "text": "{text}"}}"#);
        setting.world.publish(by, &content).expect("a neighbour takes them");
        setting.world.run_for(Duration::from_millis(100));
        for link in setting.world.status(victim).links {
            let bound = limits::DATA_LANE_BYTES + limits::CONTROL_LANE_BYTES + 300_000;
            assert!(link.queued_bytes <= bound, "{link:?}");
        }
    }
    setting.arrives(seconds(10), |published| published.at >= since);
    let taken = setting.world.wire(wire).pushed().len() * 20_000;
    assert!(taken <= 2 * limits::LINK_WINDOW, "{taken} bytes were sent without a word back");
    setting.sound();
}

#[test]
fn acknowledging_what_was_never_sent_ends_the_link() {
    let mut setting = sparse(6, 4);
    let victim = setting.peers[0];
    for bytes in [1, 1_000_000, u32::MAX] {
        let wire = setting.befriend(victim, Manners::HONEST).1;
        let before = setting.refused(victim, Misbehaviour::FalseAck);
        setting.world.speak(wire, &[Frame::Link(LinkFrame::Ack(bytes))]);
        setting.world.run_for(seconds(1));
        assert_eq!(setting.refused(victim, Misbehaviour::FalseAck), before + 1);
        assert!(setting.world.wire(wire).ended().is_some());
    }
    setting.still_works();
}

/// A false acknowledgement must not make a publisher believe that its document is safe.
#[test]
fn a_document_is_taken_only_by_a_peer_that_got_it() {
    let mut setting = crate::common::started(7, 1);
    let publisher = setting.peers[0];
    setting.world.run_for(seconds(3));
    let wire = setting.befriend(publisher, Manners { acks: false, ..Manners::HONEST }).1;
    setting.world.publish(publisher, "{}").expect("there is room");
    setting.world.run_for(seconds(2));
    assert_eq!(setting.world.wire(wire).pushed().len(), 1);
    assert_eq!(setting.world.untaken(publisher), 1, "no neighbour has said that it took it");
    setting.world.speak(wire, &[Frame::Link(LinkFrame::Ack(u32::MAX))]);
    setting.world.run_for(seconds(2));
    assert_eq!(setting.world.untaken(publisher), 1, "a lie is not a receipt");
}

/// One document is served to one link a few times, not for ever.
#[test]
fn asking_for_the_same_document_again_and_again_is_limited() {
    let mut setting = sparse(8, 4);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let text = "x".repeat(5_000);
    let id = setting.world.publish(victim, &format!(r#"{{"text": "{text}"}}"#)).expect("room");
    setting.world.run_for(seconds(1));
    for _ in 0..100 {
        setting.world.speak(wire, &[Frame::Documents(DocumentFrame::Graft(vec![id; 10]))]);
        setting.world.run_for(Duration::from_millis(10));
    }
    setting.world.run_for(seconds(3));
    let served = setting.world.wire(wire).pushed().iter().filter(|got| **got == id).count();
    assert!(served <= 1 + usize::from(limits::SERVINGS), "served {served} times");
    assert!(setting.refused(victim, Misbehaviour::RequestFlood) > 0);
    assert!(setting.world.wire(wire).ended().is_some(), "the flood still has its link");
    setting.still_works();
}

/// Grafts of what we do not have are nothing, in any number.
#[test]
fn asking_for_what_does_not_exist_is_ignored() {
    let mut setting = sparse(9, 4);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    for round in 0..100 {
        let ids = (round * 400..(round + 1) * 400).map(invented).collect();
        setting.world.speak(wire, &[Frame::Documents(DocumentFrame::Graft(ids))]);
    }
    setting.world.run_for(seconds(3));
    assert_eq!(setting.world.wire(wire).pushed().len(), 0);
    setting.still_works();
}

/// Prunes in any number do not make documents disappear.
#[test]
fn a_neighbour_that_always_prunes_still_lets_documents_pass() {
    let mut setting = sparse(10, 6);
    let mut wires = Vec::new();
    for peer in setting.peers.clone() {
        wires.push(setting.befriend(peer, Manners::HONEST).1);
    }
    let since = setting.world.now();
    for number in 0..30 {
        for wire in &wires {
            setting.world.speak(
                *wire,
                &[
                    Frame::Documents(DocumentFrame::Feed(0)),
                    Frame::Documents(DocumentFrame::Graft(Vec::new())),
                    Frame::Documents(DocumentFrame::Feed(0)),
                ],
            );
        }
        let by = setting.peers[number % 6];
        setting.world.publish(by, &format!(r#"{{"number": {number}}}"#)).expect("there is room");
        setting.world.run_for(Duration::from_millis(100));
    }
    setting.arrives(seconds(10), |published| published.at >= since);
    setting.sound();
}
