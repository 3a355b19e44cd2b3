#![allow(clippy::unwrap_used)]

mod asking;

use std::sync::Arc;

use taiinet_document::{Content, Key, Map, Value};
use taiinet_identity::{Identity, Signed};
use taiinet_query::{Query, RoutingKey};

use super::*;
use crate::{
    interest::Interest,
    notice::{LinkDown, NeighbourUp},
    testing::{self, NOW, identity},
    wire::{Bulletin, Entry, Frame, Passed, TreeFrame},
};

const SLOT: Slot = Slot(0);

fn id(number: u64) -> DocumentId {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    DocumentId::from_bytes(id)
}

fn document(author: &Identity, number: i64, key: Option<Key>) -> Arc<VerifiedDocument> {
    let content = Content::Open(Map::from([("n".to_owned(), Value::Int(number))]));
    testing::said(author, content, key, NOW)
}

fn query(number: i64) -> Query {
    format!(r#"{{"n":{number}}}"#).parse().unwrap()
}

fn wants(number: i64) -> RouteFrame {
    RouteFrame::Wants(KeySet::of(query(number).routing_keys().iter().copied(), limits::KEYS_BYTES))
}

/// A peer whose network goes by routes, with three neighbours that have not said what they want.
struct Setting {
    cx: Cx,
    routes: Routes,
    trees: Trees,
    interest: Interest,
    links: [LinkId; 3],
}

fn setting(spreading: Spreading) -> Setting {
    let mut cx = testing::cx();
    let (trees, interest) = (Trees::new(&mut cx), Interest::new(&mut cx));
    cx.spreading = spreading;
    let links = [1, 2, 3].map(|number| testing::neighbour(&mut cx, &identity(number)));
    let mut setting = Setting { cx, routes: Routes::default(), trees, interest, links };
    for link in links {
        setting.cx.links.get_mut(link).unwrap().has_trees = true;
        setting.up(link);
    }
    setting
}

impl Setting {
    fn up(&mut self, link: LinkId) {
        let (peer, since) = (self.cx.links.peer(link).unwrap(), NOW.timestamp());
        let up = Notice::NeighbourUp(NeighbourUp { link, peer, session: 0, since });
        self.on(&up);
    }

    fn on(&mut self, notice: &Notice) {
        self.routes.on(&mut self.cx, notice, self.interest.wants());
    }

    fn tick(&mut self) {
        self.routes.tick(&mut self.cx, self.interest.wants(), &self.trees);
    }

    fn hears(&mut self, link: LinkId, frame: RouteFrame) {
        self.routes.frame(&mut self.cx, link, frame).unwrap();
    }

    /// What it does with a document that is new: one of its own, or one that came over a link.
    fn plan(&mut self, document: &Arc<VerifiedDocument>, came: Option<(LinkId, Way)>) -> Plan {
        let from = came.map(|(link, _)| (link, self.cx.links.peer(link).unwrap()));
        let way = came.map(|(_, way)| way);
        let document = Arc::clone(document);
        let accepted = Accepted { document, hops: 0, from, way, also: None, conflict: None };
        self.routes.plan(&mut self.cx, &accepted, (&self.trees, &Delegation::new(NOW)))
    }

    fn route(
        &mut self,
        document: &Arc<VerifiedDocument>,
        came: Option<(LinkId, Way)>,
    ) -> BTreeMap<LinkId, Step> {
        match self.plan(document, came) {
            Plan::Route(steps) => steps,
            Plan::Flood => panic!("it floods"),
        }
    }

    /// The frames of routes that were sent to each neighbour.
    fn sent(&mut self) -> [Vec<RouteFrame>; 3] {
        self.links.map(|link| {
            testing::sent_of(&mut self.cx, link, |frame| match frame {
                Frame::Route(frame) => Some(frame),
                _ => None,
            })
        })
    }

    fn asks(&mut self) -> [usize; 3] {
        self.sent()
            .map(|frames| frames.iter().filter(|frame| matches!(frame, RouteFrame::Ask(_))).count())
    }

    /// A root names a document that is about this.
    fn named(&mut self, id: &DocumentId, about: DocumentKeys) {
        let entries = vec![Entry { id: id.into(), about }];
        self.on(&Notice::Named(Named { slot: SLOT, depth: 0, entries }));
    }
}

// ---- Where a document goes ----

#[test]
fn a_document_goes_to_those_that_want_it_and_to_those_that_have_not_said() {
    let mut setting = setting(Spreading::Route);
    let [one, other, silent] = setting.links;
    setting.hears(one, wants(1));
    setting.hears(other, wants(2));
    // Nobody decides whether ours is heard of.
    let push = Step::Push(Way::Aside);
    let ours = setting.route(&document(&identity(0), 1, None), None);
    assert_eq!(ours, BTreeMap::from([(one, push), (silent, push)]));
    // That of others is told of, and not to whom it came from.
    let theirs = document(&identity(5), 2, None);
    let steps = setting.route(&theirs, Some((silent, Way::Aside)));
    assert_eq!(steps, BTreeMap::from([(other, Step::Announce)]));
    let steps = setting.route(&document(&identity(5), 2, None), Some((other, Way::Aside)));
    assert_eq!(steps, BTreeMap::new(), "once is enough");
}

#[test]
fn what_is_for_everyone_or_may_replace_something_floods_and_so_does_all_where_the_root_says_so() {
    let plain = document(&identity(5), 1, None);
    let floods = |setting: &mut Setting, document| {
        let from = Some((setting.links[0], Way::Down(SLOT)));
        matches!(setting.plan(document, from), Plan::Flood)
    };
    assert!(floods(&mut setting(Spreading::Flood), &plain));
    let mut routes = setting(Spreading::Route);
    assert!(!floods(&mut routes, &plain));
    let keyed = document(&identity(5), 1, Some("key".into()));
    assert!(floods(&mut routes, &keyed), "nobody has said what it replaces");
}

#[test]
fn a_way_on_a_tree_that_there_is_not_leads_nowhere() {
    let mut setting = setting(Spreading::Route);
    let from = setting.links[0];
    for link in setting.links {
        setting.hears(link, wants(2));
    }
    for (number, slot) in [1, 7, 8, 255].into_iter().enumerate() {
        for way in [Way::Up(Slot(slot)), Way::Down(Slot(slot))] {
            let document = document(&identity(5), 10 + number as i64, None);
            assert_eq!(setting.route(&document, Some((from, way))), BTreeMap::new());
        }
    }
}

/// A network of two trees: in the first this neighbour is the parent, in the second that one.
fn rooted(first: usize, second: usize) -> Setting {
    let mut setting = setting(Spreading::Route);
    for link in setting.links {
        let (peer, since) = (setting.cx.links.peer(link).unwrap(), NOW.timestamp());
        let up = Notice::NeighbourUp(NeighbourUp { link, peer, session: 0, since });
        setting.trees.on(&mut setting.cx, &up);
        setting.hears(link, wants(9));
    }
    for (slot, parent) in [(0, first), (1, second)] {
        let bulletin = Bulletin {
            network: testing::network(),
            slot: Slot(slot),
            issued_at: NOW.timestamp(),
            after: taiinet_document::Timestamp::from_millis(0),
            beat_ms: 1000,
            peers: 100,
            spreading: 1,
            named: Vec::new(),
        };
        let bulletin = Signed::new(&identity(20 + slot), &bulletin);
        let frame = TreeFrame::Bulletin(Passed { depth: 1, bulletin });
        setting.trees.frame(&mut setting.cx, setting.links[parent], frame).unwrap();
    }
    setting
}

/// One that goes on this tree, by this author.
fn of_slot(slot: u8, author: u8) -> Arc<VerifiedDocument> {
    let mut all = (1..).map(|number| document(&identity(author), number, None));
    all.find(|document| Slot::of(&document.id()) == Slot(slot)).unwrap()
}

/// Where it is sent once more when it has not been named, so many times.
fn climbs(setting: &mut Setting, times: usize) -> Vec<(LinkId, Slot)> {
    let mut all = Vec::new();
    for _ in 0..times {
        setting.cx.now = setting.routes.passages.deadline().unwrap();
        setting.tick();
        for notice in setting.cx.notices.drain(..) {
            let Notice::Pass { steps, .. } = notice else { continue };
            all.extend(steps.into_iter().filter_map(|(link, step)| match step {
                Step::Push(Way::Up(slot)) => Some((link, slot)),
                _ => None,
            }));
        }
    }
    all
}

#[test]
fn what_one_root_does_not_name_its_author_sends_up_to_the_other_and_all_others_to_the_same() {
    let mut setting = rooted(0, 1);
    let [first, second, third] = setting.links;
    let (here, there) = (Slot(0), Slot(1));
    let ours = of_slot(0, 0);
    let steps = setting.route(&ours, None);
    assert_eq!(steps, BTreeMap::from([(first, Step::Push(Way::Up(here)))]));
    let again = climbs(&mut setting, 4);
    assert_eq!(again[0], (second, there));
    let slots: Vec<Slot> = again.iter().map(|(_, slot)| *slot).collect();
    assert_eq!(slots, [there, here].repeat(4), "on both");
    let mut setting = rooted(0, 1);
    let steps = setting.route(&of_slot(1, 5), Some((third, Way::Up(here))));
    assert_eq!(steps, BTreeMap::from([(first, Step::Push(Way::Up(here)))]));
    assert!(climbs(&mut setting, 3).iter().all(|(_, slot)| *slot == here));
}

#[test]
fn a_root_that_leaves_out_much_of_ours_comes_second_for_a_while() {
    let mut setting = rooted(0, 1);
    let [first, second, _] = setting.links;
    let tree = |setting: &mut Setting, number: i64| {
        let mut all = (1000 * number..).map(|number| document(&identity(0), number, None));
        let ours = all.find(|document| Slot::of(&document.id()) == SLOT).unwrap();
        let steps = setting.route(&ours, None);
        assert_eq!(steps.len(), 1);
        (ours, *steps.keys().next().unwrap())
    };
    // What is named in time counts for it.
    for (number, is_named) in [(1, true), (2, false), (3, true), (4, false)].into_iter() {
        let (ours, link) = tree(&mut setting, number);
        assert_eq!(link, first, "{number}");
        if is_named {
            setting.named(&ours.id(), DocumentKeys::of(&ours));
        } else {
            climbs(&mut setting, 1);
            setting.named(&ours.id(), DocumentKeys::of(&ours));
        }
    }
    let (_, link) = tree(&mut setting, 5);
    assert_eq!(link, first);
    climbs(&mut setting, 1);
    assert_eq!(tree(&mut setting, 6).1, second);
    setting.cx.now = setting.cx.now.after(limits::OWED_RESTS);
    assert_eq!(tree(&mut setting, 7).1, first);
}

// ---- What neighbours are told ----

#[test]
fn neighbours_are_told_what_we_want_where_that_matters_and_when_it_changes() {
    let mut setting = setting(Spreading::Flood);
    setting.interest.subscribe(query(1)).unwrap();
    setting.tick();
    assert_eq!(setting.sent().map(|frames| frames.len()), [0; 3], "it is nobody's business");
    setting.cx.spreading = Spreading::Route;
    setting.tick();
    setting.tick();
    assert_eq!(setting.sent().map(|frames| frames == [wants(1)]), [true; 3]);
    setting.interest.subscribe(query(2)).unwrap();
    setting.tick();
    assert_eq!(setting.sent().map(|frames| frames.len()), [0; 3], "more may follow");
    setting.cx.now = setting.routes.deadline().unwrap();
    setting.tick();
    assert_eq!(setting.sent().map(|frames| frames.len()), [1; 3]);
}

#[test]
fn neighbours_are_told_of_a_discreet_subscription_that_it_wants_everything() {
    let mut setting = setting(Spreading::Route);
    let everything = RouteFrame::Wants(KeySet::of([RoutingKey::Any], limits::KEYS_BYTES));
    let discreet = setting.interest.subscribe_discreetly(query(1)).unwrap();
    assert!(setting.interest.wants().is_everything());
    assert_eq!(setting.interest.wants().len(), 1, "it wants that alone, as others are told");
    setting.tick();
    assert_eq!(setting.sent().map(|frames| frames == [everything.clone()]), [true; 3]);
    // What is wanted openly besides is no secret, and is wanted still when the other one has ended.
    setting.interest.subscribe(query(2)).unwrap();
    setting.interest.unsubscribe(discreet);
    assert!(!setting.interest.wants().is_everything());
    setting.tick();
    setting.cx.now = setting.routes.deadline().unwrap();
    setting.tick();
    assert_eq!(setting.sent().map(|frames| frames == [wants(2)]), [true; 3]);
}

#[test]
fn where_documents_flood_again_no_new_neighbour_is_told_what_we_want() {
    let mut setting = setting(Spreading::Route);
    setting.interest.subscribe(query(1)).unwrap();
    setting.tick();
    setting.sent();
    setting.cx.spreading = Spreading::Flood;
    setting.up(setting.links[0]);
    assert_eq!(setting.sent().map(|frames| frames.len()), [0; 3]);
}

/// It would skip the frame `Routed`, and so never get the document.
#[test]
fn a_neighbour_that_knows_no_routes_is_told_nothing_of_them() {
    let mut setting = setting(Spreading::Route);
    for link in setting.links {
        setting.cx.links.get_mut(link).unwrap().has_trees = false;
        setting.up(link);
    }
    setting.tick();
    assert_eq!(setting.sent().map(|frames| frames.len()), [0; 3]);
    let plan = setting.plan(&document(&identity(0), 1, None), None);
    let Plan::Route(steps) = plan else { panic!("it floods") };
    assert_eq!(steps, setting.links.map(|link| (link, Step::Plain)).into());
}

/// A neighbour would take that for a flood.
#[test]
fn who_changes_its_mind_often_tells_neighbours_no_more_than_they_bear() {
    let mut setting = setting(Spreading::Route);
    for number in 0..200 {
        setting.interest.subscribe(query(number)).unwrap();
        setting.tick();
    }
    let most = limits::TREE_FRAMES.0 as usize;
    assert!(setting.sent().iter().all(|frames| frames.len() <= most));
}

#[test]
fn a_link_that_goes_takes_what_it_wanted_with_it() {
    let mut setting = setting(Spreading::Route);
    let [one, other, third] = setting.links;
    for link in [other, third] {
        setting.hears(link, wants(9));
    }
    let peer = setting.cx.links.peer(one).unwrap();
    setting.on(&Notice::LinkDown(LinkDown {
        link: one,
        peer,
        session: 0,
        incoming: false,
        relayed: false,
        extra: false,
        active: true,
        blameless: false,
        cause: crate::Disconnect::Bye,
    }));
    assert_eq!(setting.route(&document(&identity(0), 1, None), None), BTreeMap::new());
}

// ---- Passages ----

#[test]
fn a_document_goes_up_and_down_each_tree_once() {
    let mut passage = passages::Passage::default();
    for slot in [Slot(0), Slot(7)] {
        assert!(passage.goes_up(slot) && !passage.goes_up(slot));
        assert!(passage.goes_down(slot) && !passage.goes_down(slot));
    }
}

#[test]
fn what_is_not_named_in_time_is_due_once_more_and_what_is_named_is_not() {
    let mut passages = Passages::default();
    let due = NOW.after(patience(false, 3));
    assert!(due > NOW.after(patience(false, 0)) && patience(false, 12) == patience(false, 255));
    let climb = Climb { slot: SLOT, ours: false, tries: 1, due };
    for number in [1, 2] {
        passages.enter(id(number), NOW);
        passages.climbs(id(number), climb);
    }
    assert!(passages.overdue(NOW).is_none());
    assert_eq!(passages.deadline(), Some(due));
    assert!(!passages.is_named(&(&id(1)).into()));
    passages.named(&(&id(1)).into(), NOW);
    assert!(passages.is_named(&(&id(1)).into()));
    let (late, climb) = passages.overdue(due).unwrap();
    assert_eq!((late, climb.tries), (id(2), 1));
    assert!(passages.overdue(due).is_none());
    // It was sent up again.
    passages.climbs(id(2), Climb { tries: 2, due: due.after(patience(false, 3)), ..climb });
    assert!(passages.deadline() > Some(due));
    // What was named before it came is known as well.
    passages.named(&(&id(3)).into(), NOW);
    assert!(passages.is_named(&(&id(3)).into()));
}

#[test]
fn passages_and_names_are_bounded_in_number_and_time() {
    let mut passages = Passages::default();
    let most = limits::PASSAGES as u64;
    for number in 0..=most {
        passages.enter(id(number), NOW);
        passages.climbs(id(number), Climb { slot: SLOT, ours: true, tries: 1, due: NOW });
        passages.named(&(&id(2 * most + number)).into(), NOW);
    }
    assert!(passages.get(&id(0)).is_none() && passages.get(&id(1)).is_some());
    assert!(
        !passages.is_named(&(&id(2 * most)).into())
            && passages.is_named(&(&id(2 * most + 1)).into())
    );
    let due = core::iter::from_fn(|| passages.overdue(NOW)).count() as u64;
    assert_eq!(due, most, "what is forgotten is not due");
    let later = NOW.after(limits::PASSAGE_LASTS);
    passages.enter(id(most + 1), later);
    assert!(passages.get(&id(most)).is_none());
    passages.named(&(&id(0)).into(), later);
    assert!(!passages.is_named(&(&id(2 * most + 1)).into()));
}
