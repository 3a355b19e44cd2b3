use proptest::prelude::*;
use taiinet_document::VerifiedDocument;
use taiinet_identity::{Identity, Seed};

use super::*;

fn peer() -> impl Strategy<Value = PeerId> {
    any::<[u8; 32]>().prop_map(PeerId::from_bytes)
}

fn key() -> impl Strategy<Value = Key> {
    ("[a-zä]{0,100}", prop::collection::vec(peer(), 1..64), 0..4_u8).prop_map(
        |(name, peers, kind)| match kind {
            0 => Key::new(name),
            1 => Key::shared(name, Writers::Anyone),
            2 => Key::of(name, peers[0]),
            _ => Key::shared(name, Writers::Peers(PeerSet::new(peers).expect("some"))),
        },
    )
}

fn mark() -> impl Strategy<Value = Mark> {
    (any::<u64>(), any::<[u8; 32]>()).prop_map(|(time, id)| Mark {
        created_at: Timestamp::from_millis(time),
        id: DocumentId::from_bytes(id),
    })
}

proptest! {
    #[test]
    fn traces_and_heads_are_read_as_they_were_written(
        author in peer(),
        mark in mark(),
        key in key(),
    ) {
        let trace = Record::Trace(Trace { author, mark, key: key.clone() });
        prop_assert_eq!(Record::decode(&trace.encode()), Some(trace));
        let head = Head { author, mark, sharing: key.sharing().clone() };
        prop_assert_eq!(Head::decode(&head.encode()), Some(head.clone()));
        prop_assert_eq!(head.key(key.name()), key);
    }

    #[test]
    fn no_bytes_panic(mut bytes: Vec<u8>, kind in 0..3_u8) {
        bytes.insert(0, kind);
        let _ = Record::decode(&bytes);
        let _ = Head::decode(&bytes);
    }
}

#[test]
fn documents_are_read_as_they_were_written() {
    let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
    let document = Document {
        network: "test".parse().expect("a name"),
        created_at: Timestamp::from_millis(7),
        nonce: 1,
        expires_at: None,
        key: Some("name".into()),
        next_key: None,
        content: Content::Open(Map::new()),
    };
    let document = VerifiedDocument::sign(&identity, document).expect("signs");
    let (signed, document) = (document.signed().clone(), document.document().clone());
    let record = Record::Document(Box::new(Signed { signed: signed.clone(), document }));
    let row = record.encode();
    assert_eq!(row[1..], postcard::to_allocvec(&signed).expect("encodes"));
    assert_eq!(Record::decode(&row), Some(record));
}
