use proptest::prelude::*;
use rand_core::UnwrapErr;
use taiinet_identity::{Identity, OpeningKey, RecipientKey};

use super::*;
use crate::{
    Content, Deletion, Document, DocumentError, OpenError, Opened, SignedDocument, Subscription,
    Value, VerifiedDocument, limits, parse_map,
    testing::{document, identity, map},
};

fn rng() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

fn content(json: &str) -> Map {
    parse_map(json).expect("a document")
}

fn seal(author: &Identity, content: Map, public: &[&str], to: &[Recipient]) -> VerifiedDocument {
    let network = document(Content::Deleted(Deletion::Key)).network;
    let sealed = Sealed::seal(content, public, to, author.peer_id(), &network, &mut rng());
    sign(author, Content::Sealed(sealed.expect("usable keys")))
}

fn sign(author: &Identity, content: Content) -> VerifiedDocument {
    VerifiedDocument::sign(author, document(content)).expect("signs")
}

fn open(document: &VerifiedDocument, reader: &Identity) -> Result<Opened, OpenError> {
    document.open([OpeningKey::Identity(reader)])
}

fn to(peer: &Identity) -> Recipient {
    Recipient::Peer(peer.peer_id())
}

/// What arrives at another peer.
fn received(document: &VerifiedDocument) -> VerifiedDocument {
    let wire = postcard::to_allocvec(document.signed()).expect("encodes");
    let signed: SignedDocument = postcard::from_bytes(&wire).expect("decodes");
    let key = signed.author().public_key().expect("a key");
    signed.verify(&key).expect("valid")
}

#[test]
fn a_recipient_reads_all_and_others_what_is_public() {
    let (author, reader) = (identity(1), identity(2));
    let all = content(r#"{"type": "tweet", "text": "psst", "likes": 3}"#);
    let sealed = received(&seal(&author, all.clone(), &["type", "no such"], &[to(&reader)]));
    assert_eq!(sealed.content().fields(), Some(&content(r#"{"type": "tweet"}"#)));
    let opened = open(&sealed, &reader).expect("a recipient");
    assert_eq!(opened, Opened { fields: all, recipient: to(&reader) });
    assert_eq!(open(&sealed, &identity(3)), Err(OpenError::NotForUs));
    let plain = sign(&author, Content::Open(Map::new()));
    assert_eq!(open(&plain, &reader), Err(OpenError::NotSealed));
}

#[test]
fn what_was_sealed_is_not_printed() {
    let (author, reader) = (identity(1), identity(2));
    let all = content(r#"{"type": "tweet", "text": "psst"}"#);
    let sealed = seal(&author, all, &["type"], &[to(&reader)]);
    let opened = open(&sealed, &reader).expect("a recipient");
    for printed in [format!("{opened:?}"), format!("{sealed:?}")] {
        assert!(!printed.contains("psst") && !printed.contains("text"), "{printed}");
    }
}

#[test]
fn nobody_can_pass_an_envelope_off_as_their_own() {
    let (author, thief, reader) = (identity(1), identity(2), identity(3));
    let theirs = seal(&author, content(r#"{"a": 1}"#), &[], &[to(&reader)]);
    let replayed = sign(&thief, theirs.content().clone());
    assert_eq!(open(&replayed, &reader), Err(OpenError::NotForUs));
    // Nor bring it to another network.
    let elsewhere = Document {
        network: "other".parse().expect("a name"),
        ..document(theirs.content().clone())
    };
    let elsewhere = VerifiedDocument::sign(&author, elsewhere).expect("signs");
    assert_eq!(open(&elsewhere, &reader), Err(OpenError::NotForUs));
}

#[test]
fn a_field_that_is_both_public_and_sealed_is_refused() {
    let (author, reader) = (identity(1), identity(2));
    let honest = seal(&author, content(r#"{"a": 1}"#), &[], &[to(&reader)]);
    let Content::Sealed(mut sealed) = honest.content().clone() else { panic!("sealed") };
    sealed.public = content(r#"{"a": 2}"#);
    let two_faced = sign(&author, Content::Sealed(sealed));
    assert_eq!(open(&two_faced, &reader), Err(OpenError::Malformed));
}

#[test]
fn sealed_bytes_that_are_no_content_are_refused() {
    let (author, reader) = (identity(1), identity(2));
    let network = document(Content::Deleted(Deletion::Key)).network;
    let context = Context { author: author.peer_id(), network: network.as_str() };
    let deep = {
        let list = (0..64).fold(Value::Null, |inner, _| Value::List(vec![inner]));
        postcard::to_allocvec(&Map::from([("a".to_owned(), list)])).expect("encodes")
    };
    let canonical = postcard::to_allocvec(&content(r#"{"a": 1}"#)).expect("encodes");
    let padded = [&canonical[..], &[0]].concat();
    let mut longer = canonical.clone();
    longer.splice(..1, [0x81, 0]);
    for bytes in [&b""[..], b"\x05", &deep, &padded, &longer] {
        let envelope = Envelope::seal(bytes, &[to(&reader)], &context, &mut rng()).expect("seals");
        let document = sign(&author, Content::Sealed(Sealed { public: Map::new(), envelope }));
        assert_eq!(open(&document, &reader), Err(OpenError::Malformed), "{bytes:?}");
    }
}

/// What is in clear and what is sealed are one content, and no larger than one.
#[test]
fn what_is_in_clear_and_what_is_sealed_count_together() {
    let (author, reader) = (identity(1), identity(2));
    let network = document(Content::Deleted(Deletion::Key)).network;
    let context = Context { author: author.peer_id(), network: network.as_str() };
    let list =
        |name: &str, values| Map::from([(name.to_owned(), Value::List(vec![Value::Null; values]))]);
    // Both maps, or the one of both, and both lists.
    for (values, result) in [(limits::VALUES - 1003, true), (limits::VALUES - 1002, false)] {
        let secret = postcard::to_allocvec(&list("b", values)).expect("encodes");
        let envelope = Envelope::seal(&secret, &[to(&reader)], &context, &mut rng());
        let envelope = envelope.expect("seals");
        let sealed = Content::Sealed(Sealed { public: list("a", 1000), envelope });
        assert_eq!(open(&sign(&author, sealed), &reader).is_ok(), result, "{values}");
    }
}

#[test]
fn what_may_not_be_in_a_document_is_not_sealed() {
    let (author, network) =
        (identity(1).peer_id(), document(Content::Deleted(Deletion::Key)).network);
    let seal =
        |content, to: &[Recipient]| Sealed::seal(content, &["a"], to, author, &network, &mut rng());
    let nan = Map::from([("b".to_owned(), Value::Float(f64::NAN))]);
    assert!(matches!(seal(nan, &[to(&identity(2))]), Err(SealError::Value(_))));
    let nobody = seal(Map::new(), &[]);
    assert_eq!(nobody, Err(SealError::Envelope(EnvelopeError::NoRecipient)));
}

#[test]
fn a_subscription_is_announced_and_its_query_bounded() {
    let recipient = RecipientKey::generate(&mut rng()).id();
    let announce = |bytes: usize| {
        let subscription = Subscription { query: "q".repeat(bytes), recipient };
        VerifiedDocument::sign(&identity(1), document(Content::Subscription(subscription)))
    };
    let longest = announce(limits::QUERY_BYTES).expect("signs");
    assert_eq!(received(&longest), longest);
    assert_eq!(longest.content().fields(), None);
    assert_eq!(announce(limits::QUERY_BYTES + 1), Err(DocumentError::QueryTooLong));
}

proptest! {
    #[test]
    fn any_content_comes_back(content in map(), public in any::<prop::sample::Index>()) {
        let (author, reader) = (identity(1), identity(2));
        let names: Vec<&str> = content.keys().map(String::as_str).collect();
        let public: Vec<&str> = if names.is_empty() { Vec::new() } else { vec![*public.get(&names)] };
        let sealed = received(&seal(&author, content.clone(), &public, &[to(&reader)]));
        prop_assert_eq!(sealed.content().fields().map_or(0, Map::len), public.len());
        prop_assert_eq!(open(&sealed, &reader).expect("a recipient").fields, content);
    }
}
