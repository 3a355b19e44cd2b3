//! What an archive does with documents over their lives: replacement, deletion, expiry, quotas, failures.

mod failing;
mod quotas;
mod searches;
mod stores;
mod times;

use taiinet_archive::{Admission, Archive, Ask, Config, MemoryStore, Rest, Store};
use taiinet_document::{
    Content, Deletion, Document, DocumentIds, Key, Timestamp, VerifiedDocument, parse_map,
};
use taiinet_identity::{Identity, Seed};
use taiinet_query::{Query, sort::Sort};

/// The time at which everything here begins.
const START: u64 = 1_800_000_000_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

fn author(number: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([number; 32]))
}

fn config() -> Config {
    Config::new("test".parse().expect("a name"), vec![Query::all()])
}

fn archive(config: Config) -> Archive<MemoryStore> {
    Archive::open(MemoryStore::new(), config).expect("opens")
}

/// A document to be altered before it is signed.
fn draft(millis: u64, fields: &str) -> Document {
    Document {
        network: "test".parse().expect("a name"),
        created_at: at(millis),
        nonce: millis as u32,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(parse_map(fields).expect("fields")),
    }
}

fn sign(by: u8, document: Document) -> VerifiedDocument {
    VerifiedDocument::sign(&author(by), document).expect("signs")
}

fn plain(by: u8, millis: u64) -> VerifiedDocument {
    sign(by, draft(millis, r#"{"text": "as it is"}"#))
}

fn keyed(by: u8, millis: u64, key: impl Into<Key>) -> VerifiedDocument {
    sign(by, Document { key: Some(key.into()), ..draft(millis, r#"{"text": "a version"}"#) })
}

fn deletion(by: u8, millis: u64, victims: &[&VerifiedDocument]) -> VerifiedDocument {
    let ids = DocumentIds::new(victims.iter().map(|victim| victim.id())).expect("some");
    sign(
        by,
        Document { content: Content::Deleted(Deletion::Documents(ids)), ..draft(millis, "{}") },
    )
}

fn wire(document: &VerifiedDocument) -> Vec<u8> {
    postcard::to_allocvec(document.signed()).expect("encodes")
}

fn ask(query: &str, sort: &str) -> Ask {
    Ask {
        query: query.parse().expect("a query"),
        sort: sort.parse::<Sort>().expect("a sort"),
        since: None,
        until: None,
        after: None,
        limit: 1_000,
        bytes: usize::MAX,
    }
}

/// All that is found, the oldest first.
fn all<S: Store>(archive: &Archive<S>, now: Timestamp) -> Vec<Vec<u8>> {
    let page = archive.find(&ask("{}", "_created_at:asc"), u64::MAX, now).expect("finds");
    assert_eq!(page.rest, Rest::Finished);
    page.documents
}

fn store(archive: &mut Archive<impl Store>, document: &VerifiedDocument) {
    let admission = archive.admit(document, at(1_000)).expect("admits");
    assert_eq!(admission, Admission::Stored);
}
