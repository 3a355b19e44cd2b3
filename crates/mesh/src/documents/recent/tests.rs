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
        assert_eq!(recent.newest(NOW.timestamp(), NOW).count(), 2);
        assert!(recent.has_seen(&old.id()) && recent.get(&old.id()).is_some());
        recent.forget(at(5000), 0);
        assert!(recent.oldest().is_none() && recent.by_key.is_empty() && recent.seen.is_empty());
        assert_eq!(recent.kept_bytes, 0);
    }
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
    let found =
        |recent: &Recent| recent.newest(Timestamp::default(), NOW).collect::<Vec<_>>().len();
    assert_eq!(found(&recent), 1, "those that are not kept are left out");
    recent.pretend(Mark { created_at: old, id: id(u64::MAX) });
    recent.pretend(Mark { created_at: old, id: id(u64::MAX - 1) });
    assert_eq!(found(&recent), 2, "and at the end it is told that there may be more");
}
