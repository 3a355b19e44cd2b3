//! Signed documents: the reserved fields, and deletions.

use taiinet_document::{
    Content, Deletion, Document, Key, Map, Network, Timestamp, UnknownContent, VerifiedDocument,
};
use taiinet_identity::{Identity, Seed};

use crate::{document, query};

fn signed(key: Option<&str>, content: Content) -> VerifiedDocument {
    sign(key.map(Key::from), content)
}

fn sign(key: Option<Key>, content: Content) -> VerifiedDocument {
    let network: Network = "tests".parse().expect("a name");
    let document = Document {
        network,
        created_at: Timestamp::from_millis(1_700_000_000_000),
        nonce: 7,
        expires_at: None,
        key,
        next_key: None,
        content,
    };
    VerifiedDocument::sign(&Identity::from_seed(&Seed::from_bytes([7; 32])), document)
        .expect("within all limits")
}

#[test]
fn reserved_fields() {
    let plain = signed(Some("profile"), Content::Open(document(r#"{"a":1}"#)));
    let (id, author) = (plain.id().to_string(), plain.author().to_string());
    let rows = [
        (format!(r#"{{"_id":"{id}"}}"#), true),
        (format!(r#"{{"_id":{{"$in":["{id}","x"]}},"a":1}}"#), true),
        (r#"{"_id":"00"}"#.to_owned(), false),
        (r#"{"_id":{"$regex":"^[0-9a-f]{64}$"}}"#.to_owned(), true),
        (format!(r#"{{"_author":"{author}"}}"#), true),
        (r#"{"_author":{"$regex":"^tn1"}}"#.to_owned(), true),
        (r#"{"_author":{"$ne":null}}"#.to_owned(), true),
        (format!(r#"{{"_author":{{"$nin":["{author}"]}}}}"#), false),
        (r#"{"_key":"profile"}"#.to_owned(), true),
        (r#"{"_key":"other"}"#.to_owned(), false),
        (r#"{"_created_at":1700000000000}"#.to_owned(), true),
        (r#"{"_created_at":{"$gt":1600000000000,"$type":"int"}}"#.to_owned(), true),
        (r#"{"_created_at":{"$lt":1700000000000}}"#.to_owned(), false),
        // They are scalars, without fields.
        (r#"{"_id.x":{"$exists":true}}"#.to_owned(), false),
        (r#"{"_id.x":null}"#.to_owned(), true),
        (r#"{"a":1}"#.to_owned(), true),
        ("{}".to_owned(), true),
    ];
    for (text, expect) in rows {
        assert_eq!(query(&text).matches_document(&plain), expect, "{text}");
    }
}

#[test]
fn a_version_of_anothers_document_has_its_owner() {
    let owner = Identity::from_seed(&Seed::from_bytes([8; 32])).peer_id();
    let version = sign(Some(Key::of("list", owner)), Content::Open(document(r#"{"a":1}"#)));
    let author = version.author();
    assert!(
        query(&format!(r#"{{"_owner":"{owner}","_author":"{author}"}}"#))
            .matches_document(&version)
    );
    assert!(!query(&format!(r#"{{"_owner":"{author}"}}"#)).matches_document(&version));
    let own = sign(None, Content::Open(Map::new()));
    assert!(query(&format!(r#"{{"_owner":"{author}"}}"#)).matches_document(&own));
}

#[test]
fn a_document_without_a_key_lacks_the_field() {
    let keyless = signed(None, Content::Open(Map::new()));
    assert!(query(r#"{"_key":null}"#).matches_document(&keyless));
    assert!(query(r#"{"_key":{"$exists":false}}"#).matches_document(&keyless));
}

/// Otherwise an author could pass as another one.
#[test]
fn reserved_fields_hide_those_of_the_content() {
    let content = r#"{"_author":"mallory","_id":"x","_key":"admin","_created_at":0,"b":{"_id":1}}"#;
    let forged = signed(None, Content::Open(document(content)));
    for text in [
        r#"{"_author":"mallory"}"#,
        r#"{"_id":"x"}"#,
        r#"{"_key":"admin"}"#,
        r#"{"_key":{"$exists":true}}"#,
        r#"{"_created_at":0}"#,
    ] {
        assert!(!query(text).matches_document(&forged), "{text}");
        // Plain content has no reserved fields.
        if !text.contains("exists") {
            assert!(query(text).matches(&document(content)), "{text}");
        }
    }
    assert!(query(r#"{"b._id":1}"#).matches_document(&forged), "reserved at the top only");
}

#[test]
fn a_deletion_matches_nothing_nor_does_what_only_a_later_version_reads() {
    let deletion = signed(Some("profile"), Content::Deleted(Deletion::Key));
    let unknown = UnknownContent::new(4, b"what is to come").expect("of a later version");
    let unknown = signed(Some("profile"), Content::Unknown(unknown));
    for text in ["{}", r#"{"_key":"profile"}"#, r#"{"a":null}"#, r#"{"$nor":[{"a":1}]}"#] {
        assert!(!query(text).matches_document(&deletion), "{text}");
        assert!(!query(text).matches_document(&unknown), "{text}");
    }
}
