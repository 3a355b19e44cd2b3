//! What leaves for want of room.

use taiinet_archive::Refusal;

use super::*;

/// What one of these documents takes.
fn footprint() -> u64 {
    let mut archive = archive(config());
    store(&mut archive, &plain(1, 1));
    archive.stats().expect("says").footprint
}

#[test]
fn the_oldest_leave_and_do_not_come_back() {
    let room = footprint() * 50;
    let mut archive = archive(Config { quota: Some(room), ..config() });
    let documents: Vec<_> = (0..200).map(|number| plain((number % 7) as u8, number)).collect();
    for document in &documents {
        store(&mut archive, document);
        assert!(archive.stats().expect("says").footprint <= room);
    }
    let kept = all(&archive, at(1_000));
    assert!(kept.len() >= 45, "{} are kept", kept.len());
    let newest: Vec<_> = documents[200 - kept.len()..].iter().map(wire).collect();
    assert_eq!(kept, newest);
    let floor = archive.floor();
    assert_eq!(floor, at(200 - kept.len() as u64));
    assert_eq!(archive.keeps_since(at(1_000)), floor);
    for document in &documents[..200 - kept.len()] {
        let admission = archive.admit(document, at(1_000)).expect("admits");
        assert_eq!(admission, Admission::Refused(Refusal::TooOld { oldest: floor }));
    }
    // The floor outlasts the process.
    archive.commit().expect("commits");
    let config = archive.config().clone();
    let mut archive = Archive::open(archive.into_store(), config).expect("opens");
    assert_eq!(archive.floor(), floor);
    assert!(archive.check().expect("checks").is_clean());
}

#[test]
fn who_has_more_than_its_share_loses_first() {
    let (one, share) = (footprint(), footprint() * 10);
    let mut archive = archive(Config { quota: Some(one * 60), share: Some(share), ..config() });
    // Others are older, and stay.
    let modest: Vec<_> = (0..8).map(|number| plain(number + 1, u64::from(number))).collect();
    modest.iter().for_each(|document| store(&mut archive, document));
    for number in 0..200 {
        archive.admit(&plain(100, 100 + number), at(1_000)).expect("admits");
        archive.admit(&plain(101, 100 + number / 2), at(1_000)).expect("admits");
    }
    let kept = all(&archive, at(1_000));
    assert!(modest.iter().all(|document| kept.contains(&wire(document))));
    assert_eq!(archive.floor(), Timestamp::from_millis(0));
    let greedy = archive.floor_of(&author(100).peer_id()).expect("reads");
    assert!(greedy > at(200), "{greedy:?}");
    let old = archive.admit(&plain(100, 100), at(1_000)).expect("admits");
    assert_eq!(old, Admission::Refused(Refusal::TooOld { oldest: greedy }));
    store(&mut archive, &plain(50, 100));
    assert!(archive.check().expect("checks").is_clean());
    archive.commit().expect("commits");
    // Indexes are made again, and floors remain.
    let config =
        Config { indexed: vec!["text".parse().expect("a path")], ..archive.config().clone() };
    let mut archive = Archive::open(archive.into_store(), config).expect("opens");
    assert_eq!(archive.floor_of(&author(100).peer_id()), Ok(greedy));
    assert!(archive.check().expect("checks").is_clean());
}

#[test]
fn what_is_older_than_all_others_has_no_room() {
    let mut archive = archive(Config { quota: Some(footprint() * 10), ..config() });
    for number in 0..10 {
        store(&mut archive, &plain(1, 100 + number));
    }
    let admission = archive.admit(&plain(2, 1), at(1_000)).expect("admits");
    assert_eq!(admission, Admission::Refused(Refusal::Quota));
    // A little more leaves than has to, so that not each one that comes makes another leave.
    assert!(all(&archive, at(1_000)).len() >= 9);
}

#[test]
fn deletions_count_in_their_authors_share() {
    let mut archive = archive(Config { quota: Some(200_000), share: Some(50_000), ..config() });
    let other = plain(2, 0);
    store(&mut archive, &other);
    for number in 0..2_000 {
        let victim = plain(1, number);
        archive.admit(&deletion(1, number + 1, &[&victim]), at(10_000)).expect("admits");
    }
    let stats = archive.stats().expect("says");
    assert!(stats.footprint <= 200_000, "{stats:?}");
    assert_eq!(all(&archive, at(10_000)), [wire(&other)]);
}
