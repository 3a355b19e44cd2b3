#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use taiinet_document::{Content, Deletion, DocumentIds, Key, Map, PeerSet, Writers};
use taiinet_identity::Identity;

use super::*;
use crate::testing::{self, NOW};

fn at(millis: u64) -> Time {
    NOW.after(core::time::Duration::from_millis(millis))
}

/// All that a neighbour could be told of.
fn current(recent: &Recent) -> Vec<DocumentId> {
    let end = Mark::from(Timestamp::from_millis(u64::MAX));
    let all = recent.between(Timestamp::default().into(), end);
    all.map(|mark| mark.id).collect()
}

#[test]
fn what_is_forgotten_is_refused_by_its_age_and_so_never_comes_twice() {
    let author = testing::identity(1);
    let mut recent = Recent::default();
    let documents: Vec<_> =
        (0..10).map(|n| testing::document_at(&author, n, 10, at(u64::from(n) * 1000))).collect();
    for document in &documents {
        recent.insert(document, 0, at(10_000));
    }
    assert!(documents.iter().all(|document| recent.has_seen(&document.id())));
    recent.forget(at(10_000), 6);
    for (index, document) in documents.iter().enumerate() {
        let (seen, refused) =
            (recent.has_seen(&document.id()), recent.is_too_old(document.created_at));
        assert_eq!((seen, refused), (index >= 4, index < 4), "{index}");
    }
}

#[test]
fn documents_are_kept_for_the_live_window_and_their_ids_longer() {
    let author = testing::identity(1);
    let mut recent = Recent::default();
    let document = testing::document(&author, 1, 100);
    recent.insert(&document, 3, NOW);
    let kept = recent.get(&document.id()).expect("it is kept");
    assert_eq!(kept.hops(), 3);
    assert_eq!(kept.signed(), document.signed());
    assert_eq!(kept.decode().as_ref(), Ok(&*document));
    let late = NOW.after(limits::LIVE_WINDOW);
    assert_eq!(recent.deadline(), Some(late));
    recent.expire(late);
    assert!(recent.get(&document.id()).is_none());
    assert!(recent.has_seen(&document.id()));
    assert_eq!(recent.kept_bytes, 0);
}

/// What is counted against the store's bound is at least what its documents hold, whatever is in them:
/// small ones hold more than their bytes.
#[test]
fn small_documents_count_for_what_they_hold_and_expensive_ones_for_their_bytes() {
    let author = testing::identity(1);
    let mut recent = Recent::new(1024 * 1024);
    for nonce in 0..20_000 {
        recent.insert(&testing::document(&author, nonce, 1), 0, NOW);
    }
    assert!(recent.kept_bytes <= 1024 * 1024);
    let kept = recent.order.len();
    // Where addresses are shorter there is room for more.
    assert!(
        (1500..3500 * 8 / size_of::<usize>()).contains(&kept),
        "{kept} documents of about 120 bytes"
    );
    let counted: usize = recent.seen.values().flatten().map(|kept| kept.heap_size()).sum();
    assert_eq!(recent.kept_bytes, counted);

    // 65 kB on the wire, 5 MB when they are decoded, or half of that where addresses have 32 bits.
    let mut recent = Recent::new(1024 * 1024);
    for nonce in 0..20 {
        let expensive = testing::expensive(&author, nonce);
        let decoded = 4_000_000 / 8 * size_of::<usize>();
        assert!(expensive.heap_size() > decoded && expensive.signed().size() < 70_000);
        recent.insert(&expensive, 0, NOW);
    }
    assert!((14..=20).contains(&recent.order.len()), "{} are kept", recent.order.len());
}

/// Otherwise thousands of documents dated ahead would push out what is written now, and it would be
/// refused as too old.
#[test]
fn documents_dated_ahead_do_not_make_those_of_now_too_old() {
    let author = testing::identity(1);
    let mut recent = Recent { most_ids: 100, ..Recent::default() };
    let ahead = NOW.after(limits::CLOCK_SKEW);
    let mut taken = 0;
    for nonce in 0..1000 {
        let document = testing::document_at(&author, nonce, 1, ahead);
        if recent.has_room_for(document.created_at, NOW) {
            recent.insert(&document, 0, NOW);
            taken += 1;
        }
    }
    assert_eq!(taken, 50);
    for nonce in 1000..2000 {
        let now = at(nonce.into());
        let document = testing::document_at(&author, nonce, 1, now);
        assert!(!recent.is_too_old(document.created_at));
        assert!(recent.has_room_for(document.created_at, now));
        recent.insert(&document, 0, now);
    }
}

#[test]
fn what_was_replaced_is_offered_to_nobody_and_still_served() {
    let author = testing::identity(1);
    let [old, new] = [0, 5000].map(|millis| testing::keyed(&author, "profile", at(millis)));
    let other = testing::keyed(&author, "other", at(1));
    for order in [[&old, &new, &other], [&new, &other, &old]] {
        let mut recent = Recent::default();
        for document in order {
            recent.insert(document, 0, at(5000));
        }
        assert_eq!(current(&recent), [other.id(), new.id()]);
        assert_eq!(recent.newest(None, NOW).count(), 2);
        assert!(recent.has_seen(&old.id()) && recent.get(&old.id()).is_some());
        recent.forget(at(5000), 0);
        assert!(recent.oldest().is_none() && recent.versions.is_empty() && recent.seen.is_empty());
        assert_eq!(recent.kept_bytes, 0);
    }
}

fn deletion(author: &Identity, ids: &[DocumentId], millis: u64) -> Arc<VerifiedDocument> {
    let ids = DocumentIds::new(ids.iter().copied()).unwrap();
    testing::said(author, Content::Deleted(Deletion::Documents(ids)), None, at(millis))
}

#[test]
fn what_its_author_deletes_is_offered_to_nobody_whichever_comes_first() {
    let (author, other) = (testing::identity(1), testing::identity(2));
    let [victim, stays] = [1, 2].map(|nonce| testing::document(&author, nonce, 10));
    let version = testing::keyed(&author, "key", at(5));
    let by_ids = deletion(&author, &[victim.id(), version.id()], 10);
    let foreign = deletion(&other, &[stays.id()], 10);
    let all = [&victim, &stays, &version, &by_ids, &foreign];
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 0, 4, 1, 2]] {
        let mut recent = Recent::default();
        for document in order.map(|index| all[index]) {
            recent.insert(document, 0, at(10));
        }
        let mut expected = vec![stays.id(), by_ids.id(), foreign.id()];
        expected.sort_unstable();
        let mut current = current(&recent);
        current.sort_unstable();
        assert_eq!(current, expected);
        assert!(recent.is_replaced(&victim) && recent.is_replaced(&version));
        assert!(!recent.is_replaced(&stays));
        // An older version does not come back for the one that was deleted.
        assert!(recent.is_replaced(&testing::keyed(&author, "key", at(4))));
        recent.forget(at(10), 0);
        assert!(recent.deleted.is_empty() && recent.versions.is_empty());
        assert_eq!(recent.kept_bytes, 0);
    }
}

/// As in an archive: what is later stays, and so does another deletion.
#[test]
fn a_deletion_takes_nothing_away_that_is_later_and_no_other_deletion() {
    let author = testing::identity(1);
    let later = testing::document_at(&author, 1, 10, at(20));
    let other = deletion(&author, &[testing::document(&author, 9, 10).id()], 5);
    let by_ids = deletion(&author, &[later.id(), other.id()], 10);
    for order in [[&later, &other, &by_ids], [&by_ids, &other, &later]] {
        let mut recent = Recent::default();
        for document in order {
            recent.insert(document, 0, at(20));
        }
        assert_eq!(current(&recent), [other.id(), by_ids.id(), later.id()]);
        assert!(!recent.is_replaced(&later) && !recent.is_replaced(&other));
    }
}

#[test]
fn a_deletion_counts_for_as_long_as_one_of_them_is_kept() {
    let author = testing::identity(1);
    let victim = testing::document(&author, 1, 10);
    let mut recent = Recent::default();
    recent.insert(&deletion(&author, &[victim.id()], 10), 0, at(0));
    recent.insert(&deletion(&author, &[victim.id()], 20), 0, at(1000));
    let life = limits::LIVE_WINDOW.as_millis() as u64;
    for (millis, deleted) in [(life, true), (life + 1000, false)] {
        recent.expire(at(millis));
        assert_eq!(recent.is_replaced(&victim), deleted);
    }
}

#[test]
fn others_write_versions_as_far_as_the_owner_lets_them() {
    let [owner, writer, stranger] = [1, 2, 3].map(testing::identity);
    let open = |text: &str| Content::Open(Map::from([("text".to_owned(), text.into())]));
    let writers = PeerSet::new([writer.peer_id()]).unwrap();
    let list = Some(Key::shared("list", Writers::Peers(writers)));
    let of = || Some(Key::of("list", owner.peer_id()));
    let first = testing::said(&owner, open("a"), list, at(1));
    let second = testing::said(&writer, open("b"), of(), at(2));
    let third = testing::said(&writer, open("c"), of(), at(4));
    let foreign = testing::said(&stranger, open("d"), of(), at(3));
    let all = [&first, &second, &third, &foreign];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let mut recent = Recent::default();
        for document in order.map(|index| all[index]) {
            recent.insert(document, 0, at(10));
        }
        assert_eq!(current(&recent), [foreign.id(), third.id()]);
        // The owner takes all back, and says what it is.
        let last = testing::said(&owner, open("e"), Some("list".into()), at(5));
        recent.insert(&last, 0, at(10));
        assert_eq!(current(&recent), [last.id()]);
        let late = testing::said(&writer, open("f"), of(), at(6));
        recent.insert(&late, 0, at(10));
        assert_eq!(current(&recent), [last.id(), late.id()], "a document of its own");
    }
}

#[test]
fn two_versions_of_one_moment_are_told() {
    let (owner, writer) = (testing::identity(1), testing::identity(2));
    let anyone = Some(Key::shared("list", Writers::Anyone));
    let open = || Content::Open(Map::new());
    let first = testing::said(&owner, open(), anyone, at(1));
    let of = || Some(Key::of("list", owner.peer_id()));
    let [same, later] = [1, 2].map(|time| testing::said(&writer, open(), of(), at(time)));
    let mut recent = Recent::default();
    assert_eq!(recent.insert(&first, 0, at(10)), None);
    assert_eq!(recent.insert(&same, 0, at(10)), Some(first.id()));
    assert_eq!(current(&recent), [first.id().max(same.id())]);
    assert_eq!(recent.insert(&later, 0, at(10)), None);
}

/// The ids of a flood are remembered longer than its documents: a search once went through all of them.
#[test]
fn what_is_not_kept_any_more_is_passed_over_in_bounded_time() {
    let mut recent = Recent::default();
    let author = testing::identity(1);
    recent.insert(&testing::document_at(&author, 1, 10, NOW), 0, at(0));
    let most = 2 * limits::FIND_DOCUMENTS;
    let old = NOW.before(limits::LIVE_WINDOW + core::time::Duration::from_secs(1)).timestamp();
    let id = |number: u64| {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        DocumentId::from_bytes(id)
    };
    for number in 0..most as u64 - 1 {
        recent.pretend(Mark { created_at: old, id: id(number) });
    }
    let found = |recent: &Recent| recent.newest(None, NOW).collect::<Vec<_>>().len();
    assert_eq!(found(&recent), 1, "those that are not kept are left out");
    recent.pretend(Mark { created_at: old, id: id(u64::MAX) });
    recent.pretend(Mark { created_at: old, id: id(u64::MAX - 1) });
    assert_eq!(found(&recent), 2, "and at the end it is told that there may be more");
}
