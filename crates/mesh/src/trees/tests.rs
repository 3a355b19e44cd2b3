#![allow(clippy::unwrap_used)]

mod gaps;

use core::time::Duration;
use std::sync::Arc;

use taiinet_document::{Content, Map, Network, Timestamp, Value, VerifiedDocument};
use taiinet_identity::PeerId;
use taiinet_identity::{Identity, Signed};
use taiinet_query::{Query, limits::KEY_SET_BYTES};

use super::{below::Below, office::Rank, tombs::Tombs, *};
use crate::{
    testing::{self, NOW, identity, work_left},
    wire::{Beacon, Brings, Bulletin, Frame, IdPrefix, Join, Passed, VERIFICATION},
};

const SLOT: Slot = Slot(0);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn at(offset_ms: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis().saturating_add_signed(offset_ms))
}

/// Of the test's network, signed so long after now.
fn says(offset_ms: i64) -> Bulletin {
    Bulletin {
        network: testing::network(),
        slot: SLOT,
        issued_at: at(offset_ms),
        after: Timestamp::from_millis(0),
        beat_ms: 1000,
        peers: 100,
        spreading: 1,
        named: Vec::new(),
    }
}

fn passed(signed: Signed<Bulletin>) -> TreeFrame {
    TreeFrame::Bulletin(Passed { depth: 1, bulletin: signed })
}

fn bulletin(root: &Identity, offset_ms: i64) -> TreeFrame {
    passed(Signed::new(root, &says(offset_ms)))
}

/// The same with another signature.
fn forged(root: &Identity, offset_ms: i64) -> TreeFrame {
    let mut wire = crate::wire::codec::encode(&Signed::new(root, &says(offset_ms)));
    wire[40] ^= 1;
    passed(crate::wire::codec::decode(&wire).unwrap())
}

/// Identities from 10 on, the best ranked first; peer 0, whose tree this is, ranks behind them.
fn roots() -> Vec<Identity> {
    let rank = |of: &Identity| Rank::of(SLOT, &of.peer_id());
    let mut roots: Vec<Identity> = (10..40).map(identity).collect();
    roots.retain(|root| rank(root) < rank(&identity(0)));
    roots.sort_by_key(rank);
    assert!(roots.len() > 2, "there are enough");
    roots
}

struct Place {
    cx: Cx,
    trees: Trees,
    wants: Wants,
}

impl Place {
    /// A peer with neighbours that take part in the trees.
    fn new() -> (Self, [LinkId; 3]) {
        let mut cx = testing::cx();
        let mut trees = Trees::new(&mut cx);
        let links = [1, 2, 3].map(|number| testing::neighbour(&mut cx, &identity(number)));
        for link in links {
            cx.links.get_mut(link).unwrap().has_trees = true;
            trees.trees.iter_mut().for_each(|tree| tree.neighbour_up(&mut cx, link));
        }
        let mut place = Self { cx, trees, wants: Wants::default() };
        for link in links {
            place.sent(link);
        }
        (place, links)
    }

    fn hears(&mut self, link: LinkId, frame: TreeFrame) -> Result<(), Misbehaviour> {
        self.trees.frame(&mut self.cx, link, frame)
    }

    fn sent(&mut self, link: LinkId) -> Vec<Frame> {
        testing::sent(&mut self.cx, link)
    }

    /// What of it are bulletins: by whom.
    fn bulletins(&mut self, link: LinkId) -> Vec<PeerId> {
        testing::sent_of(&mut self.cx, link, |frame| match frame {
            Frame::Tree(TreeFrame::Bulletin(passed))
                if passed.bulletin.peek().unwrap().slot == SLOT =>
            {
                Some(passed.bulletin.signer())
            }
            _ => None,
        })
    }

    /// A document is new here: one of our own, or one that came on a way.
    fn gets(&mut self, document: &Arc<VerifiedDocument>, way: Option<Way>) {
        self.cx.store.insert(document, 0, self.cx.now);
        let accepted = Accepted {
            document: Arc::clone(document),
            hops: 0,
            from: None,
            way,
            also: None,
            conflict: None,
        };
        self.trees.on(&mut self.cx, &Notice::Accepted(accepted));
    }

    /// The documents that bulletins to a neighbour name, and in which tree.
    fn names(&mut self, link: LinkId) -> Vec<(Slot, IdPrefix)> {
        let bulletins = testing::sent_of(&mut self.cx, link, |frame| match frame {
            Frame::Tree(TreeFrame::Bulletin(passed)) => passed.bulletin.peek().ok(),
            _ => None,
        });
        let named = |bulletin: Bulletin| {
            let ids: Vec<IdPrefix> = bulletin.named.iter().map(|entry| entry.id).collect();
            ids.into_iter().map(move |id| (bulletin.slot, id))
        };
        bulletins.into_iter().flat_map(named).collect()
    }

    fn root(&self) -> Option<PeerId> {
        self.trees.at(SLOT).and_then(Tree::place).map(|place| place.root)
    }

    fn passes(&mut self, time: Duration) {
        let until = self.cx.now.after(time);
        while let Some(due) = self.trees.deadline(&self.cx, &self.wants).filter(|due| *due <= until)
        {
            self.cx.now = due.max(self.cx.now);
            self.trees.tick(&mut self.cx, &self.wants, Crowd::default());
        }
        self.cx.now = until;
    }
}

/// A document that goes on this tree.
fn of_slot(slot: Slot, number: u32) -> Arc<VerifiedDocument> {
    let mut all = (1000 * number..).map(|nonce| testing::document(&identity(5), nonce, 10));
    all.find(|document| Slot::of(&document.id()) == slot).unwrap()
}

fn keys(query: &str) -> KeySet {
    let query: Query = query.parse().unwrap();
    KeySet::of(query.routing_keys().iter().copied(), KEY_SET_BYTES)
}

fn has(number: i64) -> DocumentKeys {
    let content = Content::Open(Map::from([("n".to_owned(), Value::Int(number))]));
    DocumentKeys::of(&testing::said(&identity(1), content, None, NOW))
}

// ---- Bulletins ----

#[test]
fn a_bulletin_is_followed_passed_on_once_and_never_back() {
    let (mut place, [parent, child, other]) = Place::new();
    let root = &roots()[1];
    place.hears(parent, bulletin(root, 0)).unwrap();
    assert_eq!(place.root(), Some(root.peer_id()));
    assert_eq!(place.trees.parent(SLOT), Some(parent));
    assert_eq!(place.trees.depth(SLOT), 2);
    // A root that is new is told to all.
    assert_eq!([child, other].map(|link| place.bulletins(link).len()), [1, 1]);
    assert!(place.bulletins(parent).is_empty());
    place.hears(child, bulletin(root, 0)).unwrap();
    assert!([parent, child, other].iter().all(|link| place.bulletins(*link).is_empty()));

    // What comes after it goes to children only.
    let brings = Brings { peers: 1, open: 0, keys: None };
    let newest = Some((root.peer_id(), at(0)));
    place.hears(child, TreeFrame::Join(Join { slot: SLOT, newest, brings })).unwrap();
    place.hears(parent, bulletin(root, 1000)).unwrap();
    assert_eq!([parent, child, other].map(|link| place.bulletins(link).len()), [0, 1, 0]);
}

#[test]
fn what_is_old_forged_foreign_or_of_a_worse_root_is_neither_followed_nor_passed_on() {
    let (mut place, [parent, other, third]) = Place::new();
    let [better, root, worse] = [0, 1, 2].map(|at| roots()[at].clone());
    place.hears(parent, bulletin(&root, 0)).unwrap();
    for link in [parent, other, third] {
        place.sent(link);
    }

    let foreign: Network = "elsewhere".parse().unwrap();
    let of_network = |network| Signed::new(&better, &Bulletin { network, ..says(10) });
    let entries = vec![Entry::of_all(IdPrefix([7; 8])); 1000];
    let long = Signed::new(&better, &Bulletin { named: entries, ..says(10) });
    let unreadable: Signed<Bulletin> = {
        let mut wire = crate::wire::codec::encode(&Signed::new(&better, &says(10)));
        // The network's name would be longer than all there is: behind the key, the signature and the body's length.
        wire[97] = 120;
        crate::wire::codec::decode(&wire).unwrap()
    };
    let offences = [
        (forged(&root, 1_000), Misbehaviour::InvalidSignature, 10),
        (forged(&better, 1_000), Misbehaviour::InvalidSignature, 10),
        (passed(of_network(foreign)), Misbehaviour::WrongNetwork, 10),
        (passed(long), Misbehaviour::Oversize, 50),
        (passed(unreadable), Misbehaviour::Undecodable, 50),
    ];
    for (frame, misbehaviour, points) in offences {
        assert_eq!(place.hears(other, frame), Err(misbehaviour));
        assert_eq!(misbehaviour.weight(), points);
    }
    let (skew, oldest) = (limits::CLOCK_SKEW.as_secs(), 135);
    let elsewhere = Bulletin { slot: Slot(9), ..says(10) };
    let harmless = [
        bulletin(&root, 0),
        bulletin(&root, -1),
        bulletin(&better, skew as i64 * 1000 + 1),
        bulletin(&better, -oldest * 1000 - 1),
        bulletin(&identity(0), 10),
        passed(Signed::new(&better, &elsewhere)),
        TreeFrame::Bulletin(Passed {
            depth: limits::TREE_DEPTH,
            bulletin: Signed::new(&better, &says(10)),
        }),
        // Nobody looks whether they are signed.
        forged(&root, -1),
        forged(&worse, 10),
    ];
    let work = work_left(&place.cx, other);
    for frame in harmless {
        place.hears(other, frame).unwrap();
    }
    assert_eq!(work_left(&place.cx, other), work, "no signature was verified");
    assert_eq!(place.root(), Some(root.peer_id()));
    assert_eq!([parent, third].map(|link| place.bulletins(link).len()), [0, 0]);
    // A peer that follows a worse root is told of the better.
    assert_eq!(place.bulletins(other), [root.peer_id()]);

    place.hears(other, bulletin(&better, 10)).unwrap();
    assert_eq!(place.root(), Some(better.peer_id()));
    assert_eq!(work_left(&place.cx, other), work - VERIFICATION as i64);
}

#[test]
fn a_neighbour_that_takes_no_part_is_neither_heard_nor_told() {
    let (mut place, [link, ..]) = Place::new();
    let stranger = testing::neighbour(&mut place.cx, &identity(4));
    place.trees.trees.iter_mut().for_each(|tree| tree.neighbour_up(&mut place.cx, stranger));
    place.hears(stranger, bulletin(&roots()[0], 0)).unwrap();
    assert_eq!(place.root(), None);
    let brings = Brings { peers: u32::MAX, open: u32::MAX, keys: None };
    place.hears(stranger, TreeFrame::Join(Join { slot: SLOT, newest: None, brings })).unwrap();
    place.hears(link, bulletin(&roots()[0], 0)).unwrap();
    assert!(place.sent(stranger).is_empty());
    assert_eq!(place.trees.places().next().unwrap().children, 0);
}

#[test]
fn a_parent_that_fails_to_bring_what_was_named_is_left_for_another_and_the_only_one_never() {
    let (mut place, [parent, other, third]) = Place::new();
    let root = roots()[0].clone();
    place.hears(parent, bulletin(&root, 0)).unwrap();
    let missed = |place: &mut Place| {
        let missed = Notice::Missed { slot: SLOT, supplier: None };
        place.trees.on(&mut place.cx, &missed);
    };
    for _ in 0..4 {
        missed(&mut place);
    }
    assert_eq!(place.trees.parent(SLOT), Some(parent), "there is no other");
    let follows = Some((root.peer_id(), place.cx.now.timestamp()));
    let beacon = |depth| TreeFrame::Beacon(Beacon { slot: SLOT, follows, depth: Some(depth) });
    place.hears(other, beacon(2)).unwrap();
    place.hears(third, beacon(3)).unwrap();
    missed(&mut place);
    assert_eq!(place.trees.parent(SLOT), Some(parent), "once may be chance");
    missed(&mut place);
    assert_eq!(place.trees.parent(SLOT), Some(other));
    // Nor is it taken back because it stands nearer.
    place.hears(parent, beacon(0)).unwrap();
    place.passes(limits::IMPROVE_EVERY);
    assert_eq!(place.trees.parent(SLOT), Some(other));
}

#[test]
fn more_frames_than_the_budget_are_a_flood() {
    let (mut place, [link, ..]) = Place::new();
    let (at_once, _) = limits::TREE_FRAMES;
    let beacon = || TreeFrame::Beacon(Beacon { slot: SLOT, follows: None, depth: None });
    for _ in 0..at_once {
        place.hears(link, beacon()).unwrap();
    }
    assert_eq!(place.hears(link, beacon()), Err(Misbehaviour::StateFlood));
}

#[test]
fn a_root_that_falls_silent_is_gone_and_its_old_bulletins_bring_nobody_back() {
    let (mut place, [parent, other, _]) = Place::new();
    let root = roots()[0].clone();
    place.hears(parent, bulletin(&root, 0)).unwrap();
    place.passes(Duration::from_millis(2900));
    assert_eq!(place.root(), Some(root.peer_id()));
    // It starves, and says so.
    let starves = |frame: &Frame| matches!(frame, Frame::Tree(TreeFrame::Beacon(beacon)) if beacon.depth.is_none());
    assert!(place.sent(other).iter().any(starves));
    place.passes(Duration::from_millis(200));
    assert_eq!(place.root(), None);
    place.hears(other, bulletin(&root, 1900)).unwrap();
    assert_eq!(place.root(), None, "a tomb holds it");
    place.hears(other, bulletin(&root, 2100)).unwrap();
    assert_eq!(place.root(), Some(root.peer_id()), "it lives");
}

#[test]
fn where_there_is_no_root_a_peer_offers_itself_and_gives_way_to_a_better_one() {
    let (mut place, [link, other, _]) = Place::new();
    place.passes(limits::STAND_LEAST / 2);
    assert_eq!(place.root(), None);
    place.passes(limits::STAND_MOST);
    let ours = place.cx.id();
    assert_eq!(place.root(), Some(ours));
    assert_eq!(place.bulletins(link), [ours], "a root that is new is told to all");
    let brings = Brings { peers: 1, open: 0, keys: None };
    place.hears(link, TreeFrame::Join(Join { slot: SLOT, newest: None, brings })).unwrap();
    place.passes(seconds(20));
    let told = place.bulletins(link);
    assert!((5..8).contains(&told.len()), "one at once, then each five seconds: {}", told.len());
    let document = of_slot(SLOT, 1);
    place.gets(&document, None);
    place.passes(seconds(2));
    assert_eq!(place.names(link), [(SLOT, IdPrefix::from(&document.id()))], "what has come to it");

    let after = place.cx.now.as_millis() - NOW.as_millis();
    place.hears(other, bulletin(&roots()[0], after as i64)).unwrap();
    assert_eq!(place.root(), Some(roots()[0].peer_id()));
    assert!(!place.trees.is_root(SLOT));
}

/// Of two trees one says what the other does not: nothing twice, and nothing not at all.
#[test]
fn a_root_names_what_came_up_its_tree_and_after_a_while_what_another_leaves_out() {
    let (mut place, [link, other, _]) = Place::new();
    let there = Slot(1);
    place.passes(limits::STAND_MOST + seconds(2));
    assert!(place.trees.is_root(SLOT) && place.trees.is_root(there));
    let brings = Brings { peers: 1, open: 0, keys: None };
    place.hears(link, TreeFrame::Join(Join { slot: SLOT, newest: None, brings })).unwrap();
    // Another takes the office in the other tree.
    let rank = |of: &Identity| Rank::of(there, &of.peer_id());
    let best = (10..200).map(identity).min_by_key(rank).unwrap();
    let says = |place: &Place, named| {
        let issued_at = place.cx.now.timestamp();
        let named = Vec::from_iter(named);
        passed(Signed::new(&best, &Bulletin { slot: there, issued_at, named, ..says(0) }))
    };
    let frame = says(&place, None);
    place.hears(other, frame).unwrap();
    assert!(!place.trees.is_root(there));
    place.names(link);
    let [ours, theirs] = [of_slot(SLOT, 1), of_slot(there, 1)];
    let [up, aside] = [of_slot(there, 2), of_slot(SLOT, 2)];
    place.gets(&ours, None);
    place.gets(&theirs, None);
    place.gets(&up, Some(Way::Up(SLOT)));
    place.gets(&aside, Some(Way::Aside));
    place.passes(seconds(1));
    let id = |document: &Arc<VerifiedDocument>| (SLOT, IdPrefix::from(&document.id()));
    assert_eq!(place.names(link), [id(&ours), id(&up)]);
    // What has come up once more, by another way, is named, too.
    let keys = DocumentKeys::of(&aside);
    let climbed = Climbed { slot: SLOT, document: Arc::clone(&aside), keys };
    place.trees.on(&mut place.cx, &Notice::Climbed(climbed));
    place.passes(seconds(1));
    assert_eq!(place.names(link), [id(&aside)]);
    // The other root names one of two, and hides the other.
    let hidden = of_slot(there, 3);
    place.gets(&hidden, Some(Way::Down(there)));
    let named = Entry::of_all(IdPrefix::from(&theirs.id()));
    let frame = says(&place, Some(named));
    place.hears(other, frame).unwrap();
    place.passes(limits::NAMED_LATE + seconds(6));
    assert_eq!(place.names(link), [id(&hidden)]);
}

// ---- Ranks ----

/// Of peers in slots, as `audits/vectors/frames.json` has them.
const RANKS: [(u8, u8, &str); 4] = [
    (1, 0, "f8d4d4aa2a8ec347"),
    (2, 0, "37776cfadbd28926"),
    (3, 0, "41ca1034ca315ecc"),
    (1, 1, "18be70d24e101386"),
];

#[test]
fn ranks_are_as_documented() {
    let rank = |number: u8, slot: u8| Rank::of(Slot(slot), &identity(number).peer_id());
    let known = RANKS.map(|(number, slot, hex)| (rank(number, slot), hex));
    for (rank, hex) in known {
        assert_eq!(format!("{rank:?}"), format!("Rank({})", u64::from_str_radix(hex, 16).unwrap()));
    }
}

#[test]
fn the_better_ranked_waits_less_and_more_peers_wait_apart() {
    let mut ranks: Vec<Rank> =
        (0..100).map(|number| Rank::of(SLOT, &identity(number).peer_id())).collect();
    ranks.sort();
    let waits: Vec<Duration> = ranks.iter().map(|rank| rank.wait(100)).collect();
    assert!(waits.is_sorted());
    let most = limits::STAND_APART * 100;
    assert!(waits[99] < most && waits[99] > most / 2);
    assert!(ranks.iter().all(|rank| rank.wait(0).is_zero()));
    assert!(ranks[99].wait(u32::MAX) > ranks[99].wait(100));
}

// ---- Tombs ----

#[test]
fn a_tomb_holds_twice_as_long_each_time_and_few_are_kept() {
    let (mut tombs, root) = (Tombs::default(), identity(1).peer_id());
    assert!(!tombs.holds(&root, at(0)));
    for held_ms in [2000, 4000, 8000] {
        tombs.bury(root, at(0));
        assert!(tombs.holds(&root, at(held_ms)));
        assert!(!tombs.holds(&root, at(held_ms + 1)));
    }
    for _ in 0..20 {
        tombs.bury(root, at(0));
    }
    assert!(!tombs.holds(&root, at(600_001)), "it may come back one day");
    tombs.bury(root, Timestamp::from_millis(u64::MAX));
    for number in 0..limits::TOMBS {
        tombs.bury(identity(100 + u8::try_from(number).unwrap()).peer_id(), at(0));
    }
    assert!(!tombs.holds(&root, at(0)));
}

// ---- Below ----

fn below() -> (Below, [LinkId; 2]) {
    (Below::new(NOW), [LinkId::from_raw(1), LinkId::from_raw(2)])
}

#[test]
fn a_child_wants_everything_until_it_has_said_what_and_nothing_when_it_has_left() {
    let (mut below, [one, two]) = below();
    below.set_own(KeySet::of([], KEY_SET_BYTES), NOW);
    let brings = |keys| Brings { peers: 1, open: 0, keys };
    below.brings(one, brings(None), true, NOW);
    assert_eq!(below.that_want(&has(1)), [one]);
    below.brings(one, brings(Some(keys(r#"{"n":1}"#))), false, NOW);
    below.brings(two, brings(Some(keys(r#"{"n":2}"#))), true, NOW);
    assert_eq!(below.that_want(&has(1)), [one]);
    assert_eq!(below.that_want(&has(2)), [two]);
    // It brings no news of what it wants.
    below.brings(one, brings(None), false, NOW);
    assert_eq!(below.that_want(&has(1)), [one]);
    assert!(below.that_want(&has(3)).is_empty());
    below.left(one, NOW);
    assert!(below.that_want(&has(1)).is_empty());
    // One that is no child brings nothing.
    below.brings(one, brings(Some(KeySet::EVERYTHING)), false, NOW);
    assert!(!below.contains(one) && below.that_want(&has(1)).is_empty());
}

#[test]
fn a_parent_is_told_what_all_below_want_and_when_that_has_changed() {
    let (mut below, [one, _]) = below();
    below.set_own(keys(r#"{"n":1}"#), NOW);
    let first = below.all(false, NOW).keys.unwrap();
    assert!(first.matches(&has(1)) && !first.matches(&has(2)));
    assert_eq!(below.news(false, NOW.after(seconds(60))), None);
    let now = NOW.after(seconds(60));
    below.brings(one, Brings { peers: 3, open: 1, keys: Some(keys(r#"{"n":2}"#)) }, true, now);
    let due = below.deadline().unwrap();
    let news = below.news(false, due).unwrap();
    assert_eq!((news.peers, news.open), (4, 1));
    let both = news.keys.unwrap();
    assert!(both.matches(&has(1)) && both.matches(&has(2)) && !both.matches(&has(3)));
    // Numbers alone are told later, without the keys.
    below.brings(one, Brings { peers: 4, open: 1, keys: None }, false, due);
    assert_eq!(below.news(false, due.after(limits::KEYS_EVERY)), None);
    let news = below.news(false, due.after(limits::COUNT_EVERY)).unwrap();
    assert_eq!((news.peers, news.keys), (5, None));
}

#[test]
fn no_numbers_of_children_overflow() {
    let (mut below, links) = below();
    for link in links {
        let brings = Brings { peers: u32::MAX, open: u32::MAX, keys: None };
        below.brings(link, brings, true, NOW);
    }
    assert_eq!((below.peers(), below.open(true)), (u32::MAX, u32::MAX));
}

// ---- Unnamed ----

#[test]
fn of_what_no_root_has_named_so_much_is_remembered_for_so_long() {
    let mut unnamed = Unnamed::new(3, seconds(10));
    let ids: Vec<DocumentId> = (0..5).map(|n| DocumentId::from_bytes([n; 32])).collect();
    for id in &ids {
        unnamed.insert(*id, NOW);
    }
    let all = |unnamed: &Unnamed| unnamed.all().map(|id| IdPrefix::from(&id)).collect::<Vec<_>>();
    let short = |ids: &[DocumentId]| ids.iter().map(IdPrefix::from).collect::<Vec<_>>();
    assert_eq!(all(&unnamed), short(&ids[2..]), "the oldest gave way");
    assert_eq!(unnamed.take(&(&ids[3]).into()), Some(ids[3]));
    assert_eq!(unnamed.take(&(&ids[3]).into()), None);
    assert_eq!(all(&unnamed), short(&[ids[2], ids[4]]));
    unnamed.insert(ids[0], NOW.after(seconds(10)));
    assert_eq!(all(&unnamed), short(&ids[..1]));
}
