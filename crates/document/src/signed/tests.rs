use proptest::prelude::*;
use taiinet_identity::NextKey;

use super::*;
use crate::{
    Deletion, DocumentIds, Key, Map, PeerSet, Timestamp, UnknownContent, Value, ValueError,
    Writers,
    testing::{content, document, identity, key, nested},
};

fn sign(document: Document) -> Result<VerifiedDocument, DocumentError> {
    VerifiedDocument::sign(&identity(1), document)
}

fn fields(value: impl Into<Value>) -> Content {
    Content::Open(Map::from([("a".to_owned(), value.into())]))
}

/// A body that is signed as it is.
fn signed(body: &[u8]) -> SignedDocument {
    let hash = blake3::hash(body);
    let signature = identity(1).sign_hash(Domain::Document, &hash);
    SignedDocument::new(identity(1).peer_id(), signature, body.into(), hash)
}

fn refused(body: &[u8]) -> DocumentError {
    signed(body).verify(&identity(1).public_key()).expect_err("refused")
}

#[test]
fn signed_is_verified_by_its_author_only() {
    let ours = sign(document(fields(1))).expect("signs");
    let key = identity(1).public_key();
    let theirs = ours.signed().clone().verify(&key).expect("valid");
    assert_eq!(theirs, ours);
    assert_eq!(theirs.document(), &document(fields(1)));
    let other = identity(2).public_key();
    assert_eq!(ours.signed().clone().verify(&other), Err(DocumentError::InvalidSignature));
}

#[test]
fn tampering_any_byte_is_refused() {
    let wire = postcard::to_allocvec(sign(document(fields("text"))).expect("signs").signed())
        .expect("encodes");
    for at in 0..wire.len() {
        for bit in [1, 0x80] {
            let mut wire = wire.clone();
            wire[at] ^= bit;
            let verified = postcard::from_bytes::<SignedDocument>(&wire).ok().and_then(|signed| {
                // Whatever key the receiver looks up, under the name it now bears or the true one.
                let claimed = signed.author().public_key().ok();
                let claimed = claimed.and_then(|key| signed.clone().verify(&key).ok());
                claimed.or_else(|| signed.verify(&identity(1).public_key()).ok())
            });
            assert_eq!(verified, None, "byte {at}");
        }
    }
}

#[test]
fn a_signature_for_another_purpose_is_refused() {
    let body = sign(document(fields(1))).expect("signs").signed().body().to_vec();
    for domain in [Domain::Hello, Domain::Presence, Domain::Signal, Domain::Welcome, Domain::File] {
        let signature = identity(1).sign(domain, &body);
        let forged = SignedDocument { signature, ..signed(&body) };
        assert_eq!(forged.verify(&identity(1).public_key()), Err(DocumentError::InvalidSignature));
    }
}

#[test]
fn the_name_covers_author_and_body_but_not_the_signature() {
    let first = sign(document(fields(1))).expect("signs");
    let wire = |signed: &SignedDocument| postcard::to_allocvec(signed).expect("encodes");
    let mut other = wire(first.signed());
    other[40] ^= 1;
    let other: SignedDocument = postcard::from_bytes(&other).expect("decodes");
    assert_eq!(other.id(), first.id(), "another signature, the same document");

    let author = VerifiedDocument::sign(&identity(2), document(fields(1))).expect("signs");
    assert_ne!(author.id(), first.id());
    let nonce = sign(Document { nonce: 8, ..document(fields(1)) }).expect("signs");
    assert_ne!(nonce.id(), first.id());
    let received: SignedDocument = postcard::from_bytes(&wire(first.signed())).expect("decodes");
    assert_eq!(received.id(), first.id());
}

#[test]
fn size_is_bounded_at_the_edge() {
    let room = limits::DOCUMENT_BYTES
        - sign(document(fields(Value::Bytes(vec![0; 100_000]))))
            .expect("signs")
            .signed()
            .body()
            .len();
    let of = |more: usize| document(fields(Value::Bytes(vec![0; 100_000 + more])));
    let largest = sign(of(room)).expect("signs");
    assert_eq!(largest.signed().body().len(), limits::DOCUMENT_BYTES);
    let wire = postcard::to_allocvec(largest.signed()).expect("encodes");
    let received: SignedDocument = postcard::from_bytes(&wire).expect("decodes");
    assert!(received.verify(&identity(1).public_key()).is_ok());

    let bytes = limits::DOCUMENT_BYTES + 1;
    assert_eq!(sign(of(room + 1)), Err(DocumentError::TooLarge { bytes }));
    let body = postcard::to_allocvec(&of(room + 1)).expect("encodes");
    assert_eq!(refused(&body), DocumentError::TooLarge { bytes });
    let wire = postcard::to_allocvec(&signed(&body)).expect("encodes");
    assert!(postcard::from_bytes::<SignedDocument>(&wire).is_err(), "refused before it is copied");
}

#[test]
fn we_sign_nothing_that_others_refuse() {
    let at = |millis| Some(Timestamp::from_millis(millis));
    let base = || document(fields(1));
    let created = base().created_at.as_millis();
    let cases = [
        (Document { key: Some("k".repeat(limits::KEY_BYTES).into()), ..base() }, None),
        (
            Document { key: Some("k".repeat(limits::KEY_BYTES + 1).into()), ..base() },
            Some(DocumentError::KeyTooLong),
        ),
        (Document { expires_at: at(created + 1), ..base() }, None),
        (Document { expires_at: at(created), ..base() }, Some(DocumentError::Expiry)),
        (Document { expires_at: at(0), ..base() }, Some(DocumentError::Expiry)),
    ];
    for (document, error) in cases {
        assert_eq!(sign(document.clone()).err(), error);
        let body = postcard::to_allocvec(&document).expect("encodes");
        assert_eq!(signed(&body).verify(&identity(1).public_key()).err(), error);
    }
    // The content is depth 1.
    assert!(sign(document(fields(nested(limits::VALUE_DEPTH - 1)))).is_ok());
    let many = |values| Value::List(vec![Value::Null; values]);
    assert!(sign(document(fields(many(limits::VALUES - 2)))).is_ok(), "the map and the list count");
    for (value, error) in [
        (many(limits::VALUES - 1), ValueError::TooMany),
        (nested(limits::VALUE_DEPTH), ValueError::TooDeep),
        (Value::Float(f64::NAN), ValueError::NotFinite),
        (Value::List(vec![Value::Float(f64::INFINITY)]), ValueError::NotFinite),
    ] {
        let document = document(fields(value));
        assert_eq!(sign(document.clone()), Err(DocumentError::Value(error)));
        assert_eq!(
            refused(&postcard::to_allocvec(&document).expect("encodes")),
            DocumentError::Malformed
        );
    }
}

/// A deletion that says nothing, or two things, and lists that are too long or in another order than their own.
#[test]
fn a_deletion_says_by_its_key_or_by_ids_what_it_withdraws() {
    let id = |byte| DocumentId::from_bytes([byte; 32]);
    let ids = DocumentIds::new([id(2), id(1), id(2)]).expect("two");
    assert_eq!(ids.iter().copied().collect::<Vec<_>>(), [id(1), id(2)]);
    let by_ids = || Content::Deleted(Deletion::Documents(ids.clone()));
    let by_key = || Content::Deleted(Deletion::Key);
    let key = || Some(Key::new("k"));
    for (document, refusal) in [
        (document(by_ids()), None),
        (Document { key: key(), ..document(by_key()) }, None),
        (document(by_key()), Some(DocumentError::Deletion)),
        (Document { key: key(), ..document(by_ids()) }, Some(DocumentError::Deletion)),
    ] {
        assert_eq!(sign(document.clone()).err(), refusal);
        let body = postcard::to_allocvec(&document).expect("encodes");
        assert_eq!(signed(&body).verify(&identity(1).public_key()).err(), refusal);
    }
    let content = |ids: &[u8]| {
        let ids = ids.iter().flat_map(|byte| [*byte; 32]);
        with_content(&[&[1, ids.clone().count() as u8 / 32][..], &ids.collect::<Vec<_>>()].concat())
    };
    assert!(signed(&content(&[1, 2])).verify(&identity(1).public_key()).is_ok());
    for wrong in [&[2, 1][..], &[1, 1]] {
        assert_eq!(refused(&content(wrong)), DocumentError::Malformed);
    }
    let many = |count: usize| {
        let name = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
            DocumentId::from_bytes(bytes)
        };
        (0..count).map(name).collect::<Vec<_>>()
    };
    let most = limits::DELETED_DOCUMENTS;
    assert!(DocumentIds::new(many(most)).is_ok());
    for count in [0, most + 1] {
        assert_eq!(DocumentIds::new(many(count)), Err(DocumentError::Victims { count }));
    }
    let body = [&[1][..], &postcard::to_allocvec(&many(most + 1)).expect("encodes")].concat();
    assert_eq!(refused(&with_content(&body)), DocumentError::Malformed);
}

#[test]
fn writers_are_one_to_so_many_in_order() {
    let peer = |number: usize| {
        let mut bytes = [0; PeerId::LEN];
        bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
        PeerId::from_bytes(bytes)
    };
    assert!(PeerSet::new((0..limits::WRITERS).map(peer)).is_ok());
    for count in [0, limits::WRITERS + 1] {
        let refused = PeerSet::new((0..count).map(peer));
        assert_eq!(refused, Err(DocumentError::Writers { count }));
    }
    let shared = Writers::Peers(PeerSet::new([peer(2), peer(1)]).expect("two"));
    let document = Document { key: Some(Key::shared("k", shared)), ..document(fields(1)) };
    let body = postcard::to_allocvec(&document).expect("encodes");
    assert_eq!(signed(&body).decode().as_ref(), Ok(&document));
    // The two of them the other way around.
    let at = body.windows(32).position(|bytes| bytes == peer(1).as_bytes()).expect("the first");
    let mut swapped = body.clone();
    swapped[at..at + 32].copy_from_slice(peer(2).as_bytes());
    swapped[at + 32..at + 64].copy_from_slice(peer(1).as_bytes());
    assert_eq!(refused(&swapped), DocumentError::Malformed);
    let mut none = body[..at - 1].to_vec();
    none.push(0);
    none.extend(&body[at + 64..]);
    assert_eq!(refused(&none), DocumentError::Malformed);
}

#[test]
fn kept_bytes_are_the_document_again() {
    let first = sign(document(fields("text"))).expect("signs");
    let kept = first.to_bytes();
    assert_eq!(kept.signed(), first.signed());
    assert_eq!(kept.decode(), Ok(first));
}

#[test]
fn other_encodings_of_the_same_are_refused() {
    let body = postcard::to_allocvec(&document(fields(1))).expect("encodes");
    let key = identity(1).public_key();
    assert!(signed(&body).verify(&key).is_ok());
    assert_eq!(refused(&[&body[..], &[0]].concat()), DocumentError::Malformed, "bytes left over");
    assert_eq!(refused(&body[..body.len() - 1]), DocumentError::Truncated);
    // The nonce 7 as 0x87 0x00.
    let nonce = body.iter().position(|byte| *byte == 7).expect("the nonce");
    let longer = [&body[..nonce], &[0x87, 0x00], &body[nonce + 1..]].concat();
    assert_eq!(refused(&longer), DocumentError::NotCanonical);
    // A network's name of 0 and 65 bytes.
    for length in [0u8, 65] {
        let name = vec![b'n'; length.into()];
        assert_eq!(refused(&[&[length], &name[..], &body[5..]].concat()), DocumentError::Malformed);
    }
}

/// A body with this content, whatever is in it.
fn with_content(content: &[u8]) -> Vec<u8> {
    let body = postcard::to_allocvec(&document(Content::Open(Map::new()))).expect("encodes");
    let header = body.strip_suffix(&[0, 0]).expect("it ends with its content");
    [header, content].concat()
}

#[test]
fn content_of_a_later_version_is_a_document_and_what_is_malformed_is_none() {
    let key = identity(1).public_key();
    for (kind, bytes) in [(4, &b""[..]), (4, &[0; 100_000]), (0x7f, b"what is to come")] {
        let body = with_content(&[&[kind], bytes].concat());
        let verified = signed(&body).verify(&key).expect("of a later version");
        let Content::Unknown(unknown) = verified.content() else { panic!("{verified:?}") };
        assert_eq!((unknown.kind(), unknown.bytes()), (kind, bytes));
        assert_eq!(verified.content().fields(), None);
        // To sign the same again is to write the same bytes.
        assert_eq!(sign(verified.document().clone()).expect("signs"), verified);
        assert_eq!(verified.to_bytes().decode(), Ok(verified));
    }
    // Of kinds that this version knows nothing is unknown.
    for malformed in [&[0, 1][..], &[0, 0, 0], &[1, 0, 0], &[1, 1], &[2], &[2, 0], &[3], &[3, 0, 1]]
    {
        let error = refused(&with_content(malformed));
        let is_fault = matches!(error, DocumentError::Malformed | DocumentError::Truncated);
        assert!(is_fault, "{malformed:?}: {error}");
        assert_eq!(UnknownContent::new(malformed[0], &malformed[1..]), None);
    }
    assert_eq!(refused(&with_content(&[])), DocumentError::Truncated, "no content at all");
    for never in [0x80, 0xff] {
        assert_eq!(refused(&with_content(&[never, 1])), DocumentError::Malformed);
        assert_eq!(UnknownContent::new(never, &[]), None);
    }
}

#[test]
fn what_is_unknown_keeps_the_same_limits() {
    let header = with_content(&[]).len();
    let of = |bytes: usize| with_content(&[&[4][..], &vec![7; bytes]].concat());
    let room = limits::DOCUMENT_BYTES - header - 1;
    let largest = signed(&of(room)).verify(&identity(1).public_key()).expect("within the limits");
    assert!(largest.heap_size() >= 2 * room, "what is held of it counts");
    let bytes = limits::DOCUMENT_BYTES + 1;
    assert_eq!(refused(&of(room + 1)), DocumentError::TooLarge { bytes });
    let unknown = || Content::Unknown(UnknownContent::new(4, &[]).expect("it is to come"));
    let named =
        Document { key: Some("k".repeat(limits::KEY_BYTES + 1).into()), ..document(unknown()) };
    let body = postcard::to_allocvec(&named).expect("encodes");
    assert_eq!(refused(&body), DocumentError::KeyTooLong);
    let over = Document { expires_at: Some(Timestamp::from_millis(1)), ..document(unknown()) };
    assert_eq!(refused(&postcard::to_allocvec(&over).expect("encodes")), DocumentError::Expiry);
}

#[test]
fn a_next_key_is_signed_with_the_rest() {
    let next_key = Some(NextKey::from_bytes([9; 32]));
    let rotating = sign(Document { next_key, ..document(fields(1)) }).expect("signs");
    assert_eq!(rotating.signed().decode().expect("decodes").next_key, next_key);
    let mut body = rotating.signed().body().to_vec();
    let at = body.iter().position(|byte| *byte == 9).expect("the next key");
    body[at] = 8;
    let forged = SignedDocument { signature: rotating.signed().signature, ..signed(&body) };
    assert_eq!(forged.verify(&identity(1).public_key()), Err(DocumentError::InvalidSignature));
}

proptest! {
    #[test]
    fn documents_round_trip(
        (content, key) in content().prop_flat_map(|content| {
            let key = key(&content);
            (Just(content), key)
        }),
        (created, life, nonce) in (0..u64::MAX / 2, 1..u64::MAX / 2, any::<u32>()),
        expires in any::<bool>(),
        next_key in prop::option::of(any::<[u8; 32]>()),
    ) {
        let document = Document {
            network: "täii".parse().expect("a name"),
            created_at: Timestamp::from_millis(created),
            nonce,
            expires_at: expires.then(|| Timestamp::from_millis(created + life)),
            key,
            next_key: next_key.map(NextKey::from_bytes),
            content,
        };
        let signed = sign(document.clone()).expect("signs").signed().clone();
        let wire = postcard::to_allocvec(&signed).expect("encodes");
        prop_assert!(wire.len().abs_diff(signed.size()) <= 3);
        let received: SignedDocument = postcard::from_bytes(&wire).expect("decodes");
        prop_assert_eq!(&received, &signed);
        prop_assert_eq!(received.decode(), Ok(document));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>()) {
        let _ = postcard::from_bytes::<SignedDocument>(&bytes);
        let _ = signed(&bytes).decode();
    }

    #[test]
    fn damaged_bodies_never_panic(content in content(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = postcard::to_allocvec(&document(content)).expect("encodes");
        let at = at.index(body.len());
        body[at] = byte;
        // What is taken is what we would have encoded ourselves.
        if let Ok(document) = signed(&body).decode() {
            prop_assert_eq!(postcard::to_allocvec(&document).expect("encodes"), body);
        }
    }
}
