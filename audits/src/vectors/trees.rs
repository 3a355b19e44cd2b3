//! Frames of the rooted trees and of routes, a bulletin, and ranks.

use serde_json::{Value as Json, json};
use taiinet_document::{Content, VerifiedDocument};
use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::wire::{
    Ask, Beacon, Brings, Bulletin, DocumentFrame, Entry, Frame, IdPrefix, Join, Joined, Passed,
    RouteFrame, Routed, Seek, Slot, Sought, SupplyFrame, TreeFrame, Way, codec,
};
use taiinet_query::{DocumentKeys, KeySet, Query, RoutingKey, limits::KEY_SET_BYTES};

use crate::fixture::{NOW, at, hex, identity, map, network, routing_key, sign};

const SLOT: Slot = Slot(0);

fn document() -> VerifiedDocument {
    sign(&identity(1), 1, NOW, Content::Open(map(r#"{"text":"hello"}"#)))
}

/// What one wants that follows `{"text":"hello"}`.
fn keys() -> KeySet {
    let query: Query = r#"{"text":"hello"}"#.parse().expect("a query");
    KeySet::of(query.routing_keys().iter().copied(), KEY_SET_BYTES)
}

/// One key of that.
fn key() -> RoutingKey {
    routing_key(r#"{"text":"hello"}"#)
}

/// What the document is about, for those that ask for nothing but its text.
fn about() -> DocumentKeys {
    let paths = keys().paths();
    DocumentKeys::of(&document()).only(|path| paths.contains(&path))
}

fn id() -> IdPrefix {
    IdPrefix::from(&document().id())
}

/// That of peer 2, where documents go by routes.
pub(crate) fn bulletin(named: Vec<Entry>) -> Signed<Bulletin> {
    let bulletin = Bulletin {
        network: network(),
        slot: SLOT,
        issued_at: at(0),
        after: at(-1000),
        beat_ms: 1000,
        peers: 300,
        spreading: 1,
        named,
    };
    Signed::new(&identity(2), &bulletin)
}

fn root() -> PeerId {
    identity(2).peer_id()
}

fn routed(way: Way, also: Option<DocumentKeys>) -> Frame {
    let document = document().signed().clone();
    Frame::Documents(DocumentFrame::Routed(Routed {
        way,
        hops: 3,
        also: also.map(Box::new),
        document,
    }))
}

/// The last frame of the group of documents.
pub(super) fn routed_example() -> (&'static str, Frame) {
    ("routed", routed(Way::Up(SLOT), Some(about())))
}

/// One of each kind.
pub(super) fn examples() -> Vec<(&'static str, Frame)> {
    let follows = Some((root(), at(0)));
    let brings = Brings { peers: 70, open: 2, keys: Some(keys()) };
    let entry = Entry { id: id(), about: about() };
    let passed = Passed { depth: 2, bulletin: bulletin(vec![entry]) };
    let join = Join { slot: SLOT, newest: follows, brings: brings.clone() };
    let sought = Sought {
        network: network(),
        key: key(),
        joined: Some(Joined { signaller: identity(9).peer_id(), challenge: [7; 32] }),
        issued_at: at(0),
    };
    let sought = Signed::new(&identity(3), &sought);
    let seek = Seek { slot: SLOT, hops: 24, down: false, sought };
    vec![
        ("beacon", Frame::Tree(TreeFrame::Beacon(Beacon { slot: SLOT, follows, depth: Some(3) }))),
        ("bulletin", Frame::Tree(TreeFrame::Bulletin(passed))),
        ("join", Frame::Tree(TreeFrame::Join(join))),
        ("brings", Frame::Tree(TreeFrame::Brings(SLOT, brings))),
        ("leave", Frame::Tree(TreeFrame::Leave(SLOT))),
        ("wants", Frame::Route(RouteFrame::Wants(keys()))),
        ("ask", Frame::Route(RouteFrame::Ask(Ask { slot: SLOT, id: id(), hops: 11 }))),
        ("seek", Frame::Supply(SupplyFrame::Seek(seek))),
        ("supply", Frame::Supply(SupplyFrame::Supply(key()))),
        ("supplies", Frame::Supply(SupplyFrame::Supplies(key()))),
        ("refuse supply", Frame::Supply(SupplyFrame::Refuse(key()))),
        ("release", Frame::Supply(SupplyFrame::Release(key()))),
    ]
}

/// The same kinds with what else may be in them.
pub(super) fn others() -> Vec<(&'static str, Frame)> {
    let nowhere = Beacon { slot: SLOT, follows: None, depth: None };
    let everything = Entry { id: id(), about: DocumentKeys::EVERYTHING };
    let passed = |named| Passed { depth: 0, bulletin: bulletin(named) };
    let join = Join {
        slot: SLOT,
        newest: None,
        brings: Brings { peers: 1, open: 1, keys: Some(KeySet::EVERYTHING) },
    };
    let same = Brings { peers: 71, open: 2, keys: None };
    vec![
        ("beacon of one that follows no root", Frame::Tree(TreeFrame::Beacon(nowhere))),
        (
            "bulletin of a document that may be about anything",
            Frame::Tree(TreeFrame::Bulletin(passed(vec![everything]))),
        ),
        ("bulletin of nothing", Frame::Tree(TreeFrame::Bulletin(passed(Vec::new())))),
        ("join of one that wants everything", Frame::Tree(TreeFrame::Join(join))),
        ("brings, and wants what it wanted", Frame::Tree(TreeFrame::Brings(SLOT, same))),
        ("routed down", routed(Way::Down(SLOT), None)),
        ("routed aside", routed(Way::Aside, Some(DocumentKeys::EVERYTHING))),
    ]
}

/// As section 22 has it, written a second time; a test of the core has the same numbers.
fn rank(peer: &PeerId, slot: Slot) -> u64 {
    let content = [&b"taiinet/1 root"[..], &[slot.0], peer.as_bytes()].concat();
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(&content).as_bytes()[..8]);
    u64::from_be_bytes(first)
}

/// Of the peers of some seeds.
pub(super) fn ranks() -> Json {
    let of = |(number, slot): (u8, u8)| {
        let peer = identity(number).peer_id();
        json!({
            "peer": hex(peer.as_bytes()),
            "slot": slot,
            "rank": hex(&rank(&peer, Slot(slot)).to_be_bytes()),
        })
    };
    Json::Array([(1, 0), (2, 0), (3, 0), (1, 1)].map(of).to_vec())
}

/// What stands in the example of a bulletin, to be read by others.
pub(super) fn in_bulletin() -> Json {
    json!({
        "root": hex(root().as_bytes()),
        "id": hex(&id().0),
        "about": hex(&codec::encode(&about())),
        "wanted": hex(&codec::encode(&keys())),
    })
}
