//! What the core's unit tests share.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use taiinet_document::{Content, Document, Key, Map, Network, Value, VerifiedDocument};
use taiinet_identity::{Domain, Identity, Seed, Verified};
use taiinet_query::{Query, RoutingKey};

use crate::{
    ChannelBinding, Config, LinkId, Time,
    cx::Cx,
    limits,
    links::Lanes,
    rng::Rng,
    wire::{
        Frame, Hello, Kept, Presence,
        codec::{Assembler, MessageReader, decode},
    },
};

pub(crate) const NOW: Time = Time::from_millis(1_800_000_000_000);

pub(crate) fn identity(number: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([number; 32]))
}

pub(crate) fn network() -> Network {
    "test".parse().unwrap()
}

/// A key of a query.
pub(crate) fn routing_key(query: &str) -> RoutingKey {
    let query: Query = query.parse().unwrap();
    *query.routing_keys().iter().next().unwrap()
}

/// A document with `bytes` of text in it.
pub(crate) fn document(author: &Identity, nonce: u32, bytes: usize) -> Arc<VerifiedDocument> {
    document_at(author, nonce, bytes, NOW)
}

pub(crate) fn document_at(
    author: &Identity,
    nonce: u32,
    bytes: usize,
    created_at: Time,
) -> Arc<VerifiedDocument> {
    signed(author, nonce, bytes, created_at, None)
}

/// A document under a key.
pub(crate) fn keyed(author: &Identity, key: &str, created_at: Time) -> Arc<VerifiedDocument> {
    signed(author, 0, 10, created_at, Some(key.into()))
}

/// A document that takes as much of the heap as can be when it is decoded: 5 MB for 65 kB on the wire.
pub(crate) fn expensive(author: &Identity, nonce: u32) -> Arc<VerifiedDocument> {
    let expensive = Value::Map(Map::from([("dear".to_owned(), Value::Null)]));
    let maps = (taiinet_document::limits::VALUES - 2) / 2;
    let content = Map::from([("list".to_owned(), Value::List(vec![expensive; maps]))]);
    of(author, nonce, content, NOW, None)
}

fn signed(
    author: &Identity,
    nonce: u32,
    bytes: usize,
    created_at: Time,
    key: Option<Key>,
) -> Arc<VerifiedDocument> {
    let text = Value::String("x".repeat(bytes));
    of(author, nonce, Map::from([("text".to_owned(), text)]), created_at, key)
}

fn of(
    author: &Identity,
    nonce: u32,
    content: Map,
    created_at: Time,
    key: Option<Key>,
) -> Arc<VerifiedDocument> {
    sign(author, nonce, Content::Open(content), created_at, key)
}

/// A document with any content, or a deletion.
pub(crate) fn said(
    author: &Identity,
    content: Content,
    key: Option<Key>,
    created_at: Time,
) -> Arc<VerifiedDocument> {
    sign(author, 0, content, created_at, key)
}

fn sign(
    author: &Identity,
    nonce: u32,
    content: Content,
    created_at: Time,
    key: Option<Key>,
) -> Arc<VerifiedDocument> {
    let document = Document {
        network: network(),
        created_at: created_at.timestamp(),
        nonce,
        expires_at: None,
        key,
        next_key: None,
        content,
    };
    Arc::new(VerifiedDocument::sign(author, document).unwrap())
}

pub(crate) fn presence(of: &Identity, issued_at: Time) -> Verified<Presence> {
    says(of, issued_at, None)
}

/// The presence of an archive.
pub(crate) fn archive(of: &Identity, issued_at: Time, kept: Kept) -> Verified<Presence> {
    says(of, issued_at, Some(kept))
}

fn says(of: &Identity, issued_at: Time, archive: Option<Kept>) -> Verified<Presence> {
    let presence = Presence {
        network: network(),
        joined: None,
        issued_at: issued_at.timestamp(),
        expires_at: issued_at.after(limits::PRESENCE_LIFE).timestamp(),
        address: None,
        next_key: None,
        archive,
        open: false,
    };
    Verified::sign(of, presence)
}

/// The context of a room, of a peer that has no links yet.
pub(crate) fn cx() -> Cx {
    Cx::new(identity(0), Config::new(network()), Rng::new([1; 32]), NOW)
}

/// A link to a neighbour.
pub(crate) fn neighbour(cx: &mut Cx, peer: &Identity) -> LinkId {
    let (ours, network) = (cx.identity.peer_id(), network());
    let hello = |peer, nonce| Hello::new(network.clone(), peer, [nonce; 32]);
    let (ours, theirs) = (hello(ours, 1), hello(peer.peer_id(), 2));
    let binding = ChannelBinding::NONE;
    let link = cx.links.open(peer.peer_id(), false, 0, cx.now);
    link.opened(binding, ours.clone(), cx.now).unwrap();
    link.hello(theirs.clone(), &cx.identity, &network).unwrap();
    let content = Hello::proof_content(&ours, &theirs, binding, false);
    link.proof(&peer.sign(Domain::Hello, &content)).unwrap();
    link.admit(cx.now);
    link.accepted().unwrap();
    link.id
}

/// How much work a neighbour may still make, in units.
pub(crate) fn work_left(cx: &Cx, link: LinkId) -> i64 {
    cx.links.get(link).unwrap().work.left()
}

/// The frames that wait on a link; the transport and the neighbour take them at once.
pub(crate) fn sent(cx: &mut Cx, link: LinkId) -> Vec<Frame> {
    cx.links.get_mut(link).map_or_else(Vec::new, |state| drain(&mut state.lanes))
}

/// Those of them that are of one kind.
pub(crate) fn sent_of<T>(cx: &mut Cx, link: LinkId, of: impl Fn(Frame) -> Option<T>) -> Vec<T> {
    sent(cx, link).into_iter().filter_map(of).collect()
}

/// Reads all messages that can be sent, reporting each as sent at once.
pub(crate) fn drain(lanes: &mut Lanes) -> Vec<Frame> {
    let (mut frames, mut assembler) = (Vec::new(), Assembler::default());
    while let Some((_, message)) = lanes.transmit() {
        lanes.sent(message.len());
        for bytes in MessageReader::new(&message).unwrap() {
            match decode(bytes.unwrap()).unwrap() {
                Frame::Fragment(fragment) => {
                    let whole = assembler.push(&fragment).unwrap();
                    frames.extend(whole.map(|bytes| decode::<Frame>(&bytes).unwrap()));
                }
                frame => frames.push(frame),
            }
        }
    }
    frames
}
