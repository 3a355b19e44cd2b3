//! What the tests share.

use proptest::prelude::*;
use taiinet_identity::{Identity, RecipientId, Seed};

use crate::{
    Content, Deletion, Document, DocumentId, DocumentIds, Key, Map, PeerSet, Subscription,
    Timestamp, UnknownContent, Value, Writers,
};

pub(crate) fn identity(byte: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([byte; 32]))
}

pub(crate) fn document(content: Content) -> Document {
    Document {
        network: "test".parse().expect("a name"),
        created_at: Timestamp::from_millis(1_700_000_000_000),
        nonce: 7,
        expires_at: None,
        key: None,
        next_key: None,
        content,
    }
}

/// Lists in lists, so many levels of them.
pub(crate) fn nested(levels: usize) -> Value {
    (1..levels).fold(Value::List(vec![]), |inner, _| Value::List(vec![inner]))
}

pub(crate) fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |float| float.is_finite())
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        finite().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<Vec<u8>>().prop_map(Value::Bytes),
    ];
    scalar.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            map_of(inner).prop_map(Value::Map),
        ]
    })
}

pub(crate) fn map() -> impl Strategy<Value = Map> {
    map_of(value())
}

/// Any content but what is sealed, which takes keys.
pub(crate) fn content() -> impl Strategy<Value = Content> {
    let subscription = ("[a-z]{0,100}", any::<[u8; 32]>()).prop_map(|(query, recipient)| {
        Subscription { query, recipient: RecipientId::from_bytes(recipient) }
    });
    prop_oneof![
        4 => map().prop_map(Content::Open),
        1 => deletion().prop_map(Content::Deleted),
        1 => subscription.prop_map(Content::Subscription),
        2 => unknown().prop_map(Content::Unknown),
    ]
}

fn deletion() -> impl Strategy<Value = Deletion> {
    let ids = prop::collection::vec(any::<[u8; 32]>().prop_map(DocumentId::from_bytes), 1..9);
    prop_oneof![
        Just(Deletion::Key),
        ids.prop_map(|ids| Deletion::Documents(DocumentIds::new(ids).expect("some"))),
    ]
}

/// A key, or none, as it goes with a content.
pub(crate) fn key(content: &Content) -> BoxedStrategy<Option<Key>> {
    let peer = || (0_u8..8).prop_map(|byte| identity(byte).peer_id());
    let peers =
        prop::collection::vec(peer(), 1..5).prop_map(|all| PeerSet::new(all).expect("some"));
    let writers = prop_oneof![Just(Writers::Anyone), peers.prop_map(Writers::Peers)];
    let key = prop_oneof![
        any::<String>().prop_map(Key::new),
        (any::<String>(), writers).prop_map(|(name, writers)| Key::shared(name, writers)),
        (any::<String>(), peer()).prop_map(|(name, owner)| Key::of(name, owner)),
    ];
    match content {
        Content::Deleted(Deletion::Key) => key.prop_map(Some).boxed(),
        Content::Deleted(Deletion::Documents(_)) => Just(None).boxed(),
        _ => proptest::option::of(key).boxed(),
    }
}

pub(crate) fn unknown() -> impl Strategy<Value = UnknownContent> {
    (4_u8..0x80, any::<Vec<u8>>())
        .prop_filter_map("a kind to come", |(kind, bytes)| UnknownContent::new(kind, &bytes))
}

fn map_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map> {
    let name = prop_oneof![4 => any::<String>(), 1 => r"\${0,3}(bytes|date|numberInt)"];
    prop::collection::btree_map(name, value, 0..6)
}
