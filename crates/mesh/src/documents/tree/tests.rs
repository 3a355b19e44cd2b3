#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
    testing::{self, NOW, document, identity},
    wire::Frame,
};

struct Bed {
    cx: Cx,
    tree: Tree,
    awake: LinkId,
    /// It comes first in the order of links.
    dozer: LinkId,
}

fn bed() -> Bed {
    let mut cx = testing::cx();
    let mut tree = Tree::new(Rng::new([1; 32]));
    let [dozer, awake] = [1, 2].map(|number| testing::neighbour(&mut cx, &identity(number)));
    for link in [dozer, awake] {
        tree.neighbour_up(&mut cx, link, &[], [].into_iter());
    }
    Bed { cx, tree, awake, dozer }
}

fn id(number: u8) -> DocumentId {
    DocumentId::from_bytes([number; 32])
}

impl Bed {
    fn announced(&mut self, link: LinkId, id: DocumentId) {
        self.tree.announced(link, &[id], true, &self.cx.store, self.cx.now).unwrap();
    }

    /// The frames that were queued for a link since it was looked at last.
    fn frames(&mut self, link: LinkId) -> Vec<DocumentFrame> {
        testing::sent(&mut self.cx, link)
            .into_iter()
            .filter_map(|frame| match frame {
                Frame::Documents(frame) => Some(frame),
                _ => None,
            })
            .collect()
    }

    fn tick(&mut self, now: Time) {
        self.cx.now = now;
        self.tree.tick(&mut self.cx);
    }
}

#[test]
fn a_dozer_is_asked_last_to_push_never_and_its_silence_is_no_offence() {
    let mut bed = bed();
    let (awake, dozer) = (bed.awake, bed.dozer);
    bed.tree.neighbour_dozes(&mut bed.cx, dozer, true);
    assert_eq!(bed.frames(dozer), [DocumentFrame::Prune]);
    for link in [dozer, awake] {
        bed.announced(link, id(1));
    }
    bed.announced(dozer, id(2));
    let later = NOW.after(limits::PROMISE);
    bed.tick(later);
    assert_eq!(bed.frames(awake), [DocumentFrame::Graft(vec![id(1)])]);
    let expected = [DocumentFrame::Graft(vec![id(2)]), DocumentFrame::Prune];
    assert_eq!(bed.frames(dozer), expected, "it sends this one, and announces the next");
    // Neither keeps its promise.
    bed.tick(later.after(limits::PROMISE));
    let offences = |link| bed.cx.links.get(link).unwrap().offences;
    assert_eq!((offences(awake), offences(dozer)), (1, 0));
    assert_eq!(bed.cx.counters.rejected[&Misbehaviour::BrokenPromise], 1);
}

#[test]
fn where_all_doze_they_push_to_each_other() {
    let mut bed = bed();
    let dozer = bed.dozer;
    bed.tree.neighbour_down(bed.awake, NOW);
    bed.tree.neighbour_dozes(&mut bed.cx, dozer, true);
    assert_eq!(bed.frames(dozer), []);
    bed.announced(dozer, id(1));
    bed.tick(NOW.after(limits::PROMISE));
    assert_eq!(bed.frames(dozer), [DocumentFrame::Graft(vec![id(1)])]);
}

#[test]
fn what_a_dozer_writes_it_pushes_and_what_it_passes_on_it_announces_at_once() {
    for dozing in [false, true] {
        let mut bed = bed();
        let (awake, dozer) = (bed.awake, bed.dozer);
        bed.tree.pruned(awake);
        bed.tree.set_dozing(dozing, NOW);
        let author = identity(1);
        let mut pushed = |nonce, from: Option<LinkId>| {
            let from = from.map(|link| (link, author.peer_id()));
            let document = document(&author, nonce, 10);
            bed.tree.spread(&mut bed.cx, &Accepted { document, hops: 0, from }, |_| true);
            [awake, dozer].map(|link| {
                let frames = bed.frames(link);
                frames.iter().any(|frame| matches!(frame, DocumentFrame::Push(_)))
            })
        };
        assert_eq!(pushed(1, None)[0], dozing);
        assert_eq!(pushed(2, Some(dozer)), [false, false]);
        bed.tick(NOW);
        let announced = [awake, dozer].map(|link| bed.frames(link).len());
        assert_eq!(announced.iter().sum::<usize>(), usize::from(dozing), "{announced:?}");
    }
}

/// As long as nobody says what it wants, this has no other witness.
#[test]
fn who_does_not_want_a_document_neither_gets_nor_hears_of_it() {
    let mut bed = bed();
    let (awake, dozer) = (bed.awake, bed.dozer);
    bed.tree.pruned(dozer);
    let document = document(&identity(3), 1, 10);
    let accepted = Accepted { document, hops: 0, from: None };
    bed.tree.spread(&mut bed.cx, &accepted, |link| link == awake);
    bed.tick(NOW.after(limits::ANNOUNCE_EVERY));
    assert_eq!([awake, dozer].map(|link| bed.frames(link).len()), [1, 0]);
}
