#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
    frame::codec::{Assembler, MessageReader, decode},
    testing::{document, identity},
};

/// Reads all messages that can be sent, reporting each as sent at once.
fn drain(lanes: &mut Lanes) -> Vec<Frame> {
    let (mut frames, mut assembler) = (Vec::new(), Assembler::default());
    while let Some(message) = lanes.transmit() {
        lanes.sent(message.len());
        for bytes in MessageReader::new(&message).unwrap() {
            match decode(bytes.unwrap()).unwrap() {
                Frame::Fragment(fragment) => frames.extend(assembler.push(&fragment).unwrap()),
                frame => frames.push(frame),
            }
        }
    }
    frames
}

fn parcel(document: &VerifiedDocument) -> Parcel {
    Parcel::new(document, 0)
}

fn pushed(frames: &[Frame]) -> Vec<DocumentId> {
    let id = |frame: &Frame| match frame {
        Frame::Push(push) => Some(push.document.id()),
        _ => None,
    };
    frames.iter().filter_map(id).collect()
}

#[test]
fn documents_of_any_size_come_in_order_and_control_frames_overtake_them() {
    let author = identity(1);
    let documents: Vec<_> = [10, 40_000, 200, 16_300, 16_400, 1]
        .iter()
        .enumerate()
        .map(|(nonce, bytes)| document(&author, nonce as u32, *bytes))
        .collect();
    let mut lanes = Lanes::default();
    for document in &documents {
        assert!(lanes.push(parcel(document)));
    }
    assert!(lanes.control(&Frame::Ping(1)));
    let frames = drain(&mut lanes);
    assert_eq!(frames[0], Frame::Ping(1));
    let ids: Vec<_> = documents.iter().map(|document| document.id()).collect();
    assert_eq!(pushed(&frames), ids);
    assert_eq!(lanes.queued(), 0);
}

#[test]
fn small_documents_share_a_message() {
    let author = identity(1);
    let mut lanes = Lanes::default();
    for nonce in 0..20 {
        assert!(lanes.push(parcel(&document(&author, nonce, 100))));
    }
    assert!(lanes.transmit().unwrap().len() > 20 * 200);
    assert_eq!(lanes.transmit(), None);
}

#[test]
fn without_acknowledgements_the_sender_stops_at_the_window_and_the_lane_fills() {
    let author = identity(1);
    let mut lanes = Lanes::default();
    let (mut sent, mut nonce) = (Vec::new(), 0);
    loop {
        let next = document(&author, nonce, 10_000);
        nonce += 1;
        if !lanes.push(parcel(&next)) {
            break;
        }
        sent.extend(pushed(&drain(&mut lanes)));
    }
    let size = document(&author, 0, 10_000).signed().size();
    assert!(sent.len() * size < limits::LINK_WINDOW + limits::MESSAGE_BYTES + size);
    assert!(lanes.queued() <= limits::DATA_LANE_BYTES + size);

    let taken = lanes.acknowledged((3 * size + 1) as u32).unwrap();
    assert_eq!(taken, sent[..3], "whole documents only");
    assert!(!drain(&mut lanes).is_empty());
    let taken = lanes.acknowledged((size - 1) as u32).unwrap();
    assert_eq!(taken, sent[3..4]);
}

#[test]
fn nothing_unsent_can_be_acknowledged() {
    let author = identity(1);
    let mut lanes = Lanes::default();
    assert_eq!(lanes.acknowledged(1), Err(Misbehaviour::FalseAck));
    assert!(lanes.push(parcel(&document(&author, 1, 100))));
    assert_eq!(lanes.acknowledged(1), Err(Misbehaviour::FalseAck), "queued is not sent");
    drain(&mut lanes);
    assert_eq!(lanes.acknowledged(u32::MAX), Err(Misbehaviour::FalseAck));
}

#[test]
fn a_transport_that_does_not_send_gets_no_more_than_its_window() {
    let author = identity(1);
    let mut lanes = Lanes::default();
    for nonce in 0..40 {
        assert!(lanes.push(parcel(&document(&author, nonce, 10_000))));
    }
    let mut handed = 0;
    while let Some(message) = lanes.transmit() {
        handed += message.len();
    }
    assert!(handed < limits::TRANSPORT_WINDOW + limits::MESSAGE_BYTES);
}

#[test]
fn the_control_lane_is_bounded() {
    let mut lanes = Lanes::default();
    let have = Frame::Have(vec![DocumentId::from_bytes([1; 32]); limits::IDS_PER_FRAME]);
    let mut count = 0;
    while lanes.control(&have) {
        count += 1;
    }
    assert!(count * 32 * limits::IDS_PER_FRAME <= limits::CONTROL_LANE_BYTES);
    assert!(!lanes.has_control_room());
}
