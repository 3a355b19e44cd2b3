#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use taiinet_document::{Document, VerifiedBytes, VerifiedDocument};
use taiinet_identity::Identity;

use super::*;
use crate::{
    testing::{self, NOW, document, document_at, identity, neighbour, sent, work_left},
    wire::{Frame, Kept},
};

const WAIT: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A peer with an archive.
fn archive() -> (Cx, Keeps) {
    let mut cx = testing::cx();
    cx.config.archive = Some(Kept::default());
    (cx, Keeps::default())
}

/// A neighbour with one.
fn other_archive(cx: &mut Cx, number: u8) -> LinkId {
    let link = neighbour(cx, &identity(number));
    cx.links.get_mut(link).unwrap().is_archive = true;
    link
}

fn documents(count: u32, bytes: usize) -> Vec<SignedDocument> {
    let author = identity(9);
    let made = (0..count).map(|nonce| document_at(&author, nonce, bytes, NOW.before(YEAR)));
    made.map(|document| document.signed().clone()).collect()
}

fn keep(request: u32, documents: Vec<SignedDocument>) -> Keep {
    Keep { request, documents }
}

/// The documents that the archive behind us is offered.
fn offered(cx: &mut Cx) -> Vec<(u32, Vec<VerifiedBytes>)> {
    let offers = core::mem::take(&mut cx.out).into_iter().filter_map(|output| match output {
        Output::Offered { request, documents, .. } => Some((request, documents)),
        _ => None,
    });
    offers.collect()
}

/// What is over.
fn over(cx: &mut Cx) -> Vec<(KeepId, Option<Vec<Outcome>>)> {
    let over = core::mem::take(&mut cx.out).into_iter().filter_map(|output| match output {
        Output::Took { keep, outcomes } => Some((keep, outcomes)),
        _ => None,
    });
    over.collect()
}

fn answers(cx: &mut Cx, link: LinkId) -> Vec<Took> {
    let took = |frame| match frame {
        Frame::Find(FindFrame::Took(took)) => Some(took),
        _ => None,
    };
    sent(cx, link).into_iter().filter_map(took).collect()
}

fn asks(cx: &mut Cx, link: LinkId) -> Vec<Keep> {
    let keep = |frame| match frame {
        Frame::Find(FindFrame::Keep(keep)) => Some(keep),
        _ => None,
    };
    sent(cx, link).into_iter().filter_map(keep).collect()
}

fn took(request: u32, outcomes: &[Outcome]) -> Took {
    Took { request, outcomes: outcomes.to_vec() }
}

// ---- An archive is asked ----

#[test]
fn what_is_new_of_an_author_that_the_operator_has_named_costs_nothing() {
    let (mut cx, mut keeps) = archive();
    cx.config.importers.insert(documents(1, 1)[0].author());
    let link = neighbour(&mut cx, &identity(1));
    let before = work_left(&cx, link);
    let new = [Outcome::Stored, Outcome::Stored];
    let old = [Outcome::Known, Outcome::Refused];
    for (outcomes, paid) in [(new, 0), (old, 2)] {
        keeps.asked(&mut cx, link, keep(7, documents(2, 100))).unwrap();
        assert_eq!(before - work_left(&cx, link), 2 * limits::KEEPING as i64);
        keeps.took(&mut cx, link, 7, outcomes.to_vec());
        assert_eq!(before - work_left(&cx, link), paid * limits::KEEPING as i64);
    }
}

#[test]
fn an_archive_is_offered_what_is_old_and_answers_when_it_has_said_so() {
    let (mut cx, mut keeps) = archive();
    let link = neighbour(&mut cx, &identity(1));
    let before = work_left(&cx, link);
    keeps.asked(&mut cx, link, keep(7, documents(20, 100))).unwrap();
    let offers = offered(&mut cx);
    assert_eq!((offers.len(), offers[0].0, offers[0].1.len()), (1, 7, 20));
    assert_eq!(answers(&mut cx, link), [], "nothing is said before it is on the disk");
    let paid = before - work_left(&cx, link);
    assert_eq!(paid, 20 * limits::KEEPING as i64);
    let outcomes = vec![Outcome::Stored; 20];
    keeps.took(&mut cx, link, 7, outcomes.clone());
    assert_eq!(answers(&mut cx, link), [took(7, &outcomes)]);
    // Once.
    keeps.took(&mut cx, link, 7, outcomes);
    assert_eq!(answers(&mut cx, link), []);
    assert_eq!(before - work_left(&cx, link), paid);
    // An archive that says too little has refused the rest.
    keeps.asked(&mut cx, link, keep(8, documents(3, 1))).unwrap();
    keeps.took(&mut cx, link, 8, vec![Outcome::Known]);
    let rest = [Outcome::Known, Outcome::Refused, Outcome::Refused];
    assert_eq!(answers(&mut cx, link), [took(8, &rest)]);
}

#[test]
fn who_has_no_archive_keeps_nothing_and_verifies_nothing() {
    let (mut cx, mut keeps) = (testing::cx(), Keeps::default());
    let link = neighbour(&mut cx, &identity(1));
    let before = work_left(&cx, link);
    keeps.asked(&mut cx, link, keep(1, documents(2, 10))).unwrap();
    assert_eq!(answers(&mut cx, link), [took(1, &[Outcome::Unwanted; 2])]);
    assert!(offered(&mut cx).is_empty());
    assert_eq!(work_left(&cx, link), before);
}

#[test]
fn an_author_that_is_blacklisted_by_hand_is_not_kept() {
    let (mut cx, mut keeps) = archive();
    let link = neighbour(&mut cx, &identity(1));
    cx.blacklist(identity(9).peer_id(), None).unwrap();
    let other = document(&identity(8), 1, 10).signed().clone();
    let mut given = documents(2, 10);
    given.insert(1, other);
    keeps.asked(&mut cx, link, keep(1, given)).unwrap();
    assert_eq!(offered(&mut cx)[0].1.len(), 1);
    keeps.took(&mut cx, link, 1, vec![Outcome::Stored]);
    let outcomes = [Outcome::Unwanted, Outcome::Stored, Outcome::Unwanted];
    assert_eq!(answers(&mut cx, link), [took(1, &outcomes)]);
    // If there is nothing else the archive is not asked.
    keeps.asked(&mut cx, link, keep(2, documents(1, 10))).unwrap();
    assert!(offered(&mut cx).is_empty());
    assert_eq!(answers(&mut cx, link), [took(2, &[Outcome::Unwanted])]);
}

#[test]
fn what_no_honest_peer_would_ask_is_an_offence_and_none_of_it_is_kept() {
    let (mut cx, mut keeps) = archive();
    let link = neighbour(&mut cx, &identity(1));
    let mut charged = |documents: Vec<SignedDocument>, offence| {
        assert_eq!(keeps.asked(&mut cx, link, keep(1, documents)), Err(offence));
        assert!(offered(&mut cx).is_empty());
    };
    let many = limits::KEEP_DOCUMENTS as u32 + 1;
    charged(documents(many, 1), Misbehaviour::KeepFlood);
    charged(documents(2, limits::KEEP_BYTES / 2), Misbehaviour::KeepFlood);
    // The signature of one belongs to another.
    let [one, other] = [1, 2].map(|nonce| document(&identity(9), nonce, 10).signed().to_wire());
    let forged = SignedDocument::from_wire(&[&one[..96], &other[96..]].concat()).unwrap();
    let mut with_forged = documents(3, 10);
    with_forged.push(forged);
    charged(with_forged, Misbehaviour::InvalidSignature);
    charged(vec![elsewhere(&identity(9))], Misbehaviour::WrongNetwork);
    // One alone may be as large as any; after all that the link has its credit.
    let large = document(&identity(9), 1, 200_000).signed().clone();
    keeps.asked(&mut cx, link, keep(1, vec![large])).unwrap();
    assert_eq!(offered(&mut cx).len(), 1);
}

fn elsewhere(author: &Identity) -> SignedDocument {
    let document = document(author, 1, 10);
    let network = "elsewhere".parse().unwrap();
    let other = Document { network, ..document.document().clone() };
    VerifiedDocument::sign(author, other).unwrap().signed().clone()
}

#[test]
fn a_link_has_few_requests_outstanding_and_none_of_one_number() {
    let (mut cx, mut keeps) = archive();
    let (link, other) = (neighbour(&mut cx, &identity(1)), neighbour(&mut cx, &identity(2)));
    let ask = |keeps: &mut Keeps, cx: &mut Cx, link, number| {
        keeps.asked(cx, link, keep(number, documents(1, 1)))
    };
    ask(&mut keeps, &mut cx, link, 1).unwrap();
    let flood = Err(Misbehaviour::KeepFlood);
    assert_eq!(ask(&mut keeps, &mut cx, link, 1), flood, "the same number again");
    for number in 2..=limits::KEEPS_AWAITED as u32 {
        ask(&mut keeps, &mut cx, link, number).unwrap();
    }
    assert_eq!(ask(&mut keeps, &mut cx, link, 100), flood);
    // Other links have their own.
    ask(&mut keeps, &mut cx, other, 1).unwrap();
    keeps.took(&mut cx, link, 2, vec![Outcome::Stored]);
    ask(&mut keeps, &mut cx, link, 100).unwrap();
}

// ---- We ask ----

#[test]
fn a_request_waits_for_an_archive_and_goes_to_no_other_neighbour() {
    let (mut cx, mut keeps) = (testing::cx(), Keeps::default());
    let plain = neighbour(&mut cx, &identity(1));
    let given = documents(3, 10);
    let id = keeps.begin(&mut cx, given.clone(), WAIT).unwrap();
    assert_eq!(asks(&mut cx, plain), []);
    assert_eq!(keeps.deadline(), Some(NOW.after(WAIT)));
    let link = other_archive(&mut cx, 2);
    keeps.advance(&mut cx);
    assert_eq!(asks(&mut cx, link), [keep(1, given)]);
    let outcomes = [Outcome::Stored, Outcome::Known, Outcome::Expired];
    keeps.answered(&mut cx, link, took(1, &outcomes)).unwrap();
    assert_eq!(over(&mut cx), [(id, Some(outcomes.to_vec()))]);
    assert_eq!(keeps.deadline(), None);
}

#[test]
fn without_an_archive_it_ends_in_time() {
    let (mut cx, mut keeps) = (testing::cx(), Keeps::default());
    let id = keeps.begin(&mut cx, documents(1, 1), WAIT).unwrap();
    cx.now = NOW.after(WAIT);
    keeps.advance(&mut cx);
    assert_eq!(over(&mut cx), [(id, None)]);
}

#[test]
fn what_one_archive_refuses_is_offered_to_the_next_and_its_reason_stays() {
    let (mut cx, mut keeps) = (testing::cx(), Keeps::default());
    let [one, other] = [1, 2].map(|number| other_archive(&mut cx, number));
    let given = documents(4, 10);
    let id = keeps.begin(&mut cx, given.clone(), WAIT).unwrap();
    assert_eq!(asks(&mut cx, one), [keep(1, given.clone())]);
    assert_eq!(asks(&mut cx, other), [], "one is enough");
    let first = [Outcome::Stored, Outcome::Unwanted, Outcome::TooOld, Outcome::TooOld];
    keeps.answered(&mut cx, one, took(1, &first)).unwrap();
    assert_eq!(asks(&mut cx, other), [keep(2, given[1..].to_vec())]);
    let second = [Outcome::NoRoom, Outcome::Stored, Outcome::Unwanted];
    keeps.answered(&mut cx, other, took(2, &second)).unwrap();
    let outcomes = vec![Outcome::Stored, Outcome::NoRoom, Outcome::Stored, Outcome::TooOld];
    assert_eq!(over(&mut cx), [(id, Some(outcomes))]);
}

#[test]
fn an_archive_that_dies_or_says_nothing_is_done_without_and_asked_when_it_is_back() {
    let (mut cx, mut keeps) = (testing::cx(), Keeps::default());
    let given = documents(2, 10);
    let dies = other_archive(&mut cx, 1);
    let id = keeps.begin(&mut cx, given.clone(), WAIT).unwrap();
    assert_eq!(asks(&mut cx, dies).len(), 1);
    cx.close(dies, crate::Disconnect::Silent);
    carry(&mut cx, &mut keeps);
    assert!(over(&mut cx).is_empty());
    let back = other_archive(&mut cx, 1);
    keeps.advance(&mut cx);
    assert_eq!(asks(&mut cx, back), [keep(2, given.clone())]);
    let other = other_archive(&mut cx, 2);
    keeps.advance(&mut cx);
    assert_eq!(asks(&mut cx, other), [], "the first has time");
    cx.now = keeps.deadline().unwrap();
    keeps.advance(&mut cx);
    assert_eq!(asks(&mut cx, other), [keep(3, given)]);
    // The first answers after all.
    keeps.answered(&mut cx, back, took(2, &[Outcome::Stored; 2])).unwrap();
    assert_eq!(over(&mut cx), [(id, Some(vec![Outcome::Stored; 2]))]);
    keeps.answered(&mut cx, other, took(3, &[Outcome::Known; 2])).unwrap();
    assert!(over(&mut cx).is_empty(), "it is over");
}

/// What the router does.
fn carry(cx: &mut Cx, keeps: &mut Keeps) {
    while let Some(notice) = cx.notices.pop_front() {
        keeps.on(cx, &notice);
    }
}

#[test]
fn no_archive_is_asked_more_than_it_allows() {
    let (mut cx, mut keeps) = (testing::cx(), Keeps::default());
    let link = other_archive(&mut cx, 1);
    for _ in 0..limits::KEEPS {
        keeps.begin(&mut cx, documents(1, 1), WAIT).unwrap();
    }
    assert_eq!(keeps.begin(&mut cx, documents(1, 1), WAIT), Err(KeepError::Busy));
    assert_eq!(asks(&mut cx, link).len(), limits::KEEPS_AWAITED);
    keeps.answered(&mut cx, link, took(2, &[Outcome::Stored])).unwrap();
    assert_eq!(asks(&mut cx, link).len(), 1);
    let many = documents(limits::KEEP_DOCUMENTS as u32 + 1, 1);
    assert_eq!(keeps.begin(&mut cx, many, WAIT), Err(KeepError::TooLarge));
    keeps.end_all(&mut cx);
    assert!(over(&mut cx)[1..].iter().all(|(_, outcomes)| outcomes.is_none()));
}

#[test]
fn an_answer_to_nothing_or_about_more_or_less_is_an_offence_and_counts_for_nothing() {
    let (mut cx, mut keeps) = (testing::cx(), Keeps::default());
    let link = other_archive(&mut cx, 1);
    let unasked = Err(Misbehaviour::Unasked);
    assert_eq!(keeps.answered(&mut cx, link, took(1, &[Outcome::Stored])), unasked);
    let id = keeps.begin(&mut cx, documents(2, 1), WAIT).unwrap();
    assert_eq!(asks(&mut cx, link).len(), 1);
    let plain = neighbour(&mut cx, &identity(2));
    assert_eq!(keeps.answered(&mut cx, plain, took(1, &[Outcome::Stored; 2])), unasked);
    for outcomes in [&[Outcome::Stored][..], &[], &[Outcome::Stored; 3]] {
        let (mut cx, mut keeps) = (testing::cx(), Keeps::default());
        let link = other_archive(&mut cx, 1);
        let id = keeps.begin(&mut cx, documents(2, 1), WAIT).unwrap();
        assert_eq!(keeps.answered(&mut cx, link, took(1, outcomes)), unasked);
        assert_eq!(keeps.answered(&mut cx, link, took(1, &[Outcome::Stored; 2])), unasked);
        cx.now = NOW.after(WAIT);
        keeps.advance(&mut cx);
        assert_eq!(over(&mut cx), [(id, None)]);
    }
    keeps.answered(&mut cx, link, took(1, &[Outcome::Stored; 2])).unwrap();
    assert_eq!(over(&mut cx).len(), 1, "{id:?}");
}

/// One of 65 kB may hold 5 MB when it is decoded: what waits for the archive is as it came.
#[test]
fn what_waits_for_the_archive_is_not_decoded() {
    let (mut cx, mut keeps) = archive();
    let link = neighbour(&mut cx, &identity(1));
    let dear: Arc<VerifiedDocument> = testing::expensive(&identity(9), 1);
    keeps.asked(&mut cx, link, keep(1, vec![dear.signed().clone()])).unwrap();
    let waiting: usize = offered(&mut cx)[0].1.iter().map(|bytes| bytes.signed().heap_size()).sum();
    assert!(waiting < 100_000 && dear.heap_size() > 1_000_000, "{waiting}");
}
