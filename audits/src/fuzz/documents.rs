//! Documents, values, JSON, queries, envelopes.

use std::sync::OnceLock;

use taiinet_document::{
    Content, SignedDocument, Timestamp, UnknownContent, Value, parse_map, to_json_line,
};
use taiinet_identity::{
    Context, Envelope, Identity, OpeningKey, PublicKey, Recipient, RecipientKey,
};
use taiinet_mesh::wire::codec;
use taiinet_query::{Attributes, DocumentKeys, Index, KeySet, Query, limits};

use super::bytes::Bytes;
use crate::fixture::{identity, network};

/// A document's body under a signature that does not hold, or the whole of a document.
pub(super) fn document(data: &[u8]) {
    let mut wire = codec::encode(&(identity(1).peer_id(), [0_u8; 32], [0_u8; 32]));
    wire.extend(codec::encode(&Body(data)));
    if let Ok(signed) = codec::decode::<SignedDocument>(&wire) {
        assert_eq!(signed.body(), data);
        inspect(signed);
    }
    if let Ok(signed) = codec::decode::<SignedDocument>(data) {
        inspect(signed);
    }
}

struct Body<'a>(&'a [u8]);

impl serde::Serialize for Body<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

fn inspect(signed: SignedDocument) {
    let body = signed.body().to_vec();
    let Ok(inspected) = signed.inspect() else { return };
    let document = inspected.document();
    // One content, one encoding; and what is accepted can be published.
    assert_eq!(codec::encode(document), body);
    assert_eq!(document.check(), Ok(()));
    if let Some(fields) = document.content.fields() {
        let text = to_json_line(fields).expect("a valid map");
        assert_eq!(parse_map(&text).as_ref(), Ok(fields));
    }
    if let Content::Subscription(subscription) = &document.content
        && let Ok(query) = subscription.query.parse::<Query>()
    {
        assert_eq!(query.to_string().parse(), Ok(query));
    }
    if let Content::Unknown(unknown) = &document.content {
        let again = UnknownContent::new(unknown.kind(), unknown.bytes());
        assert_eq!(again.as_ref(), Some(unknown), "of a kind that this version knows");
    }
    if let Ok(verified) = inspected.verify(author()) {
        let is_seen = matches!(verified.content(), Content::Open(_));
        assert!(is_seen || DocumentKeys::of(&verified).is_everything());
        let key = identity(2);
        let _ = verified.open([OpeningKey::Identity(&key)]);
    }
}

fn author() -> &'static PublicKey {
    static KEY: OnceLock<PublicKey> = OnceLock::new();
    KEY.get_or_init(|| identity(1).public_key())
}

/// A value in postcard.
pub(super) fn value(data: &[u8]) {
    let Ok(value) = codec::decode::<Value>(data) else { return };
    assert_eq!(value.check(), Ok(()));
    assert_eq!(codec::decode(&codec::encode(&value)).as_ref(), Ok(&value));
    let text = value.to_json().expect("a valid value");
    assert_eq!(Value::from_json(&text), Ok(value), "{text}");
}

/// A value in JSON.
pub(super) fn json(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = parse_map(&text);
    let Ok(value) = Value::from_json(&text) else { return };
    let again = value.to_json().expect("what was read is valid");
    assert_eq!(Value::from_json(&again).as_ref(), Ok(&value), "{again}");
    assert_eq!(codec::decode(&codec::encode(&value)), Ok(value));
}

/// A query, and after a line's end a document.
pub(super) fn query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (query, document) = text.split_once('\n').unwrap_or((&text, "{}"));
    let Ok(query) = query.parse::<Query>() else { return };
    let canonical = query.to_string();
    assert_eq!(canonical.parse().as_ref(), Ok(&query), "{canonical}");
    let routing = query.routing_keys();
    assert!(routing.len() <= limits::EQUALITY_KEYS, "{canonical}");
    let Ok(document) = parse_map(document) else { return };
    let said = Attributes {
        id: None,
        author: author().peer_id(),
        owner: author().peer_id(),
        key: None,
        created_at: Timestamp::from_millis(0),
    };
    let keys = DocumentKeys::of_fields(said, &document);
    assert!(keys.len() <= limits::DOCUMENT_VALUES);
    let is_found = routing.matches(&keys);
    for most in [40, limits::KEY_SET_BYTES] {
        assert!(!is_found || KeySet::of(routing.iter().copied(), most).matches(&keys));
    }
    assert!(is_found || !query.matches_fields(said, &document), "{canonical}");
    let mut index = Index::with_seed(1);
    index.insert((), query.clone());
    assert_eq!(index.matches(&document).len() == 1, query.matches(&document), "{canonical}");
    index.remove(&());
    assert!(index.is_empty() && index.matches(&document).is_empty());
}

/// An envelope; or one that was sealed to us, altered at some places.
pub(super) fn envelope(data: &[u8]) {
    let us = us();
    let network = network();
    let context = Context { author: us.author, network: network.as_str() };
    let keys = || [OpeningKey::Subscription(&us.subscription), OpeningKey::Identity(&us.peer)];
    if let Ok(envelope) = codec::decode::<Envelope>(data) {
        assert!((1..=taiinet_identity::RECIPIENTS).contains(&envelope.recipients()));
        // One that was sealed to us opens; all the fuzzer makes of it must not harm.
        let _ = envelope.open(keys(), &context);
    }
    let mut bytes = Bytes::new(data);
    let mut wire = codec::encode(&us.envelope);
    for _ in 0..4 {
        let (at, with) = (usize::from(bytes.u16()), bytes.u8());
        if let Some(byte) = wire.get_mut(at) {
            *byte ^= with;
        }
    }
    let Ok(envelope) = codec::decode::<Envelope>(&wire) else { return };
    let opened = envelope.open(keys(), &context);
    assert_eq!(opened.is_ok(), envelope == us.envelope, "any change is noticed");
}

/// The readers, and what was sealed to them.
struct Us {
    author: taiinet_identity::PeerId,
    subscription: RecipientKey,
    peer: Identity,
    envelope: Envelope,
}

fn us() -> &'static Us {
    static US: OnceLock<Us> = OnceLock::new();
    US.get_or_init(|| {
        use rand_core::SeedableRng;
        let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
        let (author, peer) = (identity(1).peer_id(), identity(2));
        let subscription = RecipientKey::generate(&mut rng);
        let to = [Recipient::Subscription(subscription.id()), Recipient::Peer(peer.peer_id())];
        let network = network();
        let context = Context { author, network: network.as_str() };
        let envelope = Envelope::seal(b"for both", &to, &context, &mut rng).expect("two keys");
        Us { author, subscription, peer, envelope }
    })
}
