#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
    testing::{document, drain, identity},
    wire::{
        LinkFrame,
        codec::{Assembler, MessageReader, decode},
    },
};

fn parcel(document: &taiinet_document::VerifiedDocument) -> Parcel {
    Parcel::new(document.signed(), 0)
}

fn pushed(frames: &[Frame]) -> Vec<DocumentId> {
    let id = |frame: &Frame| match frame {
        Frame::Documents(DocumentFrame::Push(push)) => Some(push.document.id()),
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
    assert!(lanes.control(&Frame::Link(LinkFrame::Ping(1))));
    let frames = drain(&mut lanes);
    assert_eq!(frames[0], Frame::Link(LinkFrame::Ping(1)));
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
    assert!(lanes.transmit().unwrap().1.len() > 20 * 200);
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
    while let Some((_, message)) = lanes.transmit() {
        handed += message.len();
    }
    assert!(handed < limits::TRANSPORT_WINDOW + limits::MESSAGE_BYTES);
}

/// What all circuits of a peer have on its way to their signaller fits into the transport of the link to that.
#[test]
fn on_a_circuit_little_is_on_its_way_and_small_messages_count_for_more() {
    let author = identity(1);
    let mut lanes = Lanes::default();
    lanes.on_circuit();
    for nonce in 0..40 {
        assert!(lanes.push(parcel(&document(&author, nonce, 10_000))));
    }
    let mut handed = 0;
    while let Some((_, message)) = lanes.transmit() {
        handed += message.len();
        assert!(message.len() <= limits::PACKED_BYTES);
    }
    assert!(handed >= limits::CIRCUIT_WINDOW - limits::CIRCUIT_MESSAGE_BYTES);
    assert!(limits::CIRCUITS * handed < limits::TRANSPORT_WINDOW, "{handed}");

    let mut lanes = Lanes::default();
    lanes.on_circuit();
    let mut count = 0;
    loop {
        assert!(lanes.control(&Frame::Link(LinkFrame::Ping(1))));
        if lanes.transmit().is_none() {
            break;
        }
        count += 1;
    }
    assert!((10..=16).contains(&count), "{count}");
    lanes.sent(limits::CIRCUIT_WINDOW / 2);
    assert!(lanes.transmit().is_some(), "there is room again");
}

#[test]
fn the_control_lane_is_bounded() {
    let mut lanes = Lanes::default();
    let have = Frame::Documents(DocumentFrame::Have(vec![
        DocumentId::from_bytes([1; 32]);
        limits::IDS_PER_FRAME
    ]));
    let mut count = 0;
    while lanes.control(&have) {
        count += 1;
    }
    assert!(count * 32 * limits::IDS_PER_FRAME <= limits::CONTROL_LANE_BYTES);
    assert!(!lanes.has_control_room());
}

/// A search displaces nothing: what it found goes behind all that is live, and waits in bounds.
#[test]
fn what_was_found_goes_behind_live_documents_and_is_bounded() {
    let author = identity(1);
    let mut lanes = Lanes::default();
    let found: Vec<_> = (0..40).map(|nonce| document(&author, nonce, 30_000)).collect();
    let taken = found
        .iter()
        .filter(|document| lanes.found(7, AnswerPart::Document(document.signed().clone())))
        .count();
    assert!(taken < 40 && taken * 30_000 > limits::FOUND_LANE_BYTES - 31_000, "{taken}");
    assert!(
        lanes.found(7, AnswerPart::End(Rest::Finished { left_out: false }, None)),
        "the end has room"
    );
    for _ in 0..1_000_000 {
        if !lanes.found(8, AnswerPart::End(Rest::Finished { left_out: false }, None)) {
            break;
        }
    }
    assert!(lanes.queued() <= 2 * limits::FOUND_LANE_BYTES);
    let live: Vec<_> = (100..105).map(|nonce| document(&author, nonce, 3_000)).collect();
    for document in &live {
        assert!(lanes.push(parcel(document)));
    }
    assert!(lanes.control(&Frame::Link(LinkFrame::Ping(1))));
    let frames = drain(&mut lanes);
    assert_eq!(frames[0], Frame::Link(LinkFrame::Ping(1)));
    assert_eq!(
        pushed(&frames[1..6]),
        live.iter().map(|document| document.id()).collect::<Vec<_>>()
    );
    let answers: Vec<&Found> = frames[6..]
        .iter()
        .map(|frame| match frame {
            Frame::Find(FindFrame::Found(found)) => found,
            other => panic!("{other:?}"),
        })
        .collect();
    let ids = answers.iter().flat_map(|answer| &answer.documents).map(|document| document.id());
    assert!(ids.eq(found.iter().take(taken).map(|document| document.id())));
    assert!(
        answers[taken].rest == (Rest::Finished { left_out: false }) && answers[taken].request == 7
    );
    assert_eq!(lanes.queued(), 0);
    // It takes nothing of the window of live documents.
    assert_eq!(lanes.in_flight_bytes, live.iter().map(|live| live.signed().size()).sum::<usize>());
}

/// Even a document whose window is used up does not stop an answer, nor an answer a document.
#[test]
fn a_full_window_does_not_stop_an_answer() {
    let author = identity(1);
    let mut lanes = Lanes::default();
    for nonce in 0..20 {
        let _ = lanes.push(parcel(&document(&author, nonce, 60_000)));
        drain(&mut lanes);
    }
    assert!(lanes.queued() > 0, "the window is used up");
    assert!(
        lanes.found(1, AnswerPart::Document(document(&author, 100, 20_000).signed().clone()))
            && lanes.found(1, AnswerPart::End(Rest::Finished { left_out: false }, None))
    );
    let frames = drain(&mut lanes);
    assert!(
        matches!(&frames[..], [Frame::Find(FindFrame::Found(found)), Frame::Find(FindFrame::Found(end))]
        if found.documents.len() == 1 && end.rest == (Rest::Finished { left_out: false })),
        "{frames:?}"
    );
}

/// Nothing within its limits is so large; if something is, it neither blocks the lane nor is lost.
#[test]
fn a_control_frame_that_is_too_large_for_a_message_goes_in_pieces() {
    let large =
        |id| Frame::Documents(DocumentFrame::Have(vec![DocumentId::from_bytes([id; 32]); 2000]));
    let begun = document(&identity(1), 1, 40_000);
    let mut lanes = Lanes::default();
    assert!(lanes.push(parcel(&begun)));
    let (_, first) = lanes.transmit().unwrap();
    lanes.sent(first.len());
    // In the middle of a document's pieces.
    for frame in [large(1), Frame::Link(LinkFrame::Ping(1)), large(2)] {
        assert!(lanes.control(&frame));
    }
    let mut assembler = Assembler::default();
    let mut frames = Vec::new();
    let mut messages = vec![first];
    messages.extend(core::iter::from_fn(|| {
        let (_, message) = lanes.transmit()?;
        lanes.sent(message.len());
        Some(message)
    }));
    for message in &messages {
        for bytes in MessageReader::new(message).unwrap() {
            match decode(bytes.unwrap()).unwrap() {
                Frame::Fragment(fragment) => {
                    let whole = assembler.push(&fragment).unwrap();
                    frames.extend(whole.map(|bytes| decode::<Frame>(&bytes).unwrap()));
                }
                frame => frames.push(frame),
            }
        }
    }
    assert_eq!(pushed(&frames), [begun.id()]);
    for frame in [large(1), Frame::Link(LinkFrame::Ping(1)), large(2)] {
        assert!(frames.contains(&frame));
    }
    assert_eq!(lanes.queued(), 0);
}

#[test]
fn last_words_come_to_an_end_whatever_waits() {
    let mut lanes = Lanes::default();
    let last = [
        Frame::Link(LinkFrame::Ping(1)),
        Frame::Documents(DocumentFrame::Have(vec![DocumentId::from_bytes([1; 32]); 2000])),
        Frame::Documents(DocumentFrame::Have(vec![
            DocumentId::from_bytes([2; 32]);
            limits::IDS_PER_FRAME
        ])),
        Frame::Link(LinkFrame::Bye),
    ];
    assert!(last.iter().all(|frame| lanes.control(frame)));
    let messages = lanes.last_words();
    assert!(messages.iter().all(|message| MessageReader::new(message).is_ok()));
    let bytes: usize = messages.iter().map(Vec::len).sum();
    assert!((2400 * 32..2400 * 32 + 200).contains(&bytes), "{bytes}");
    assert!(lanes.last_words().is_empty());
}

#[test]
fn a_message_is_named_for_the_most_urgent_of_what_is_in_it() {
    let author = identity(1);
    let document = document(&author, 1, 100);
    let mut lanes = Lanes::default();
    assert!(lanes.push(parcel(&document)));
    assert!(lanes.control(&LinkFrame::Ping(1).into()));
    assert!(lanes.found(1, AnswerPart::Document(document.signed().clone())));
    assert_eq!(lanes.transmit().map(|(lane, _)| lane), Some(Lane::Control));
    assert!(lanes.push(parcel(&document)));
    assert_eq!(lanes.transmit().map(|(lane, _)| lane), Some(Lane::Documents));
    assert!(lanes.found(1, AnswerPart::End(Rest::Finished { left_out: false }, None)));
    assert_eq!(lanes.transmit().map(|(lane, _)| lane), Some(Lane::History));
    assert_eq!(lanes.transmit(), None);
}
