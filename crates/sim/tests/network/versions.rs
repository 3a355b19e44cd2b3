//! Peers of other versions: what one side does not know costs neither anything.

use taiinet_mesh::{
    Disconnect, Event, Incompatible, Misbehaviour, limits,
    wire::{FrameKind, codec, critical},
};
use taiinet_sim::{Manners, WireId};

use crate::common::{Setting, seconds, sparse};

const NEWER: Manners = Manners { is_newer: true, ..Manners::HONEST };

/// Frames that this version does not know: one more in each group, and one of a group to come.
fn of_the_next_version() -> Vec<Vec<u8>> {
    (1..64_u8).map(|group| [&[group, 127][..], b"what is to come"].concat()).collect()
}

fn rejected(setting: &Setting) -> u64 {
    setting.world.counters().rejected.values().sum()
}

fn why_lost(setting: &Setting, wire: WireId) -> Vec<Disconnect> {
    let (victim, puppet) = (setting.peers[0], setting.world.wire(wire).ours().peer);
    let lost = setting.world.events(victim).iter().filter_map(|(_, event)| match event {
        Event::PeerDisconnected { peer, cause } if *peer == puppet => Some(cause.clone()),
        _ => None,
    });
    lost.collect()
}

#[test]
fn a_neighbour_of_the_next_version_is_a_neighbour_like_any_other() {
    let mut setting = sparse(1, 4);
    let victim = setting.peers[0];
    let (_, wire) = setting.befriend(victim, NEWER);
    let before = rejected(&setting);
    for round in 0..20 {
        for frame in of_the_next_version() {
            setting.world.speak_frame(wire, &frame);
        }
        // One that is too large for a message.
        let large = [&[1, 127][..], &vec![7; limits::MESSAGE_BYTES * 2]].concat();
        for piece in codec::fragment(&large) {
            setting.world.speak_frame(wire, &piece);
        }
        setting.world.publish(victim, &format!(r#"{{"round": {round}}}"#)).expect("there is room");
        setting.world.run_for(seconds(1));
    }
    assert!(setting.world.wire(wire).is_neighbour(), "{:?}", setting.world.wire(wire).ended());
    assert_eq!(rejected(&setting), before);
    let links = setting.world.status(victim).links;
    assert!(links.iter().all(|link| link.points == 0), "{links:?}");
    // What this version says is understood there.
    assert!(setting.world.wire(wire).pushed().len() >= 20);
    setting.still_works();
    setting.sound();
}

#[test]
fn a_peer_that_needs_what_we_do_not_know_is_parted_with_and_not_blamed() {
    let mut setting = sparse(2, 4);
    let victim = setting.peers[0];
    let kind = FrameKind { group: 1, number: 127 };
    let (_, wire) = setting.befriend(victim, NEWER);
    let before = rejected(&setting);
    setting.world.speak_frame(wire, &critical(vec![kind.group, kind.number, 1, 2, 3]));
    setting.world.run_for(seconds(2));
    assert!(setting.world.wire(wire).ended().is_some());
    assert!(setting.world.wire(wire).refused().is_some(), "it is told why");
    assert_eq!(why_lost(&setting, wire), [Disconnect::Incompatible(Incompatible::Frame(kind))]);
    assert_eq!(rejected(&setting), before);
    assert!(setting.world.status(victim).blacklist.is_empty());
    setting.still_works();
    setting.sound();
}

/// Skipping is not free: a peer that sends nothing but unknown frames is slowed, and then cut.
#[test]
fn a_flood_of_unknown_frames_holds_nobody_up_and_ends() {
    let mut setting = sparse(3, 4);
    let victim = setting.peers[0];
    let (_, wire) = setting.befriend(victim, NEWER);
    let mut writer = codec::MessageWriter::default();
    while writer.push(&[63, 1]) {}
    let message = writer.finish();
    for round in 0..20 {
        for _ in 0..50 {
            setting.world.speak_raw(wire, message.clone());
        }
        setting.world.publish(victim, &format!(r#"{{"round": {round}}}"#)).expect("there is room");
        setting.world.run_for(seconds(1));
    }
    assert!(setting.world.wire(wire).ended().is_some());
    assert_eq!(why_lost(&setting, wire), [Disconnect::Misbehaved(Misbehaviour::WorkFlood)]);
    setting.arrives(seconds(2), |_| true);
    setting.still_works();
    setting.sound();
}
