#![allow(clippy::unwrap_used)]

use taiinet_document::{
    Difference, Differences, Held, Mark, Piece, Stretch, Timestamp, VerifiedDocument,
    limits::INQUIRY_PIECES,
};

use super::*;
use crate::{
    testing::{self, NOW, document, identity, sent, work_left},
    wire::{Frame, Kept},
};

/// Ours, and a link to a neighbour that has an archive or has none.
fn setting(ours: bool, theirs: bool) -> (Cx, LinkId, Archives) {
    let mut cx = testing::cx();
    cx.config.archive = ours.then(Kept::default);
    let peer = identity(1);
    let link = testing::neighbour(&mut cx, &peer);
    cx.links.get_mut(link).unwrap().is_archive = theirs;
    let mut archives = Archives::default();
    let up = NeighbourUp { link, peer: peer.peer_id(), session: 0, since: NOW.timestamp() };
    archives.neighbour_up(&mut cx, &up);
    (cx, link, archives)
}

fn at(millis: u64) -> Mark {
    Timestamp::from_millis(millis).into()
}

fn inquiry(pieces: u64) -> Inquiry {
    let pieces = (1..=pieces).map(|number| Piece::empty(at(number))).collect();
    Inquiry { salt: [1; 32], stretches: vec![Stretch { from: at(0), pieces }] }
}

/// What our archive was told to do since the last time.
fn told(cx: &mut Cx) -> Vec<Reconcile> {
    let outputs = core::mem::take(&mut cx.out);
    let what = |output| match output {
        Output::Reconcile { what, .. } => Some(what),
        _ => None,
    };
    outputs.into_iter().filter_map(what).collect()
}

fn asked(cx: &mut Cx, link: LinkId) -> Vec<SyncFrame> {
    let of_sync = |frame| match frame {
        Frame::Sync(frame) => Some(frame),
        _ => None,
    };
    sent(cx, link).into_iter().filter_map(of_sync).collect()
}

fn short(document: &VerifiedDocument) -> ShortId {
    ShortId::from(&document.id())
}

/// Our archive wants these of the neighbour; the number of the question.
fn wants(cx: &mut Cx, link: LinkId, archives: &mut Archives, ids: &[ShortId]) -> u32 {
    archives.step(cx, link, Reconciled::Want(ids.to_vec()));
    match asked(cx, link).as_slice() {
        [SyncFrame::Want(Want { request, .. })] => *request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_archive_asks_neighbours_that_have_one_at_once_and_again_later() {
    for (ours, theirs) in [(false, true), (true, false), (false, false)] {
        let (mut cx, _, archives) = setting(ours, theirs);
        assert!(told(&mut cx).is_empty() && archives.deadline().is_none(), "{ours} {theirs}");
    }
    let (mut cx, link, mut archives) = setting(true, true);
    assert!(matches!(told(&mut cx)[..], [Reconcile::Pull { .. }]));
    archives.step(&mut cx, link, Reconciled::Done { fruitless: false });
    for (fruitless, rest) in [
        (true, limits::RECONCILE_EVERY),
        (true, limits::RECONCILE_EVERY * 2),
        (false, limits::RECONCILE_EVERY * 4),
        (false, limits::RECONCILE_EVERY),
    ] {
        assert_eq!(archives.deadline(), Some(cx.now.after(rest)));
        archives.tick(&mut cx);
        assert!(told(&mut cx).is_empty(), "not before");
        cx.now = cx.now.after(rest);
        archives.tick(&mut cx);
        assert!(matches!(told(&mut cx)[..], [Reconcile::Pull { .. }]));
        archives.step(&mut cx, link, Reconciled::Done { fruitless });
    }
    archives.link_down(&mut cx, link);
    assert!(matches!(told(&mut cx)[..], [Reconcile::End]));
    assert_eq!(archives.deadline(), None);
}

#[test]
fn what_our_archive_asks_is_answered_once_and_as_it_was_asked() {
    let (mut cx, link, mut archives) = setting(true, true);
    told(&mut cx);
    archives.step(&mut cx, link, Reconciled::Inquire(inquiry(3)));
    let frames = asked(&mut cx, link);
    let [SyncFrame::Inquire(Inquire { request, .. })] = frames[..] else { panic!("{frames:?}") };
    let ids = |piece| Difference { piece, held: Held::Ids(Vec::new()) };
    let answer =
        |request, pieces| Differs { request, differences: Differences { first: 0, pieces } };
    let mut differs = |archives: &mut Archives, answer| archives.differs(&mut cx, link, answer);
    assert_eq!(differs(&mut archives, answer(request + 1, vec![])), Err(Misbehaviour::Unasked));
    for wrong in [vec![ids(3)], vec![ids(1), ids(0)]] {
        let outcome = differs(&mut archives, answer(request, wrong));
        assert_eq!(outcome, Err(Misbehaviour::Undecodable));
    }
    let many = 0..=taiinet_document::limits::HELD_IDS as u8;
    let many = Held::Ids(many.map(|number| ShortId::from_bytes([number; 16])).collect());
    let outcome =
        differs(&mut archives, answer(request, vec![Difference { piece: 0, held: many }]));
    assert_eq!(outcome, Err(Misbehaviour::Oversize));
    let document = document(&identity(2), 1, 10).signed().clone();
    let given = Given { request, documents: vec![document], last: true };
    assert_eq!(archives.given(&mut cx, link, given), Err(Misbehaviour::Unasked), "not documents");

    assert_eq!(archives.differs(&mut cx, link, answer(request, vec![ids(2)])), Ok(()));
    assert!(matches!(told(&mut cx)[..], [Reconcile::Differs(_)]));
    let again = archives.differs(&mut cx, link, answer(request, vec![ids(2)]));
    assert_eq!(again, Err(Misbehaviour::Unasked));
}

#[test]
fn documents_come_that_were_wanted_and_no_others() {
    let (mut cx, link, mut archives) = setting(true, true);
    told(&mut cx);
    let [one, other, third] = [1, 2, 3].map(|nonce| document(&identity(2), nonce, 10));
    let mut ids = [short(&one), short(&other)];
    ids.sort();
    let request = wants(&mut cx, link, &mut archives, &ids);
    let before = work_left(&cx, link);
    let mut give = |cx: &mut Cx, documents: &[&VerifiedDocument], last| {
        let documents = documents.iter().map(|document| document.signed().clone()).collect();
        archives.given(cx, link, Given { request, documents, last })
    };
    assert_eq!(give(&mut cx, &[&third], false), Err(Misbehaviour::Unasked));
    assert_eq!(give(&mut cx, &[], false), Err(Misbehaviour::Unasked), "nothing, without end");
    assert_eq!(give(&mut cx, &[&one], false), Ok(()));
    assert_eq!(give(&mut cx, &[&one], false), Err(Misbehaviour::Unasked), "once");
    assert_eq!(give(&mut cx, &[&other], true), Ok(()));
    let told = told(&mut cx);
    let [Reconcile::Brings(first), Reconcile::Brings(second), Reconcile::Given] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((first.id(), second.id()), (one.id(), other.id()));
    assert_eq!(give(&mut cx, &[], true), Err(Misbehaviour::Unasked), "it was the last");
    assert_eq!(work_left(&cx, link), before, "we asked");
}

#[test]
fn a_forged_document_is_an_offence_and_goes_nowhere() {
    let (mut cx, link, mut archives) = setting(true, true);
    told(&mut cx);
    let honest = document(&identity(2), 1, 10);
    let mut bytes = postcard::to_allocvec(honest.signed()).unwrap();
    bytes[40] ^= 1;
    let forged: SignedDocument = postcard::from_bytes(&bytes).unwrap();
    // Another signature makes no other id.
    let request = wants(&mut cx, link, &mut archives, &[short(&honest)]);
    let given = Given { request, documents: vec![forged], last: true };
    assert_eq!(archives.given(&mut cx, link, given), Err(Misbehaviour::InvalidSignature));
    assert!(matches!(told(&mut cx)[..], [Reconcile::Given]), "it goes on without it");
}

#[test]
fn a_neighbour_that_does_not_answer_is_given_up_and_may_answer_late() {
    let (mut cx, link, mut archives) = setting(true, true);
    told(&mut cx);
    let document = document(&identity(2), 1, 10);
    let request = wants(&mut cx, link, &mut archives, &[short(&document)]);
    cx.now = cx.now.after(limits::ANSWER_TIMEOUT);
    archives.tick(&mut cx);
    assert!(matches!(told(&mut cx)[..], [Reconcile::GiveUp]), "what it asks is another matter");
    assert_eq!(archives.deadline(), Some(cx.now.after(limits::RECONCILE_EVERY)));
    // No offence, and of no use.
    let given = Given { request, documents: vec![document.signed().clone()], last: true };
    assert_eq!(archives.given(&mut cx, link, given.clone()), Ok(()));
    assert!(told(&mut cx).is_empty());
    assert_eq!(archives.given(&mut cx, link, given), Err(Misbehaviour::Unasked), "once");
}

#[test]
fn questions_that_are_none_or_too_many_are_offences() {
    let (mut cx, link, mut archives) = setting(true, false);
    let inquire = |inquiry| Inquire { request: 7, inquiry };
    let too_many = inquire(inquiry(INQUIRY_PIECES as u64 + 1));
    assert_eq!(archives.inquired(&mut cx, link, too_many), Err(Misbehaviour::Oversize));
    let mut backwards = inquiry(3);
    backwards.stretches[0].pieces.reverse();
    let outcome = archives.inquired(&mut cx, link, inquire(backwards));
    assert_eq!(outcome, Err(Misbehaviour::Undecodable));
    let want = |ids: &[u8]| {
        let ids = ids.iter().map(|number| ShortId::from_bytes([*number; 16])).collect();
        Want { request: 8, ids }
    };
    for ids in [&[2, 1][..], &[1, 1]] {
        assert_eq!(archives.wanted(&mut cx, link, want(ids)), Err(Misbehaviour::Undecodable));
    }
    let ids = 0..=limits::WANTED_IDS as u128;
    let ids = ids.map(|number| ShortId::from_bytes(number.to_be_bytes())).collect();
    let outcome = archives.wanted(&mut cx, link, Want { request: 8, ids });
    assert_eq!(outcome, Err(Misbehaviour::Oversize));
    assert!(told(&mut cx).is_empty());

    assert_eq!(archives.inquired(&mut cx, link, inquire(inquiry(2))), Ok(()));
    assert_eq!(archives.wanted(&mut cx, link, want(&[1, 2])), Ok(()));
    let flood = Err(Misbehaviour::ExchangeFlood);
    assert_eq!(archives.wanted(&mut cx, link, want(&[1])), flood, "none was answered yet");
    assert_eq!(archives.inquired(&mut cx, link, inquire(inquiry(2))), flood);
    let told = told(&mut cx);
    assert!(
        matches!(
            told[..],
            [Reconcile::Compare { request: 7, .. }, Reconcile::Pick { request: 8, .. }]
        ),
        "{told:?}"
    );

    // Who asks pays for what it takes to answer.
    let before = work_left(&cx, link);
    let (request, looked) = (7, 4000);
    let differences = Differences::default();
    archives.step(&mut cx, link, Reconciled::Differences { request, differences, looked });
    assert_eq!(before - work_left(&cx, link), 1000);
    assert_eq!(archives.wanted(&mut cx, link, want(&[1])), Ok(()), "one was answered");
}

#[test]
fn a_neighbour_without_an_archive_answers_with_nothing() {
    let (mut cx, link, mut archives) = setting(false, true);
    for _ in 0..100 {
        let asked = Inquire { request: 7, inquiry: inquiry(2) };
        archives.inquired(&mut cx, link, asked).unwrap();
        let ids = vec![ShortId::from_bytes([1; 16])];
        archives.wanted(&mut cx, link, Want { request: 8, ids }).unwrap();
        let frames = self::asked(&mut cx, link);
        assert_eq!(
            frames,
            [
                SyncFrame::Differs(Differs { request: 7, differences: Differences::default() }),
                SyncFrame::Given(Given { request: 8, documents: Vec::new(), last: true }),
            ]
        );
    }
    assert!(told(&mut cx).is_empty());
    // It has asked nothing.
    let differs = Differs { request: 0, differences: Differences::default() };
    assert_eq!(archives.differs(&mut cx, link, differs), Err(Misbehaviour::Unasked));
    let given = Given { request: 0, documents: Vec::new(), last: true };
    assert_eq!(archives.given(&mut cx, link, given), Err(Misbehaviour::Unasked));
}
