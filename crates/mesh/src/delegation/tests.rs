#![allow(clippy::unwrap_used)]

use taiinet_document::{Content, Map, Value};
use taiinet_identity::{Identity, PeerId, Signed, Verified};
use taiinet_query::{Query, RoutingKey};

use super::{order::Order, *};
use crate::{
    Disconnect,
    interest::Interest,
    notice::{LinkDown, NeighbourUp},
    testing::{self, NOW, identity, routing_key},
    wire::{Brings, Frame, Join, Seek, Slot, Sought, TreeFrame, codec},
};

const SLOT: Slot = Slot(0);

fn query(text: &str) -> Query {
    text.parse().unwrap()
}

fn topic() -> RoutingKey {
    routing_key(r#"{"topic":1}"#)
}

/// A peer whose network goes by routes, with three neighbours that it does not supply and that do not supply it.
struct Setting {
    cx: Cx,
    delegation: Delegation,
    trees: Trees,
    interest: Interest,
    neighbours: BTreeMap<LinkId, KeySet>,
    links: [LinkId; 3],
}

fn setting() -> Setting {
    let mut cx = testing::cx();
    let (trees, interest) = (Trees::new(&mut cx), Interest::new(&mut cx));
    cx.spreading = Spreading::Route;
    let links = [1, 2, 3].map(|number| testing::neighbour(&mut cx, &identity(number)));
    let mut setting = Setting {
        cx,
        delegation: Delegation::new(NOW),
        trees,
        interest,
        neighbours: BTreeMap::new(),
        links,
    };
    for link in links {
        setting.cx.links.get_mut(link).unwrap().has_trees = true;
        let (peer, since) = (setting.peer(link), NOW.timestamp());
        let up = Notice::NeighbourUp(NeighbourUp { link, peer, session: 0, since });
        setting.trees.on(&mut setting.cx, &up);
        setting.neighbours.insert(link, KeySet::default());
    }
    setting
}

impl Setting {
    fn peer(&self, link: LinkId) -> PeerId {
        self.cx.links.peer(link).unwrap()
    }

    fn subscribe(&mut self, text: &str) {
        self.interest.subscribe(query(text)).unwrap();
        self.tick();
    }

    /// A neighbour says what it wants.
    fn says(&mut self, link: LinkId, keys: &[RoutingKey]) {
        self.neighbours.insert(link, KeySet::of(keys.iter().copied(), limits::KEYS_BYTES));
        self.on(&Notice::Wants(link));
        self.tick();
    }

    fn on(&mut self, notice: &Notice) {
        self.delegation.on(&mut self.cx, notice, self.interest.wants_mut());
    }

    fn tick(&mut self) {
        let (cx, wants) = (&mut self.cx, self.interest.wants_mut());
        self.delegation.tick(cx, wants, &self.trees, &self.neighbours);
    }

    fn hears(&mut self, link: LinkId, frame: SupplyFrame) -> Result<(), Misbehaviour> {
        let (wants, trees) = (self.interest.wants_mut(), &self.trees);
        self.delegation.frame(&mut self.cx, link, frame, (wants, trees))
    }

    fn sent(&mut self, link: LinkId) -> Vec<SupplyFrame> {
        testing::sent_of(&mut self.cx, link, |frame| match frame {
            Frame::Supply(frame) => Some(frame),
            _ => None,
        })
    }

    /// A neighbour becomes a child of ours that wants this, or has some below it that do.
    fn adopt(&mut self, link: LinkId, keys: &[RoutingKey]) {
        let keys = KeySet::of(keys.iter().copied(), limits::KEYS_BYTES);
        let brings = Brings { peers: 1, open: 0, keys: Some(keys) };
        let join = TreeFrame::Join(Join { slot: SLOT, newest: None, brings });
        self.trees.frame(&mut self.cx, link, join).unwrap();
    }

    fn dials(&mut self) -> Vec<PeerId> {
        let dials = self.cx.notices.drain(..).filter_map(|notice| match notice {
            Notice::Dial(candidacy) if candidacy.sought => Some(candidacy.peer),
            _ => None,
        });
        dials.collect()
    }

    /// The keys that signallers are told.
    fn named(&mut self) -> Vec<RoutingKey> {
        let named = self.cx.notices.drain(..).filter_map(|notice| match notice {
            Notice::IntroduceFor { key } => Some(key),
            _ => None,
        });
        named.collect()
    }

    /// Whether a tree is to bring it.
    fn is_registered(&self, key: &RoutingKey) -> bool {
        self.interest.wants().registered().may_hold(key)
    }
}

/// One that stands after us in the order of those that want the topic, and one that stands before.
fn after_and_before() -> [Identity; 2] {
    let ours = Order::of(&identity(0).peer_id(), &topic());
    let is_after = |number: &u8| Order::of(&identity(*number).peer_id(), &topic()) > ours;
    let after = (10..200).find(|number| is_after(number)).unwrap();
    let before = (10..200).find(|number| !is_after(number)).unwrap();
    [identity(after), identity(before)]
}

fn seek(by: &Identity, key: RoutingKey, hops: u8) -> Seek {
    let sought =
        Sought { network: testing::network(), key, joined: None, issued_at: NOW.timestamp() };
    let sought = Verified::sign(by, sought).signed().clone();
    Seek { slot: SLOT, hops, down: false, sought }
}

/// The same with the name of another signer.
fn forged_by(sought: &Signed<Sought>, other: &Identity) -> Signed<Sought> {
    let mut bytes = codec::encode(sought);
    bytes[..32].copy_from_slice(other.peer_id().as_bytes());
    codec::decode(&bytes).unwrap()
}

// ---- Who supplies whom ----

#[test]
fn of_two_that_want_the_same_exactly_one_supplies_the_other() {
    let mut setting = setting();
    setting.subscribe(r#"{"topic":1}"#);
    let wants = setting.interest.wants();
    for number in 1..50 {
        let [us, other] = [0, number].map(|number| identity(number).peer_id());
        assert_ne!(supplies(&us, wants, &other, &topic()), supplies(&other, wants, &us, &topic()));
        assert!(!supplies(&us, wants, &us, &topic()), "nobody supplies itself");
        assert!(!supplies(&us, wants, &other, &routing_key(r#"{"topic":2}"#)));
    }
}

#[test]
fn a_peer_that_wants_more_supplies_one_that_wants_less_and_not_the_other_way_round() {
    let mut setting = setting();
    let narrow = routing_key(r#"{"topic":1}"#);
    setting.subscribe("{}");
    let wants = setting.interest.wants();
    let [us, other] = [0, 1].map(|number| identity(number).peer_id());
    assert!(supplies(&us, wants, &other, &narrow) && supplies(&other, wants, &us, &narrow));
    assert!(!supplies(&us, wants, &us, &RoutingKey::Any));
}

#[test]
fn what_a_neighbour_supplies_is_not_wanted_of_the_tree_until_it_does_so_no_more() {
    let mut setting = setting();
    let [one, other, _] = setting.links;
    setting.subscribe(r#"{"topic":1}"#);
    assert!(setting.links.into_iter().all(|link| setting.sent(link).is_empty()));
    setting.says(one, &[topic()]);
    assert_eq!(setting.sent(one), [SupplyFrame::Supply(topic())]);
    assert!(setting.is_registered(&topic()), "it has not agreed");
    setting.hears(one, SupplyFrame::Supplies(topic())).unwrap();
    assert!(!setting.is_registered(&topic()));
    assert_eq!(setting.cx.links.get(one).unwrap().supplies, 1);
    // One is enough.
    setting.says(other, &[topic()]);
    assert_eq!(setting.sent(other), []);
    // It ends, and the other takes its place.
    setting.hears(one, SupplyFrame::Refuse(topic())).unwrap();
    assert!(setting.is_registered(&topic()));
    setting.tick();
    assert_eq!(setting.sent(other), [SupplyFrame::Supply(topic())]);
    setting.hears(other, SupplyFrame::Supplies(topic())).unwrap();
    assert!(!setting.is_registered(&topic()));
    let down = LinkDown {
        link: other,
        peer: setting.peer(other),
        session: 0,
        incoming: false,
        relayed: false,
        extra: false,
        active: true,
        blameless: false,
        cause: Disconnect::Silent,
    };
    setting.on(&Notice::LinkDown(down));
    assert!(setting.is_registered(&topic()), "the link is gone");
}

#[test]
fn a_neighbour_that_was_not_asked_supplies_nothing() {
    let mut setting = setting();
    let [one, other, _] = setting.links;
    setting.subscribe(r#"{"topic":1}"#);
    setting.says(one, &[topic()]);
    setting.hears(other, SupplyFrame::Supplies(topic())).unwrap();
    assert!(setting.is_registered(&topic()));
    assert_eq!(setting.sent(other), [SupplyFrame::Release(topic())]);
}

#[test]
fn a_neighbour_that_does_not_answer_is_not_waited_for() {
    let mut setting = setting();
    let [one, other, _] = setting.links;
    setting.subscribe(r#"{"topic":1}"#);
    setting.says(one, &[topic()]);
    setting.says(other, &[topic()]);
    assert_eq!(setting.sent(one).len() + setting.sent(other).len(), 1);
    setting.cx.now = NOW.after(limits::SUPPLY_ANSWER);
    setting.tick();
    assert_eq!(setting.sent(one).len() + setting.sent(other).len(), 1);
}

#[test]
fn a_supplier_that_fails_to_bring_what_was_named_is_left_for_another() {
    let mut setting = setting();
    let [one, ..] = setting.links;
    setting.subscribe(r#"{"topic":1}"#);
    setting.says(one, &[topic()]);
    setting.hears(one, SupplyFrame::Supplies(topic())).unwrap();
    setting.sent(one);
    let missed = Notice::Missed { slot: SLOT, supplier: Some(one) };
    setting.on(&missed);
    assert!(!setting.is_registered(&topic()), "once may be chance");
    setting.on(&missed);
    assert!(setting.is_registered(&topic()));
    assert_eq!(setting.sent(one), [SupplyFrame::Release(topic())]);
    setting.tick();
    assert_eq!(setting.sent(one), [], "it is not asked again so soon");
}

#[test]
fn clients_are_supplied_until_we_do_not_get_it_any_more() {
    let mut setting = setting();
    let [one, ..] = setting.links;
    let narrow = routing_key(r#"{"topic":1,"kind":2}"#);
    let subscription = setting.interest.subscribe(query(r#"{"topic":1}"#)).unwrap();
    setting.tick();
    setting.hears(one, SupplyFrame::Supply(narrow)).unwrap();
    assert_eq!(setting.sent(one), [SupplyFrame::Supplies(narrow)]);
    let of = |topic: i64, kind: i64| {
        let values = [("topic", topic), ("kind", kind)];
        let values = values.map(|(name, value)| (name.to_owned(), Value::Int(value)));
        let content = Content::Open(Map::from(values));
        DocumentKeys::of(&testing::said(&identity(9), content, None, NOW))
    };
    let clients = |keys| setting.delegation.clients_that_want(&keys).collect::<Vec<_>>();
    assert_eq!(clients(of(1, 2)), [one]);
    assert_eq!(clients(of(1, 3)), [] as [LinkId; 0]);
    assert_eq!(setting.delegation.status(setting.interest.wants()).supplying, 1);
    assert_eq!(setting.cx.links.get(one).unwrap().supplies, 1);
    setting.interest.unsubscribe(subscription);
    setting.tick();
    assert_eq!(setting.sent(one), [SupplyFrame::Refuse(narrow)]);
    assert_eq!(setting.cx.links.get(one).unwrap().supplies, 0);
    // What we never wanted neither.
    setting.hears(one, SupplyFrame::Supply(narrow)).unwrap();
    assert_eq!(setting.sent(one), [SupplyFrame::Refuse(narrow)]);
}

#[test]
fn one_neighbour_is_supplied_with_so_many_keys_and_no_more() {
    let mut setting = setting();
    let [one, ..] = setting.links;
    setting.subscribe("{}");
    let keys =
        (0..=limits::CLIENT_KEYS).map(|topic| routing_key(&format!(r#"{{"topic":{topic}}}"#)));
    for key in keys {
        setting.hears(one, SupplyFrame::Supply(key)).unwrap();
    }
    let refused = setting.sent(one).into_iter().filter(|it| matches!(it, SupplyFrame::Refuse(_)));
    assert_eq!(refused.count(), 1);
}

#[test]
fn where_documents_flood_nobody_supplies_anybody() {
    let mut setting = setting();
    let [one, other, _] = setting.links;
    setting.subscribe(r#"{"topic":1}"#);
    setting.says(one, &[topic()]);
    setting.hears(one, SupplyFrame::Supplies(topic())).unwrap();
    setting.hears(other, SupplyFrame::Supply(routing_key(r#"{"topic":1,"kind":2}"#))).unwrap();
    let _ = (setting.sent(one), setting.sent(other));
    setting.cx.spreading = Spreading::Flood;
    assert!(setting.delegation.deadline(&setting.cx, setting.interest.wants()).is_some());
    setting.tick();
    assert_eq!(setting.sent(one), [SupplyFrame::Release(topic())]);
    assert!(matches!(setting.sent(other)[..], [SupplyFrame::Refuse(_)]));
    assert!(setting.is_registered(&topic()));
    assert_eq!(setting.delegation.deadline(&setting.cx, setting.interest.wants()), None);
}

// ---- The search ----

#[test]
fn a_peer_that_finds_no_supplier_among_its_neighbours_seeks_one_again_and_again_but_less_and_less()
{
    let mut setting = setting();
    setting.subscribe(r#"{"topic":1}"#);
    let mut sought = Vec::new();
    for second in 0..300 {
        setting.cx.now = NOW.after(core::time::Duration::from_secs(second));
        setting.tick();
        let frames = setting.links.map(|link| setting.sent(link)).concat();
        if frames.iter().any(|frame| matches!(frame, SupplyFrame::Seek(_))) {
            sought.push(second);
        }
    }
    assert!((6..=11).contains(&sought.len()), "{sought:?}");
    assert!(sought[0] <= 3 && sought[sought.len() - 1] > 200, "{sought:?}");
}

#[test]
fn a_search_goes_where_a_child_wants_the_key_and_is_passed_on_so_far_and_no_further() {
    let mut setting = setting();
    let [from, child, other] = setting.links;
    setting.adopt(child, &[topic()]);
    setting.adopt(other, &[routing_key(r#"{"topic":2}"#)]);
    let [seeker, _] = after_and_before();
    let mut sent = seek(&seeker, topic(), 5);
    setting.hears(from, SupplyFrame::Seek(sent.clone())).unwrap();
    (sent.hops, sent.down) = (4, true);
    assert_eq!(setting.sent(child), [SupplyFrame::Seek(sent)]);
    assert_eq!(setting.sent(other), []);
    setting.hears(from, SupplyFrame::Seek(seek(&seeker, topic(), 0))).unwrap();
    assert_eq!(setting.sent(child), [], "it has gone far enough");
    // Also if the seeker is a neighbour itself, as of its parent.
    let near = seek(&identity(1), topic(), 5);
    setting.hears(from, SupplyFrame::Seek(near)).unwrap();
    assert_eq!(setting.sent(child).len(), 1);
    setting.hears(child, SupplyFrame::Seek(seek(&seeker, topic(), 5))).unwrap();
    assert!(setting.links.into_iter().all(|link| setting.sent(link).is_empty()), "no way back");
}

#[test]
fn a_peer_that_may_supply_the_seeker_offers_it_a_link() {
    let mut setting = setting();
    let [from, supplier, _] = setting.links;
    setting.subscribe(r#"{"topic":1}"#);
    let [after, before] = after_and_before();
    setting.hears(from, SupplyFrame::Seek(seek(&before, topic(), 5))).unwrap();
    assert_eq!(setting.dials(), [before.peer_id()], "that one may supply us");
    // Where we have a supplier, that one may know of room.
    setting.says(supplier, &[topic()]);
    setting.hears(supplier, SupplyFrame::Supplies(topic())).unwrap();
    setting.sent(supplier);
    setting.hears(from, SupplyFrame::Seek(seek(&before, topic(), 5))).unwrap();
    assert_eq!(setting.dials(), []);
    assert!(matches!(setting.sent(supplier)[..], [SupplyFrame::Seek(Seek { down: true, .. })]));
    setting.hears(from, SupplyFrame::Seek(seek(&after, topic(), 5))).unwrap();
    assert_eq!(setting.dials(), [after.peer_id()]);
    setting.hears(from, SupplyFrame::Seek(seek(&after, routing_key(r#"{"topic":2}"#), 5))).unwrap();
    assert_eq!(setting.dials(), []);
}

#[test]
fn where_there_is_no_room_for_a_seeker_a_client_that_comes_after_it_gives_way() {
    let mut setting = setting();
    let [from, ..] = setting.links;
    setting.subscribe(r#"{"topic":1}"#);
    let order = |number: u8| Order::of(&identity(number).peer_id(), &topic());
    let mut others: Vec<u8> = (10..200).filter(|number| order(*number) > order(0)).collect();
    others.sort_by_key(|number| order(*number));
    let [first, clients @ ..] = &others[..=limits::SUPPLY_LINKS] else { panic!("many") };
    // All links for that are taken, by clients that come after the first.
    for client in clients {
        let link = testing::neighbour(&mut setting.cx, &identity(*client));
        setting.links[2] = link;
        setting.hears(link, SupplyFrame::Supply(topic())).unwrap();
        assert_eq!(setting.sent(link), [SupplyFrame::Supplies(topic())]);
    }
    // A seeker that comes after all of them finds nobody who gives way for it,
    let after = identity(others[limits::SUPPLY_LINKS + 1]);
    setting.hears(from, SupplyFrame::Seek(seek(&after, topic(), 5))).unwrap();
    assert_eq!(setting.dials(), []);
    assert_eq!(setting.delegation.status(setting.interest.wants()).supplying, clients.len());
    let last = setting.links[2];
    setting.sent(last);
    // one that comes before them is offered a link; and when it has asked, the last gives way.
    let first = identity(*first);
    setting.hears(from, SupplyFrame::Seek(seek(&first, topic(), 5))).unwrap();
    assert_eq!(setting.dials(), [first.peer_id()]);
    assert_eq!(setting.sent(last), []);
    let link = testing::neighbour(&mut setting.cx, &first);
    setting.hears(link, SupplyFrame::Supply(topic())).unwrap();
    assert_eq!(setting.sent(link), [SupplyFrame::Supplies(topic())]);
    assert_eq!(setting.sent(last), [SupplyFrame::Refuse(topic())]);
    assert_eq!(setting.delegation.status(setting.interest.wants()).supplying, clients.len());
    // Another that comes after them has no place.
    let link = testing::neighbour(&mut setting.cx, &after);
    setting.hears(link, SupplyFrame::Supply(topic())).unwrap();
    assert_eq!(setting.sent(link), [SupplyFrame::Refuse(topic())]);
}

#[test]
fn a_search_that_its_seeker_did_not_sign_is_refused_and_goes_no_further() {
    let mut setting = setting();
    let [from, child, _] = setting.links;
    setting.adopt(child, &[topic()]);
    let [seeker, other] = after_and_before();
    let network = "other".parse().unwrap();
    let body = Sought { network, key: topic(), joined: None, issued_at: NOW.timestamp() };
    let mut foreign = seek(&seeker, topic(), 5);
    foreign.sought = Verified::sign(&seeker, body.clone()).signed().clone();
    let refused = setting.hears(from, SupplyFrame::Seek(foreign));
    assert_eq!(refused, Err(Misbehaviour::WrongNetwork));
    let mut forged = seek(&seeker, topic(), 5);
    forged.sought = forged_by(&forged.sought, &other);
    let refused = setting.hears(from, SupplyFrame::Seek(forged));
    assert_eq!(refused, Err(Misbehaviour::InvalidSignature));
    // What is old is no offence, and is not passed on.
    setting.cx.now = NOW.after(limits::CLOCK_SKEW + limits::SOUGHT_LASTS * 2);
    setting.hears(from, SupplyFrame::Seek(seek(&seeker, topic(), 5))).unwrap();
    assert_eq!(setting.sent(child), []);
}

#[test]
fn a_flood_of_searches_is_charged_and_what_is_passed_on_stays_below_what_others_bear() {
    let mut setting = setting();
    let [from, child, other] = setting.links;
    setting.adopt(child, &[topic()]);
    let [seeker, _] = after_and_before();
    let frame = SupplyFrame::Seek(seek(&seeker, topic(), 5));
    let (burst, _) = limits::SEEKS;
    for _ in 0..burst {
        setting.hears(from, frame.clone()).unwrap();
    }
    assert_eq!(setting.hears(from, frame.clone()), Err(Misbehaviour::StateFlood));
    setting.hears(other, frame).unwrap();
    assert!(setting.sent(child).len() <= burst as usize / 2);
}

#[test]
fn seekers_that_take_no_link_have_few_offered_and_leave_room_for_those_of_our_own_choice() {
    let mut setting = setting();
    let [from, ..] = setting.links;
    setting.subscribe("{}");
    let mut dialled = 0;
    for number in 10..100 {
        let seek = seek(&identity(number), topic(), 5);
        setting.hears(from, SupplyFrame::Seek(seek)).unwrap();
        dialled += setting.dials().len();
    }
    let (most, _) = limits::SEEKER_OFFERS;
    assert_eq!(dialled, most as usize, "none of them was answered");
    // Those that are pending count for themselves.
    setting.cx.now = NOW.after(core::time::Duration::from_secs(60));
    for number in 1..=limits::SEEKERS_AT_ONCE {
        let peer = identity(200 + number as u8).peer_id();
        setting.cx.links.open(peer, false, number as u64, setting.cx.now).sought = true;
    }
    let sought = Sought::peek(&seek(&identity(9), topic(), 5).sought).unwrap();
    let sought = Sought { issued_at: setting.cx.now.timestamp(), ..sought };
    let sought = Verified::sign(&identity(9), sought).signed().clone();
    let frame = Seek { slot: SLOT, hops: 5, down: false, sought };
    setting.hears(from, SupplyFrame::Seek(frame)).unwrap();
    assert_eq!(setting.dials(), []);
}

// ---- Introductions by interest ----

#[test]
fn signallers_are_told_what_is_sought_only_where_that_is_allowed() {
    for allowed in [false, true] {
        let mut setting = setting();
        setting.cx.config.introduce_by_interest = allowed;
        setting.subscribe(r#"{"topic":1}"#);
        for second in 0..5 {
            setting.cx.now = NOW.after(core::time::Duration::from_secs(second));
            setting.tick();
        }
        let named = setting.named();
        assert!(named.iter().all(|named| *named == topic()));
        assert_eq!(!named.is_empty(), allowed);
    }
}

#[test]
fn one_that_a_signaller_says_wants_the_same_is_dialled_if_it_may_supply_us() {
    let [after, before] = after_and_before().map(|one| one.peer_id());
    let dialled = |change: fn(&mut Setting), peers: &[PeerId]| {
        let mut setting = setting();
        setting.cx.config.introduce_by_interest = true;
        setting.subscribe(r#"{"topic":1}"#);
        change(&mut setting);
        setting.cx.notices.clear();
        setting.on(&Notice::WantTheSame { key: topic(), peers: peers.to_vec() });
        let dials = setting.cx.notices.drain(..).filter_map(|notice| match notice {
            Notice::DialForSupply(peer) => Some(peer),
            _ => None,
        });
        dials.collect::<Vec<_>>()
    };
    assert_eq!(dialled(|_| {}, &[after, before]), [before]);
    assert_eq!(dialled(|_| {}, &[after]), [], "it will ask itself");
    let links = |setting: &mut Setting| {
        let [_, before] = after_and_before();
        testing::neighbour(&mut setting.cx, &before);
    };
    assert_eq!(dialled(links, &[before]), [], "there is a link");
    assert_eq!(dialled(|setting| setting.cx.dozing = true, &[before]), []);
    assert_eq!(dialled(|setting| setting.cx.config.introduce_by_interest = false, &[before]), []);
    let others = |setting: &mut Setting| {
        setting.interest = Interest::new(&mut setting.cx);
        setting.subscribe(r#"{"topic":2}"#);
    };
    assert_eq!(dialled(others, &[before]), [], "it is wanted no more");
}
