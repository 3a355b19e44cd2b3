#![allow(clippy::unwrap_used)]

use taiinet_identity::Identity;

use super::*;
use crate::{
    links::{Arrival, Work},
    testing::{self, NOW, document, identity},
    wire::Frame,
};

struct Setting {
    cx: Cx,
    tree: Tree,
    awake: LinkId,
    /// It comes first in the order of links.
    dozer: LinkId,
}

/// A tree with so many neighbours; the first two have names.
fn setting_of(count: u8) -> (Setting, Vec<LinkId>) {
    let mut cx = testing::cx();
    let mut tree = Tree::new();
    let links: Vec<LinkId> =
        (1..=count).map(|number| testing::neighbour(&mut cx, &identity(number))).collect();
    for link in &links {
        tree.neighbour_up(&mut cx, *link, &[], [].into_iter());
    }
    (Setting { cx, tree, awake: links[1], dozer: links[0] }, links)
}

fn setting() -> Setting {
    setting_of(2).0
}

fn id(number: u8) -> DocumentId {
    DocumentId::from_bytes([number; 32])
}

impl Setting {
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

    fn work(&mut self, link: LinkId) -> &mut Work {
        &mut self.cx.links.get_mut(link).unwrap().work
    }

    fn tick(&mut self, now: Time) {
        self.cx.now = now;
        self.tree.tick(&mut self.cx);
    }

    /// These push a document of this author, one after the other.
    fn pushed(&mut self, author: &Identity, nonce: u32, by: &[LinkId]) {
        let document = document(author, nonce, 10);
        let (id, author) = (document.id(), document.author());
        for (place, link) in by.iter().enumerate() {
            let sent = self.tree.sent(*link, &id, self.cx.now);
            if place == 0 {
                self.cx.store.insert(&document, 0, self.cx.now);
                self.tree.received(&self.cx, *link, sent, id, &author);
            } else {
                self.tree.duplicate(&self.cx, *link, sent, &id, &author);
            }
        }
    }
}

fn feed(frames: &[DocumentFrame]) -> Vec<Groups> {
    let groups = |frame: &DocumentFrame| match frame {
        DocumentFrame::Feed(groups) => Some(Groups::from_bits(*groups)),
        _ => None,
    };
    frames.iter().filter_map(groups).collect()
}

#[test]
fn a_dozer_is_asked_last_to_push_never_and_its_silence_is_no_offence() {
    let mut setting = setting();
    let (awake, dozer) = (setting.awake, setting.dozer);
    setting.tree.neighbour_dozes(dozer, true);
    setting.tick(NOW);
    assert_eq!(setting.frames(dozer), [DocumentFrame::Feed(0)]);
    for link in [dozer, awake] {
        setting.announced(link, id(1));
    }
    setting.announced(dozer, id(2));
    let later = NOW.after(limits::PROMISE);
    setting.tick(later);
    assert_eq!(setting.frames(awake), [DocumentFrame::Graft(vec![id(1)])]);
    assert_eq!(setting.frames(dozer), [DocumentFrame::Graft(vec![id(2)])]);
    // Neither keeps its promise.
    setting.tick(later.after(limits::PROMISE));
    let offences = |link| setting.cx.links.get(link).unwrap().offences;
    assert_eq!((offences(awake), offences(dozer)), (1, 0));
    assert_eq!(setting.cx.counters.rejected[&Misbehaviour::BrokenPromise], 1);
}

/// Who announces all there is and serves nothing would else be asked first each time, as the oldest neighbour or the
/// quickest to announce.
#[test]
fn a_neighbour_that_has_left_questions_unanswered_is_asked_after_others() {
    let mut setting = setting();
    let (other, silent) = (setting.awake, setting.dozer);
    for number in 1..=4 {
        setting.announced(silent, id(number));
    }
    let asked = NOW.after(limits::PROMISE);
    setting.tick(asked);
    assert!(matches!(&setting.frames(silent)[..], [DocumentFrame::Graft(ids)] if ids.len() == 4));
    // It is believed again.
    let later = asked.after(limits::PROMISE);
    setting.tick(later);
    let later = later.after(limits::DISTRUST);
    setting.tick(later);
    setting.announced(silent, id(9));
    setting.tick(later.after(Duration::from_millis(100)));
    setting.announced(other, id(9));
    setting.tick(later.after(Duration::from_millis(400)));
    assert_eq!(setting.frames(other), [DocumentFrame::Graft(vec![id(9)])]);
    assert_eq!(setting.frames(silent), []);
    // It is, where nobody else has it.
    setting.announced(silent, id(10));
    setting.tick(later.after(Duration::from_secs(2)));
    let frames = setting.frames(silent);
    assert!(matches!(&frames[..], [DocumentFrame::Graft(ids)] if ids.contains(&id(10))));
}

#[test]
fn where_all_doze_they_push_to_each_other() {
    let mut setting = setting();
    let dozer = setting.dozer;
    setting.tree.neighbour_down(setting.awake, NOW);
    setting.tree.neighbour_dozes(dozer, true);
    setting.announced(dozer, id(1));
    setting.tick(NOW.after(limits::PROMISE));
    assert_eq!(setting.frames(dozer), [DocumentFrame::Graft(vec![id(1)])]);
}

/// No peer can keep what another writes from being heard of; what a peer passes on it pushes to those that want
/// it. A dozer announces at once.
#[test]
fn our_own_documents_are_pushed_to_all_that_we_believe_and_others_to_those_that_want_them() {
    for dozing in [false, true] {
        let mut setting = setting();
        let (awake, dozer) = (setting.awake, setting.dozer);
        setting.tree.feed(awake, 0);
        setting.tree.set_dozing(dozing, NOW);
        let author = identity(1);
        let pushed = |nonce, from: Option<LinkId>, setting: &mut Setting| {
            let from = from.map(|link| (link, author.peer_id()));
            let document = document(&author, nonce, 10);
            let accepted =
                Accepted { document, hops: 0, from, way: None, also: None, conflict: None };
            setting.tree.spread(&mut setting.cx, &accepted);
            [awake, dozer].map(|link| {
                let frames = setting.frames(link);
                frames.iter().any(|frame| matches!(frame, DocumentFrame::Push(_)))
            })
        };
        assert_eq!(pushed(1, None, &mut setting), [true, true]);
        assert_eq!(pushed(2, Some(dozer), &mut setting), [false, false]);
        let peer = setting.cx.links.peer(awake).unwrap();
        for _ in 0..3 {
            setting.cx.reputation.charge(peer, Misbehaviour::InvalidSignature, NOW);
        }
        assert_eq!(pushed(3, None, &mut setting), [false, true], "it is not believed");
        setting.tick(NOW);
        let announced = [awake, dozer].map(|link| setting.frames(link).len());
        assert_eq!(announced.iter().sum::<usize>(), usize::from(dozing), "{announced:?}");
    }
}

#[test]
fn a_neighbour_that_does_not_want_a_document_neither_gets_nor_hears_of_it() {
    let mut setting = setting();
    let (awake, dozer) = (setting.awake, setting.dozer);
    setting.tree.feed(dozer, 0);
    let document = document(&identity(3), 1, 10);
    let accepted =
        Accepted { document, hops: 0, from: None, way: None, also: None, conflict: None };
    let steps = BTreeMap::from([(awake, Step::Push(Way::Aside))]);
    setting.tree.route(&mut setting.cx, &accepted, &steps);
    setting.tick(NOW.after(limits::ANNOUNCE_EVERY));
    assert_eq!([awake, dozer].map(|link| setting.frames(link).len()), [1, 0]);
}

#[test]
fn the_last_that_is_proven_to_push_a_group_is_kept_and_when_it_is_lost_another_is_to_push() {
    let (mut setting, links) = setting_of(3);
    let [one, other, third] = links[..] else { panic!() };
    let author = identity(9);
    for nonce in 0..10 {
        setting.pushed(&author, nonce, &[one, other, third]);
    }
    let all_but = !Groups::from(Group::of(&author.peer_id()));
    setting.tick(NOW);
    let told = [one, other, third].map(|link| feed(&setting.frames(link)));
    assert_eq!(told, [vec![], vec![all_but], vec![all_but]]);
    // Late or not, it is the only one.
    for nonce in 10..30 {
        setting.pushed(&author, nonce, &[third, one]);
    }
    setting.tree.neighbour_down(one, NOW);
    setting.tick(NOW.after(Duration::from_secs(1)));
    let told = [other, third].map(|link| feed(&setting.frames(link)));
    assert_eq!(told.concat(), [Groups::ALL], "one of them");
}

/// What it asks for costs a neighbour nothing to say: what counts when a link has to go is what it pushed.
#[test]
fn a_neighbour_that_asks_to_be_fed_everything_is_relied_on_for_what_it_feeds() {
    let mut setting = setting();
    let (asks, feeds) = (setting.awake, setting.dozer);
    setting.tree.feed(asks, u64::MAX);
    setting.tree.feed(feeds, 0);
    for nonce in 0..10 {
        setting.pushed(&identity(9), nonce, &[feeds]);
    }
    setting.tick(NOW);
    let relied_on = [asks, feeds].map(|link| setting.cx.links.get(link).unwrap().relied_on);
    assert_eq!(relied_on, [0, 1]);
}

/// An author pushes its own documents to all its neighbours, late or not.
#[test]
fn late_copies_of_the_author_itself_are_no_reason_to_send_it_away() {
    let (mut setting, links) = setting_of(2);
    let author = identity(2);
    assert_eq!(setting.cx.links.peer(links[1]), Some(author.peer_id()));
    for nonce in 0..50 {
        setting.pushed(&author, nonce, &links);
    }
    setting.tick(NOW);
    assert_eq!([0, 1].map(|place: usize| feed(&setting.frames(links[place]))), [vec![], vec![]]);
}

#[test]
fn what_is_not_kept_any_more_is_said_to_be_gone_and_asked_of_the_next() {
    let mut setting = setting();
    let (awake, dozer) = (setting.awake, setting.dozer);
    for link in [awake, dozer] {
        setting.announced(link, id(1));
    }
    let later = NOW.after(Duration::from_millis(250));
    setting.tick(later);
    assert_eq!(setting.frames(dozer), [DocumentFrame::Graft(vec![id(1)])]);
    setting.tree.gone(dozer, &[id(1)], later).unwrap();
    setting.tick(later);
    assert_eq!(setting.frames(awake), [DocumentFrame::Graft(vec![id(1)])]);
    assert_eq!(setting.tree.gone(dozer, &[id(1)], later), Err(Misbehaviour::Unasked));
    setting.tick(later.after(limits::PROMISE * 10));
    assert_eq!(setting.cx.links.get(dozer).unwrap().offences, 0);
}

/// A debt holds messages back for longer than a promise lasts.
#[test]
fn what_came_and_is_not_read_yet_breaks_no_promise() {
    let mut setting = setting();
    let link = setting.awake;
    setting.announced(link, id(1));
    let asked = NOW.after(Duration::from_millis(250));
    setting.tick(asked);
    assert_eq!(setting.frames(link), [DocumentFrame::Graft(vec![id(1)])]);
    setting.work(link).spend(u64::MAX, asked);
    assert_eq!(setting.work(link).arrives(vec![0], asked), Arrival::Waits);
    let due = asked.after(limits::PROMISE);
    setting.tick(due);
    assert!(setting.cx.counters.rejected.is_empty(), "it may be the document");
    assert!(setting.tree.deadline().is_some_and(|again| again > due), "it is looked at later");
    // It is read, and was something else.
    let paid = setting.work(link).deadline().unwrap();
    assert!(paid > due);
    assert!(setting.work(link).next(paid).is_some());
    setting.tick(due.after(limits::PROMISE));
    assert_eq!(setting.cx.counters.rejected[&Misbehaviour::BrokenPromise], 1);
}

/// An author is blacklisted by hand: of its documents one copy comes, and none is asked for.
#[test]
fn what_was_refused_for_its_author_is_not_asked_for_again_until_that_is_forgiven() {
    let mut setting = setting();
    let (awake, dozer) = (setting.awake, setting.dozer);
    let refused = document(&identity(5), 1, 10);
    let (id, author) = (refused.id(), refused.author());
    setting.announced(awake, id);
    let later = NOW.after(Duration::from_millis(250));
    setting.tick(later);
    assert_eq!(setting.frames(awake), [DocumentFrame::Graft(vec![id])]);
    let sent = setting.tree.sent(awake, &id, later);
    setting.tree.refused(&setting.cx, awake, sent, id, &author);
    setting.announced(dozer, id);
    setting.tick(later.after(limits::PROMISE * 10));
    assert_eq!([awake, dozer].map(|link| setting.frames(link)), [vec![], vec![]]);
    assert!(setting.cx.counters.rejected.is_empty(), "a promise was kept");
    setting.tree.reconsider();
    setting.announced(dozer, id);
    setting.tick(later.after(limits::PROMISE * 20));
    assert_eq!(setting.frames(dozer), [DocumentFrame::Graft(vec![id])]);
}
