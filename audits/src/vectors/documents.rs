//! Values, documents, envelopes.

use rand_core::UnwrapErr;
use serde_json::{Value as Json, json};
use taiinet_document::{
    Content, Deletion, Document, DocumentIds, Key, PeerSet, Sealed, SignedDocument, Subscription,
    UnknownContent, Value, VerifiedDocument, Writers,
};
use taiinet_identity::{
    Context, Domain, Envelope, Identity, NextKey, OpeningKey, Recipient, RecipientKey, Signature,
};
use taiinet_mesh::wire::codec;

use super::Recorder;
use crate::fixture::{NOW, at, hex, identity, map, network, sign};

const VALUES: [&str; 15] = [
    "null",
    "true",
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "1.0",
    "-0.0",
    "5e-324",
    r#""hällo""#,
    r#"{"$bytes":"AAEC/w=="}"#,
    r#"[1,[2,{}]]"#,
    r#"{"a":1,"b":{"c":null}}"#,
    r#"{"$$bytes":"a map that has the name"}"#,
    r#"{"$$date":"another"}"#,
];

const CONTENT: &str = r#"{"type":"tweet","text":"hello","likes":5}"#;

pub(super) fn vectors() -> Json {
    let values: Vec<Json> = VALUES
        .into_iter()
        .map(|text| {
            let value = Value::from_json(text).expect("a value");
            json!({ "json": text, "bytes": hex(&codec::encode(&value)) })
        })
        .collect();
    let documents: Vec<Json> = examples()
        .into_iter()
        .map(|(what, document)| {
            let body = document.signed().body();
            json!({
                "what": what,
                "author_seed": hex(&[1; 32]),
                "body": hex(body),
                "body_hash": hex(blake3::hash(body).as_bytes()),
                "id": document.id().to_string(),
                "wire": hex(&codec::encode(document.signed())),
                "size": document.signed().size(),
            })
        })
        .collect();
    let refused: Vec<Json> = refused()
        .into_iter()
        .map(|(why, body)| {
            let signed = with_body(&identity(1), &body);
            let refusal = signed.decode().expect_err(why);
            json!({ "why": why, "wire": hex(&codec::encode(&signed)), "error": refusal.to_string() })
        })
        .collect();
    json!({ "values": values, "documents": documents, "refused": refused })
}

fn examples() -> [(&'static str, VerifiedDocument); 10] {
    let author = identity(1);
    let mut keyed = sign(&author, 2, NOW, Content::Open(map("{}"))).document().clone();
    keyed.key = Some("profile".into());
    keyed.expires_at = Some(at(60));
    keyed.nonce = u32::MAX;
    let deletion = |key: Option<Key>, expires_at, deletion| Document {
        created_at: at(1),
        key,
        expires_at,
        content: Content::Deleted(deletion),
        ..keyed.clone()
    };
    let under = |key: Key| Document { key: Some(key), expires_at: None, ..keyed.clone() };
    let [first, second] = [1, 2].map(|nonce| sign(&author, nonce, NOW, Content::Open(map("{}"))));
    let victims = DocumentIds::new([first.id(), second.id()]).expect("two");
    let writers = [2, 3].map(|number| identity(number).peer_id());
    let writers = Writers::Peers(PeerSet::new(writers).expect("two"));
    let recipient = RecipientKey::generate(&mut UnwrapErr(Recorder::new(5))).id();
    let subscription = Subscription { query: r#"{"type":"tweet"}"#.to_owned(), recipient };
    let mut announced = sign(&author, 3, NOW, Content::Open(map("{}"))).document().clone();
    announced.key = Some(subscription.key().into());
    announced.content = Content::Subscription(subscription);
    let mut rotating = sign(&author, 5, NOW, Content::Open(map("{}"))).document().clone();
    rotating.next_key = Some(NextKey::from_bytes([7; 32]));
    let unknown = UnknownContent::new(4, b"what is to come").expect("of a later version");
    let sign_it = |document| VerifiedDocument::sign(&author, document).expect("within the limits");
    [
        (CONTENT, sign(&author, 1, NOW, Content::Open(map(CONTENT)))),
        ("{}, with a key and an end", sign_it(keyed.clone())),
        (
            "{}, with a key that anyone writes under",
            sign_it(under(Key::shared("a", Writers::Anyone))),
        ),
        ("{}, with a key that two peers write under", sign_it(under(Key::shared("a", writers)))),
        (
            "{}, a version of another's document",
            sign_it(under(Key::of("a", identity(2).peer_id()))),
        ),
        (
            "a deletion of what is under a key, until that ends",
            sign_it(deletion(keyed.key.clone(), keyed.expires_at, Deletion::Key)),
        ),
        (
            "a deletion of two documents by their ids",
            sign_it(deletion(None, None, Deletion::Documents(victims))),
        ),
        ("an announcement of a private subscription", sign_it(announced)),
        ("{}, with a next key", sign_it(rotating)),
        ("content of a later version", sign(&author, 6, NOW, Content::Unknown(unknown))),
    ]
}

/// Bodies that are no documents, each signed all the same.
fn refused() -> Vec<(&'static str, Vec<u8>)> {
    let good = sign(&identity(1), 1, NOW, Content::Open(map(r#"{"a":1,"b":2}"#)));
    let good = good.signed().body();
    let at = |needle: &[u8]| {
        good.windows(needle.len()).position(|found| found == needle).expect("it is there")
    };
    let swap = |from: &[u8], to: &[u8]| {
        let start = at(from);
        [&good[..start], to, &good[start + from.len()..]].concat()
    };
    // The count of the fields follows the kind of the content.
    let header = at(b"\x00\x02\x01a");
    vec![
        ("cut off", good[..good.len() - 1].to_vec()),
        ("something follows", [good, &[0]].concat()),
        ("names do not ascend", swap(b"\x01a\x02\x02\x01b", b"\x01b\x02\x02\x01a")),
        ("a name comes twice", swap(b"\x01a\x02\x02\x01b", b"\x01b\x02\x02\x01b")),
        ("a varint is longer than it need be", swap(b"\x01a\x02\x02", b"\x01a\x02\x82\x00")),
        ("an unknown kind of value", swap(b"\x01a\x02\x02", b"\x01a\x08\x02")),
        ("a network without a name", swap(b"\x07vectors", b"\x00")),
        (
            "it ends before it begins",
            swap(b"\x01\x00\x00\x00\x00\x02", b"\x01\x01\x01\x00\x00\x00\x02"),
        ),
        ("no content", good[..header].to_vec()),
        ("content of a kind that there never will be", [&good[..header], b"\x80\x01"].concat()),
        ("a kind that is known, and malformed", [&good[..header], b"\x03\x01"].concat()),
    ]
    .into_iter()
    .chain(refused_keys())
    .chain(refused_deletions())
    .collect()
}

const OPEN: &[u8] = &[0, 0];
const NO_KEY: &[u8] = &[0];
const KEY: &[u8] = b"\x01\x01a";

/// A body with this key and this content, each of which may be anything.
fn body(key: &[u8], content: &[u8]) -> Vec<u8> {
    let header = codec::encode(&(network(), at(0), 1_u32, false));
    [&header, key, &[0], content].concat()
}

/// So many ids or names, of which each is the byte that `name` says 32 times.
fn names(count: u8, name: impl Fn(u8) -> u8) -> Vec<u8> {
    let count_bytes = codec::encode(&u32::from(count));
    count_bytes.into_iter().chain((0..count).flat_map(|n| [name(n); 32])).collect()
}

fn refused_keys() -> Vec<(&'static str, Vec<u8>)> {
    let shared = |writers: Vec<u8>| body(&[b"\x03\x01a", &writers[..]].concat(), OPEN);
    let long = [&[1, 0x81, 0x02][..], &[b'a'; 257]].concat();
    vec![
        ("a key of a kind that there is not", body(b"\x05\x01a", OPEN)),
        ("a key of 257 bytes", body(&long, OPEN)),
        ("a key that nobody else writes under, said as if some did", shared(vec![0])),
        ("writers that do not ascend", shared(names(2, |n| 9 - n))),
        ("a writer twice", shared(names(2, |_| 7))),
        ("65 writers", shared(names(65, |n| n))),
        ("a version of nobody's document", body(b"\x04\x01a", OPEN)),
    ]
}

fn refused_deletions() -> Vec<(&'static str, Vec<u8>)> {
    let deletion = |ids: Vec<u8>| [&[1], &ids[..]].concat();
    let mut too_many = codec::encode(&257_u32);
    too_many.extend((0..257_u16).flat_map(|n| [&n.to_be_bytes()[..], &[0; 30]].concat()));
    vec![
        ("a deletion of neither a key nor ids", body(NO_KEY, &deletion(vec![0]))),
        ("a deletion of ids that has a key", body(KEY, &deletion(names(1, |n| n)))),
        ("a deletion that something follows", body(KEY, &deletion(vec![0, 0]))),
        ("ids that do not ascend", body(NO_KEY, &deletion(names(2, |n| 9 - n)))),
        ("an id twice", body(NO_KEY, &deletion(names(2, |_| 7)))),
        ("257 ids", body(NO_KEY, &deletion(too_many))),
    ]
}

/// A document with any body, and a signature that holds.
pub(super) fn with_body(author: &Identity, body: &[u8]) -> SignedDocument {
    let signature: Signature = author.sign(Domain::Document, body);
    let wire = codec::encode(&(author.peer_id(), signature, body));
    codec::decode(&wire).expect("a signed document, whatever is in it")
}

pub(super) fn envelopes() -> Json {
    let (author, reader, network) = (identity(1), identity(2), network());
    let mut rng = UnwrapErr(Recorder::new(6));
    let subscription = RecipientKey::generate(&mut rng);
    let subscription_secret = rng.0.given.pop();
    let recipients =
        [Recipient::Subscription(subscription.id()), Recipient::Peer(reader.peer_id())];
    let context = Context { author: author.peer_id(), network: network.as_str() };
    let content = codec::encode(&map(r#"{"text":"for your eyes only"}"#));
    let envelope =
        Envelope::seal(&content, &recipients, &context, &mut rng).expect("two usable keys");
    for key in [OpeningKey::Subscription(&subscription), OpeningKey::Identity(&reader)] {
        let opened = envelope.open([key], &context).expect("it is for both");
        assert_eq!(*opened.content, content);
    }
    let names = ["content key", "ephemeral secret", "ikmE to the subscription", "ikmE to the peer"];
    let random: Vec<Json> = names
        .into_iter()
        .zip(&rng.0.given)
        .map(|(what, bytes)| json!({ "what": what, "bytes": bytes }))
        .collect();
    assert_eq!(rng.0.given.len(), names.len(), "each number drawn has a name");
    let padded: Vec<Json> = [0, 1, 2, 7, 8, 9, 100, 1000, 65_536, 200_000]
        .map(|length| json!({ "content": length, "padded": padded_length(length) }))
        .to_vec();
    json!({
        "author": author.peer_id().to_string(),
        "network": network.as_str(),
        "subscription_secret": subscription_secret,
        "subscription_key": subscription.id().to_string(),
        "peer_seed": hex(&[2; 32]),
        "content": hex(&content),
        "random": random,
        "envelope": hex(&codec::encode(&envelope)),
        "document_with_it": hex(&sealed().1),
        "padding": padded,
    })
}

/// What a content of so many bytes takes, by what an envelope of it takes.
fn padded_length(length: usize) -> usize {
    let (author, network) = (identity(1), network());
    let context = Context { author: author.peer_id(), network: network.as_str() };
    let to = [Recipient::Peer(author.peer_id())];
    let mut rng = UnwrapErr(Recorder::new(7));
    let envelope = Envelope::seal(&vec![0; length], &to, &context, &mut rng);
    let wire = codec::encode(&envelope.expect("a usable key"));
    // ephemeral, slots, commitment; then the length of what is sealed, its varint, and the tag
    let rest = wire.len() - 32 - (1 + 84) - 32;
    let varint = (1..=3).find(|bytes| rest - bytes < 1 << (7 * bytes)).unwrap_or(3);
    rest - varint - 16
}

/// An envelope, and a document that holds one, for peer 2.
pub(super) fn sealed() -> (Vec<u8>, Vec<u8>) {
    let (author, network) = (identity(1), network());
    let to = [Recipient::Peer(identity(2).peer_id())];
    let mut rng = UnwrapErr(Recorder::new(8));
    let sealed = Sealed::seal(map(CONTENT), &["type"], &to, author.peer_id(), &network, &mut rng);
    let sealed = sealed.expect("a usable key");
    let envelope = codec::encode(&sealed.envelope);
    let document = sign(&author, 4, NOW, Content::Sealed(sealed));
    (envelope, codec::encode(document.signed()))
}
