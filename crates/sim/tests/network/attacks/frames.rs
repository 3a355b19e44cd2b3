//! Bytes that are no frames, and frames that are no good.

use taiinet_mesh::{
    Misbehaviour, limits,
    wire::{DocumentFrame, Fragment, Frame, LinkFrame, ViewFrame, codec},
};
use taiinet_sim::{Manners, WireId};

use crate::common::{Setting, seconds, sparse};

/// Messages that cannot be read to their end.
fn unreadable(setting: &mut Setting) -> Vec<(&'static str, Vec<u8>)> {
    let ping = codec::message(&[Frame::Link(LinkFrame::Ping(7))]);
    let have = codec::encode(&Frame::Documents(DocumentFrame::Have(Vec::new())));
    let mut cases = vec![
        ("empty", Vec::new()),
        ("a length and nothing behind it", vec![5]),
        ("a truncated frame", ping[..ping.len() - 1].to_vec()),
        ("something behind the last frame", [ping.clone(), vec![9]].concat()),
        ("a length that never ends", vec![0xff; 64]),
        ("a huge length", vec![0xff, 0xff, 0x7f, 1, 2, 3]),
        ("an unknown kind of frame", vec![1, 200]),
        ("a frame of length 0", vec![0]),
        // The count of ids, 2^63, in a frame of few bytes.
        (
            "a huge count",
            [vec![11, have[0]], vec![0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]]
                .concat(),
        ),
        ("over the limit", vec![1; limits::MESSAGE_BYTES + 1]),
        ("far over the limit", vec![0; 1 << 20]),
    ];
    for _ in 0..20 {
        let noise: Vec<u8> = (0..20).flat_map(|_| setting.world.entropy()).collect();
        // A first byte that is a length within the message, so that the frame itself is noise.
        let mut message = vec![100, 0x80 | noise[0]];
        message.extend_from_slice(&noise);
        cases.push(("noise", message));
    }
    cases
}

fn ends(setting: &mut Setting, wire: WireId, what: &str) {
    setting.world.run_for(seconds(2));
    assert!(setting.world.wire(wire).ended().is_some(), "{what} kept the link open");
}

#[test]
fn unreadable_messages_end_the_link_of_a_neighbour_or_stranger() {
    let mut setting = sparse(1, 4);
    let victim = setting.peers[0];
    for (what, message) in unreadable(&mut setting) {
        let total = |setting: &Setting| {
            let rejected = setting.world.status(victim).counters.rejected;
            rejected.values().sum::<u64>()
        };
        let before = total(&setting);
        let wire = setting.befriend(victim, Manners::HONEST).1;
        setting.world.speak_raw(wire, message.clone());
        ends(&mut setting, wire, what);
        let wire = setting.stranger(victim, Manners { greets: true, ..Manners::MUTE });
        setting.world.speak_raw(wire, message);
        ends(&mut setting, wire, what);
        assert_eq!(total(&setting), before + 2, "{what}");
    }
    setting.still_works();
    setting.sound();
}

#[test]
fn frames_over_their_limits_are_refused() {
    let mut setting = sparse(2, 4);
    let victim = setting.peers[0];
    let id = |number: usize| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        taiinet_document::DocumentId::from_bytes(bytes)
    };
    let ids: Vec<_> = (0..=limits::IDS_PER_FRAME).map(id).collect();
    let presences: Vec<_> = (0..=limits::PRESENCES_PER_FRAME)
        .map(|_| {
            let identity = setting.world.identity();
            let now = setting.world.now().as_millis();
            taiinet_sim::forge::presence(&identity, &crate::common::network(), None, now)
        })
        .collect();
    for frame in [
        Frame::Documents(DocumentFrame::Have(ids.clone())),
        Frame::Documents(DocumentFrame::Graft(ids)),
        Frame::View(ViewFrame::Shuffle(presences.clone())),
        Frame::View(ViewFrame::ShuffleReply(presences)),
    ] {
        let before = setting.refused(victim, Misbehaviour::Oversize);
        let wire = setting.befriend(victim, Manners::HONEST).1;
        setting.world.speak(wire, &[frame]);
        ends(&mut setting, wire, "too many of something");
        assert_eq!(setting.refused(victim, Misbehaviour::Oversize), before + 1);
    }
    setting.still_works();
}

#[test]
fn fragments_out_of_place_are_refused() {
    let mut setting = sparse(3, 4);
    let victim = setting.peers[0];
    let piece = |last, bytes: Vec<u8>| Frame::Fragment(Fragment { last, bytes });
    let inner = codec::encode(&piece(true, codec::encode(&Frame::Link(LinkFrame::Ping(1)))));
    for (what, frames) in [
        ("an empty piece", vec![piece(false, Vec::new())]),
        ("a fragment of fragments", vec![piece(true, inner)]),
        ("pieces that make no frame", vec![piece(false, vec![250; 50]), piece(true, vec![1])]),
    ] {
        let wire = setting.befriend(victim, Manners::HONEST).1;
        setting.world.speak(wire, &frames);
        ends(&mut setting, wire, what);
    }
    // Pieces without end: memory stays bounded, and it ends at the limit of a frame.
    let before = setting.refused(victim, Misbehaviour::Oversize);
    let wire = setting.befriend(victim, Manners::HONEST).1;
    for _ in 0..60 {
        setting.world.speak(wire, &[piece(false, vec![1; 16_000])]);
    }
    ends(&mut setting, wire, "pieces without end");
    assert_eq!(setting.refused(victim, Misbehaviour::Oversize), before + 1);
    setting.still_works();
}

#[test]
fn a_storm_of_small_frames_does_no_harm() {
    let mut setting = sparse(4, 4);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let mut writer = codec::MessageWriter::default();
    while writer.push(&codec::encode(&Frame::Link(LinkFrame::Ping(1)))) {}
    let message = writer.finish();
    for _ in 0..100 {
        setting.world.speak_raw(wire, message.clone());
    }
    setting.world.run_for(seconds(10));
    for link in setting.world.status(victim).links {
        assert!(link.queued_bytes <= limits::CONTROL_LANE_BYTES + limits::DATA_LANE_BYTES);
    }
    setting.still_works();
    setting.sound();
}
