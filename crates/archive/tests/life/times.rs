//! Replacement, deletion and expiry.

use core::time::Duration;

use taiinet_archive::Refusal;
use taiinet_document::Writers;

use super::*;

#[test]
fn a_deletion_waits_for_what_it_deletes() {
    let mut archive = archive(config());
    let (kept, gone) = (plain(1, 1), plain(1, 2));
    let deletion = deletion(1, 5, &[&gone]);
    store(&mut archive, &deletion);
    store(&mut archive, &kept);
    let admission = archive.admit(&gone, at(1_000)).expect("admits");
    assert_eq!(admission, Admission::Superseded { by: deletion.id() });
    assert_eq!(all(&archive, at(1_000)), [wire(&kept)]);
    assert_eq!(archive.get(&gone.id(), at(1_000)), Ok(None));
    // Whoever offers it is shown why.
    assert_eq!(archive.get(&deletion.id(), at(1_000)), Ok(Some(wire(&deletion))));
}

#[test]
fn nobody_deletes_what_is_anothers() {
    let mut archive = archive(config());
    let document = plain(1, 1);
    store(&mut archive, &deletion(2, 5, &[&document]));
    store(&mut archive, &document);
    store(&mut archive, &deletion(3, 6, &[&document]));
    assert_eq!(all(&archive, at(1_000)), [wire(&document)]);
}

#[test]
fn a_version_that_has_expired_goes_on_hiding_the_older() {
    let mut archive = archive(config());
    let old = keyed(1, 1, "profile");
    let new = Document { expires_at: Some(at(50)), ..keyed(1, 2, "profile").document().clone() };
    let new = sign(1, new);
    for document in [&old, &new] {
        archive.admit(document, at(10)).expect("admits");
    }
    assert_eq!(all(&archive, at(10)), [wire(&new)]);
    // Whether it was taken out yet or not.
    assert_eq!(all(&archive, at(50)), [] as [Vec<u8>; 0]);
    assert_eq!(archive.expire(at(50), 10), Ok(1));
    assert_eq!(archive.stats().expect("says").traces, 1);
    assert!(archive.waits());
    archive.commit().expect("commits");
    assert!(!archive.waits());
    let again = archive.admit(&old, at(60)).expect("admits");
    assert_eq!(again, Admission::Superseded { by: new.id() });
    assert_eq!(archive.head(&author(1).peer_id(), "profile", at(60)), Ok(None));
    let newer = keyed(1, 3, "profile");
    store(&mut archive, &newer);
    assert_eq!(all(&archive, at(60)), [wire(&newer)]);
    assert_eq!(archive.stats().expect("says").traces, 0);
}

#[test]
fn deletions_leave_exactly_when_nothing_can_come() {
    let config = Config { max_backdate: Some(Duration::from_millis(100)), ..config() };
    let mut archive = archive(config);
    let victim = plain(1, 10);
    let deletion = deletion(1, 20, &[&victim]);
    archive.admit(&deletion, at(20)).expect("admits");
    // At its last moment it is still needed, since what is as old may still come.
    assert_eq!(archive.expire(at(120), 10), Ok(0));
    let late = plain(1, 20);
    assert_eq!(archive.admit(&late, at(120)), Ok(Admission::Stored));
    assert_eq!(archive.expire(at(121), 10), Ok(1));
    assert_eq!(archive.stats().expect("says").deletions, 0);
    let admission = archive.admit(&victim, at(121)).expect("admits");
    assert_eq!(admission, Admission::Refused(Refusal::TooOld { oldest: at(21) }));
}

#[test]
fn importers_bring_what_is_older() {
    let config = Config {
        max_backdate: Some(Duration::from_millis(100)),
        importers: [author(2).peer_id()].into(),
        ..config()
    };
    let mut archive = archive(config);
    let refused = archive.admit(&plain(1, 1), at(1_000)).expect("admits");
    assert!(matches!(refused, Admission::Refused(Refusal::TooOld { .. })));
    store(&mut archive, &plain(2, 1));
    // So a deletion of theirs stays.
    store(&mut archive, &deletion(2, 2, &[&plain(2, 0)]));
    assert_eq!(archive.expire(at(10_000_000), 10), Ok(0));
}

#[test]
fn what_is_kept_for_a_time_leaves_after_it() {
    let config = Config { keep: Some(Duration::from_millis(100)), ..config() };
    let mut archive = archive(config);
    for document in [plain(1, 1), keyed(1, 2, "a"), plain(1, 90)] {
        archive.admit(&document, at(90)).expect("admits");
    }
    assert_eq!(archive.expire(at(101), 10), Ok(0));
    assert_eq!(archive.expire(at(103), 10), Ok(2));
    assert_eq!(archive.expire(at(103), 10), Ok(0));
    let stats = archive.stats().expect("says");
    assert_eq!((stats.documents, stats.traces), (1, 0));
    assert!(archive.check().expect("checks").is_clean());
}

#[test]
fn versions_of_writers_count_as_their_owner_lets_them() {
    let mut archive = archive(config());
    let owner = author(1).peer_id();
    let first = keyed(1, 1, Key::shared("board", Writers::Anyone));
    let theirs = keyed(2, 2, Key::of("board", owner));
    store(&mut archive, &theirs);
    // Nobody has said yet who writes.
    assert_eq!(archive.head(&owner, "board", at(1_000)), Ok(None));
    assert_eq!(all(&archive, at(1_000)), [wire(&theirs)]);
    let admission = archive.admit(&first, at(1_000)).expect("admits");
    assert_eq!(admission, Admission::Superseded { by: theirs.id() });
    assert_eq!(archive.head(&owner, "board", at(1_000)), Ok(Some(wire(&theirs))));
    assert_eq!(all(&archive, at(1_000)), [wire(&theirs)]);
    // The right is taken back, and what was written since is a document of its own.
    let later = keyed(2, 9, Key::of("board", owner));
    let back = keyed(1, 5, Key::new("board"));
    store(&mut archive, &later);
    store(&mut archive, &back);
    assert_eq!(archive.head(&owner, "board", at(1_000)), Ok(Some(wire(&back))));
    assert_eq!(all(&archive, at(1_000)), [wire(&back), wire(&later)]);
}

#[test]
fn what_is_not_wanted_is_not_kept_but_replaces() {
    let query = r#"{"text": {"$exists": true}}"#.parse().expect("a query");
    let mut archive = archive(Config { queries: vec![query], ..config() });
    let old = keyed(1, 1, "a");
    store(&mut archive, &old);
    let other = Document { key: Some("a".into()), ..draft(2, r#"{"image": true}"#) };
    let other = archive.admit(&sign(1, other), at(1_000)).expect("admits");
    assert_eq!(other, Admission::Refused(Refusal::Unwanted));
    assert_eq!(all(&archive, at(1_000)), [] as [Vec<u8>; 0]);
    let again = archive.admit(&old, at(1_000)).expect("admits");
    assert!(matches!(again, Admission::Superseded { .. }));
}

#[test]
fn others_are_refused() {
    let mut archive = archive(config());
    let refusal =
        |archive: &mut Archive<MemoryStore>, document: &VerifiedDocument, now| match archive
            .admit(document, now)
        {
            Ok(Admission::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
    let elsewhere = Document { network: "other".parse().expect("a name"), ..draft(1, "{}") };
    assert_eq!(refusal(&mut archive, &sign(1, elsewhere), at(1)), Refusal::Network);
    let future = plain(1, 1_000_000);
    assert_eq!(refusal(&mut archive, &future, at(1_000_000 - 120_001)), Refusal::Future);
    assert_eq!(archive.admit(&future, at(1_000_000 - 120_000)), Ok(Admission::Stored));
    let expired = Document { expires_at: Some(at(2)), ..draft(1, "{}") };
    assert_eq!(refusal(&mut archive, &sign(1, expired), at(2)), Refusal::Expired);
    assert_eq!(archive.admit(&future, at(1_000_000)), Ok(Admission::Known));
}

/// Minutes of work: with `cargo xtask test --long`.
#[test]
fn a_million_deletions_are_bounded() {
    if std::env::var_os("TAIINET_LONG").is_none() {
        return;
    }
    let config = Config {
        max_backdate: Some(Duration::from_secs(1_000)),
        quota: Some(64 * 1024 * 1024),
        ..config()
    };
    let mut archive = archive(config);
    let mut now = 0;
    let mut most = 0;
    for number in 0..1_000_000_u64 {
        now = number * 10;
        let victim = taiinet_document::DocumentId::from_bytes(core::array::from_fn(|at| {
            (number >> (at % 8 * 8)) as u8
        }));
        let ids = DocumentIds::new([victim]).expect("one");
        let content = Content::Deleted(Deletion::Documents(ids));
        let document = sign(1, Document { content, ..draft(now, "{}") });
        archive.admit(&document, at(now)).expect("admits");
        if number % 1_000 == 0 {
            while archive.expire(at(now), 10_000).expect("expires") == 10_000 {}
            archive.commit().expect("commits");
            most = most.max(archive.stats().expect("says").deletions);
        }
    }
    assert!(most <= 101_001, "as many as the time in which victims may come has: {most}");
    archive.expire(at(now + 2_000_000), usize::MAX).expect("expires");
    assert_eq!(archive.stats().expect("says").deletions, 0);
    assert_eq!(archive.stats().expect("says").footprint, 0);
}
