use taiinet_document::{Deletion, DocumentIds, Key, Map, PeerSet, Writers};
use taiinet_identity::{Identity, Seed};

use super::*;

fn identity(number: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([number; 32]))
}

fn said(author: u8, content: Content, key: Option<Key>, time: u64) -> VerifiedDocument {
    let document = taiinet_document::Document {
        network: "n".parse().expect("a name"),
        created_at: Timestamp::from_millis(time),
        nonce: 0,
        expires_at: None,
        key,
        next_key: None,
        content,
    };
    VerifiedDocument::sign(&identity(author), document).expect("signed")
}

fn open() -> Content {
    Content::Open(Map::new())
}

fn version(time: u64) -> VerifiedDocument {
    said(1, open(), Some("key".into()), time)
}

/// By what it replaces, who shows it; and of what is gone, why, and for whom.
type Told = (Vec<(Option<DocumentId>, Vec<u8>)>, Vec<(DocumentId, Removal, Vec<u8>)>);

fn take(shown: &mut Shown<u8>, document: &VerifiedDocument, matching: &[u8]) -> Told {
    let Changes { shows, removes } = shown.take(document, matching);
    let gone = |(removed, who): (Removed, _)| (removed.id, removed.reason, who);
    (shows.into_iter().collect(), removes.into_iter().map(gone).collect())
}

#[test]
fn a_version_updates_where_it_matches_and_is_a_removal_where_it_does_not() {
    let mut shown = Shown::default();
    let [first, second, third, fourth] = [1, 2, 3, 4].map(version);
    assert_eq!(take(&mut shown, &first, &[1, 2]), (vec![(None, vec![1, 2])], vec![]));
    let (updated, gone) = take(&mut shown, &second, &[2, 3]);
    assert_eq!(updated, [(None, vec![3]), (Some(first.id()), vec![2])]);
    assert_eq!(gone, [(first.id(), Removal::Replaced, vec![1])]);
    // It matches none of them now; what comes after that is new to them again.
    let (updated, gone) = take(&mut shown, &third, &[]);
    assert_eq!((updated, gone), (vec![], vec![(second.id(), Removal::Replaced, vec![2, 3])]));
    assert_eq!(take(&mut shown, &fourth, &[2]).0, [(None, vec![2])]);
    assert_eq!(take(&mut shown, &second, &[2]), (vec![], vec![]), "an older one");
}

#[test]
fn deletions_by_key_and_by_ids_of_its_author_alone() {
    let mut shown = Shown::default();
    let plain = said(1, open(), None, 1);
    let ids = DocumentIds::new([plain.id()]).expect("one");
    let by_id = |author| said(author, Content::Deleted(Deletion::Documents(ids.clone())), None, 5);
    take(&mut shown, &plain, &[1]);
    take(&mut shown, &version(2), &[1]);
    assert_eq!(take(&mut shown, &by_id(2), &[]), (vec![], vec![]), "a stranger's");
    assert_eq!(take(&mut shown, &by_id(1), &[]).1, [(plain.id(), Removal::Deleted, vec![1])]);
    let by_key = said(1, Content::Deleted(Deletion::Key), Some("key".into()), 6);
    assert_eq!(take(&mut shown, &by_key, &[]).1, [(version(2).id(), Removal::Deleted, vec![1])]);
    assert!(shown.documents.is_empty() && shown.names.is_empty() && shown.order.is_empty());
}

#[test]
fn what_others_write_follows_the_right_to_it() {
    let mut shown = Shown::default();
    let writers = Writers::Peers(PeerSet::new([identity(2).peer_id()]).expect("one"));
    let of = || Some(Key::of("key", identity(1).peer_id()));
    // The grant is still on its way: they are documents of their own.
    let [written, foreign] = [2, 3].map(|author| said(author, open(), of(), 10));
    take(&mut shown, &written, &[1]);
    assert_eq!(take(&mut shown, &foreign, &[1]).0, [(None, vec![1])]);
    let grant = said(1, open(), Some(Key::shared("key", writers)), 5);
    // It is older than what was written under it, which is the document then.
    assert_eq!(take(&mut shown, &grant, &[1]), (vec![], vec![]));
    let next = said(2, open(), of(), 11);
    assert_eq!(take(&mut shown, &next, &[1]).0, [(Some(written.id()), vec![1])]);
    // What the owner writes replaces all of them.
    let taken_back = said(1, open(), Some("key".into()), 12);
    let (updated, gone) = take(&mut shown, &taken_back, &[1]);
    assert_eq!(updated, [(Some(next.id()), vec![1])]);
    assert_eq!(gone, [(foreign.id(), Removal::Replaced, vec![1])]);
}

#[test]
fn what_expires_is_told_when_it_does() {
    let mut shown = Shown::default();
    let ends = |document: VerifiedDocument, end| {
        let document = taiinet_document::Document {
            expires_at: Some(Timestamp::from_millis(end)),
            ..document.document().clone()
        };
        VerifiedDocument::sign(&identity(1), document).expect("signed")
    };
    let (first, second) = (ends(version(1), 100), ends(said(1, open(), None, 1), 50));
    take(&mut shown, &first, &[1]);
    take(&mut shown, &second, &[2]);
    assert_eq!(shown.deadline(), Some(Time::from_millis(50)));
    assert_eq!(shown.expire(Time::from_millis(49)), None);
    let (removed, who) = shown.expire(Time::from_millis(50)).expect("it is over");
    assert_eq!((removed.id, removed.reason, who), (second.id(), Removal::Expired, vec![2]));
    // What replaces it has another end.
    take(&mut shown, &version(2), &[1]);
    assert_eq!(shown.deadline(), None);
}

#[test]
fn no_more_is_remembered_than_there_is_room_for_nor_for_those_that_have_ended() {
    let mut shown = Shown { most: 2, ..Shown::default() };
    for time in 1..=3 {
        take(&mut shown, &said(1, open(), Some(Key::new(time.to_string())), time), &[1, 2]);
    }
    assert_eq!((shown.documents.len(), shown.names.len(), shown.order.len()), (2, 2, 2));
    shown.end(1);
    assert_eq!(shown.documents.len(), 2);
    shown.end(2);
    assert!(shown.documents.is_empty() && shown.names.is_empty() && shown.order.is_empty());
}
