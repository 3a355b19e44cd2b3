use std::collections::BTreeSet;

use super::*;
use crate::testing::{self, NOW};

const LINK: LinkId = LinkId::from_raw(1);
const SALT: [u8; 32] = [5; 32];

fn comparisons() -> Comparisons {
    Comparisons::new(Rng::new([3; 32]))
}

fn at(millis: u64) -> Time {
    NOW.after(core::time::Duration::from_millis(millis))
}

fn mark(millis: u64, number: u64) -> Mark {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Mark { created_at: at(millis).timestamp(), id: DocumentId::from_bytes(id) }
}

fn all() -> (Timestamp, Timestamp) {
    (NOW.timestamp(), at(120_000).timestamp())
}

/// All frames of a round.
fn round(ours: &mut Comparisons, recent: &Recent) -> Vec<Compare> {
    let mut frames = Vec::new();
    let mut part = Part::Newest;
    loop {
        let (frame, more) = ours.ask(LINK, part, recent, all()).expect("some time");
        assert!(frame.is_ascending() && frame.pieces.len() <= limits::PIECES);
        frames.push(frame);
        if !more {
            return frames;
        }
        part = Part::Next;
    }
}

/// What one end is told of by the other in a round, where there is room.
fn announced(asks: &Recent, answers: &Recent) -> Vec<DocumentId> {
    let (mut ours, mut theirs) = (comparisons(), comparisons());
    let mut ids = Vec::new();
    for (second, frame) in round(&mut ours, asks).iter().enumerate() {
        let now = at(second as u64 * 60_000);
        ids.extend(theirs.answer(LINK, answers, frame, usize::MAX, now).ids);
    }
    ids
}

#[test]
fn two_that_compare_learn_of_what_differs_and_little_more() {
    let author = testing::identity(1);
    let documents: Vec<_> = (0..2000_u32)
        .map(|n| testing::document_at(&author, n, 10, at(u64::from(n) * 10)))
        .collect();
    let (mut one, mut other) = (Recent::default(), Recent::default());
    for (index, document) in documents.iter().enumerate() {
        one.insert(document, 0, at(20_000));
        if index != 700 {
            other.insert(document, 0, at(20_000));
        }
    }
    let lacking = announced(&other, &one);
    assert!(lacking.contains(&documents[700].id()));
    assert!(lacking.len() <= limits::PIECE_DOCUMENTS + 1, "one piece: {}", lacking.len());
    assert!(announced(&one, &other).len() <= limits::PIECE_DOCUMENTS);
    assert!(
        announced(&one, &one).is_empty()
            && announced(&Recent::default(), &Recent::default()).is_empty()
    );
    // An empty one is told of everything, the oldest first; and only of what it cares for.
    let everything: Vec<_> = documents.iter().map(|document| document.id()).collect();
    assert_eq!(announced(&Recent::default(), &one), everything);
    let mut late = comparisons();
    let times = (at(15_000).timestamp(), all().1);
    let empty = Recent::default();
    let (frame, _) = late.ask(LINK, Part::Newest, &empty, times).expect("some time");
    assert_eq!(late.answer(LINK, &one, &frame, usize::MAX, NOW).ids, everything[1500..]);
}

/// Comparisons used to walk the whole store for each frame, and sixteen at once were free.
#[test]
fn what_frames_cost_is_bounded_however_much_there_is() {
    let mut recent = Recent::default();
    for number in 0..100_000 {
        recent.pretend(mark(number, number));
    }
    // Frames of ours have so many documents.
    let mut ours = comparisons();
    let frames = round(&mut ours, &recent);
    let counts = frames.iter().map(|frame| frame.pieces.iter().map(|piece| piece.count).sum());
    let counts: Vec<u32> = counts.collect();
    let most = (limits::PIECES * limits::PIECE_DOCUMENTS) as u32;
    assert!(counts.iter().all(|count| *count <= most));
    assert_eq!(counts.iter().sum::<u32>(), 100_000);

    // One piece of everything, with as many documents as there are, and another sum.
    let count = 100_000;
    let piece = Piece { until: mark(u32::MAX.into(), 0), count, sum: 1 };
    let worst = Compare { salt: SALT, from: Timestamp::default().into(), pieces: vec![piece] };
    let mut theirs = comparisons();
    for _ in 0..16 {
        let answer = theirs.answer(LINK, &recent, &worst, usize::MAX, NOW);
        assert_eq!(answer.looked_at, limits::COMPARE_LOOKS);
    }
    // An honest round is answered to the last piece, and what both have is not announced.
    let mut theirs = comparisons();
    let mut looked_at = 0;
    for frame in &frames {
        let answer = theirs.answer(LINK, &recent, frame, usize::MAX, NOW);
        assert!(answer.ids.is_empty());
        looked_at += answer.looked_at;
    }
    assert_eq!(looked_at, 100_000);
}

/// Whoever saw all updates of a key and whoever saw only the last have the same to tell; the updates once used
/// up the looks, and hid whatever was older.
#[test]
fn updates_of_one_key_hide_nothing_however_many_there_are() {
    let author = testing::identity(1);
    let (mut one, mut other) = (Recent::default(), Recent::default());
    let documents: Vec<_> =
        (0..200_u32).map(|n| testing::document_at(&author, n, 10, at(u64::from(n) * 10))).collect();
    for (index, document) in documents.iter().enumerate() {
        one.insert(document, 0, at(20_000));
        if index != 70 {
            other.insert(document, 0, at(20_000));
        }
    }
    let updates = limits::COMPARE_LOOKS as u64;
    for number in 0..=updates {
        let update = testing::keyed(&author, "key", at(10_000 + number));
        one.insert(&update, 0, at(50_000));
        if number == updates {
            other.insert(&update, 0, at(50_000));
        }
    }
    let lacking = announced(&other, &one);
    assert!(lacking.contains(&documents[70].id()));
    assert!(lacking.len() <= limits::PIECE_DOCUMENTS + 1, "one piece: {}", lacking.len());
    assert!(announced(&one, &one).is_empty());
    // Nor from a search, which looks at fewer.
    assert_eq!(one.newest(None, NOW).count(), 201);
}

/// Marks whose ids begin with numbers that XOR to zero, an even count of them: of more than 65 there always
/// are such.
fn cancelling(ids: &[Mark]) -> Vec<Mark> {
    let beginning = |mark: &Mark| {
        // Each counts: the first bit is zero where the count is even.
        let begin = mark.id.as_bytes().iter().take(8);
        begin.fold(1_u128, |number, byte| number << 8 | u128::from(*byte))
    };
    // Gauss: for each leading bit one sum, with what it is made of.
    let mut rows: Vec<(u128, BTreeSet<usize>)> = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        let (mut sum, mut of) = (beginning(id), BTreeSet::from([index]));
        for (row, made_of) in &rows {
            if (sum ^ row) < sum {
                sum ^= row;
                of = of.symmetric_difference(made_of).copied().collect();
            }
        }
        if sum == 0 {
            return of.into_iter().map(|index| ids[index]).collect();
        }
        rows.push((sum, of));
        rows.sort_by_key(|(row, _)| core::cmp::Reverse(*row));
    }
    Vec::new()
}

/// The sums used to be XORs of ids: an author of some seventy documents could choose about half of them so
/// that a peer that lacks all of these does not learn of it; nor do two that each lack the half that the
/// other has.
#[test]
fn documents_cannot_be_chosen_to_cancel_out() {
    let author = testing::identity(1);
    let documents: Vec<_> =
        (0..70).map(|nonce| testing::document_at(&author, nonce, 1, at(100))).collect();
    let marks: Vec<Mark> =
        documents.iter().map(|one| Mark { created_at: one.created_at, id: one.id() }).collect();
    let chosen: BTreeSet<DocumentId> = cancelling(&marks).iter().map(|mark| mark.id).collect();
    assert!(!chosen.is_empty(), "the attack exists");
    let (mut one, other) = (Recent::default(), Recent::default());
    for document in &documents {
        if chosen.contains(&document.id()) {
            one.insert(document, 0, at(100));
        }
    }
    assert_eq!(announced(&other, &one).len(), chosen.len());
    // Each has one half, so that the counts are the same, and the XORs would be.
    let (mut one, mut other) = (Recent::default(), Recent::default());
    let chosen: Vec<_> = documents.iter().filter(|one| chosen.contains(&one.id())).collect();
    let (half, rest) = chosen.split_at(chosen.len() / 2);
    assert_eq!(half.len(), rest.len());
    for document in half {
        one.insert(document, 0, at(100));
    }
    for document in rest {
        other.insert(document, 0, at(100));
    }
    assert_eq!(announced(&other, &one).len(), half.len());
    assert_eq!(announced(&one, &other).len(), half.len());
}

#[test]
fn sums_change_with_the_salt() {
    let mut recent = Recent::default();
    recent.pretend(mark(1, 7));
    let sum = |salt| pieces(&recent, all().0.into(), all().1.into(), salt).0.pieces[0].sum;
    assert_ne!(sum([1; 32]), sum([2; 32]));
    let mut ours = comparisons();
    let (one, other) = (round(&mut ours, &recent), round(&mut ours, &recent));
    assert_ne!(one[0].salt, other[0].salt);
}

/// Where there is no room for all that differs, the next comparison goes on where this one ended, for else
/// it would tell of the same ones each time.
#[test]
fn what_had_no_room_comes_first_the_next_time() {
    let author = testing::identity(1);
    let mut recent = Recent::default();
    for nonce in 0..300 {
        recent.insert(&testing::document_at(&author, nonce, 1, at(50)), 0, at(50));
    }
    let (mut ours, mut theirs) = (comparisons(), comparisons());
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let frames = round(&mut ours, &Recent::default());
        let answer = theirs.answer(LINK, &recent, &frames[0], 110, at(50));
        assert!(answer.ids.len() <= 110);
        ids.extend(answer.ids);
    }
    assert_eq!(ids.len(), 300);
}

/// A peer that has just begun cares for nothing that is old enough to be compared.
#[test]
fn where_there_is_no_time_between_nothing_is_said() {
    let recent = Recent::default();
    for until in [NOW.timestamp(), NOW.before(core::time::Duration::from_secs(9)).timestamp()] {
        let times = (NOW.timestamp(), until);
        assert!(comparisons().ask(LINK, Part::Any, &recent, times).is_none());
    }
}

/// What is about to leave the live window is not announced: it would come too late.
#[test]
fn what_is_about_to_be_too_old_is_not_announced() {
    let author = testing::identity(1);
    let mut recent = Recent::default();
    recent.insert(&testing::document_at(&author, 1, 1, NOW), 0, NOW);
    let frame = &round(&mut comparisons(), &Recent::default())[0];
    let late = NOW.after(limits::LIVE_WINDOW);
    let ids = |now| comparisons().answer(LINK, &recent, frame, 10, now).ids.len();
    assert_eq!(ids(late.before(limits::LIVE_MARGIN)), 1);
    assert_eq!(
        ids(late.before(limits::LIVE_MARGIN).after(core::time::Duration::from_millis(1))),
        0
    );
}
