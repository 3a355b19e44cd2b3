use taiinet_document::{Content, Document, Key, Map, Timestamp};
use taiinet_identity::{Identity, Seed};

use super::*;

fn version(author: u8, key: &str, time: u64) -> (Name, VerifiedDocument) {
    let identity = Identity::from_seed(&Seed::from_bytes([author; 32]));
    let document = Document {
        network: "n".parse().expect("a name"),
        created_at: Timestamp::from_millis(time),
        nonce: 0,
        expires_at: None,
        key: Some(Key::new(key)),
        next_key: None,
        content: Content::Open(Map::new()),
    };
    let document = VerifiedDocument::sign(&identity, document).expect("signed");
    (name_of(&document).expect("a key"), document)
}

#[test]
fn so_many_versions_are_remembered() {
    let mut past = Past { most: (3, 0), ..Past::default() };
    let all = ["a", "b", "b", "c", "d"].iter().zip(1..).map(|(key, time)| version(1, key, time));
    let all: Vec<_> = all.collect();
    for (name, document) in &all {
        assert!(past.note(name, document) && !past.note(name, document));
    }
    let known: Vec<_> = all.iter().map(|(name, _)| past.knows(name)).collect();
    assert_eq!(known, [false, false, false, true, true], "the oldest are forgotten");
    assert_eq!((past.versions, past.order.len()), (2, 2));
}

/// A stranger that deletes much makes us forget its own deletions.
#[test]
fn so_many_deletions_are_remembered_and_nobody_drives_out_anothers() {
    let mut past = Past { most: (9, 4), ..Past::default() };
    let id = |byte: u8| DocumentId::from_bytes([byte; 32]);
    let (_, document) = version(1, "a", 1);
    past.delete(document.id(), document.author());
    past.delete(document.id(), document.author());
    let stranger = PeerId::from_bytes([9; 32]);
    (0..200).for_each(|byte| past.delete(id(byte), stranger));
    past.delete(document.id(), stranger);
    assert!(past.is_deleted(&document));
    assert_eq!((past.deleted.len(), past.deletions.len(), past.deleters.len()), (4, 2, 2));
    assert!(
        past.deleted.contains(&(id(199), stranger)) && !past.deleted.contains(&(id(1), stranger))
    );
}
