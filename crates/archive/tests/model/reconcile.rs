//! Archives that have met have the same.

use core::time::Duration;
use std::{collections::BTreeSet, sync::LazyLock};

use proptest::prelude::*;
use taiinet_archive::{Archive, Config, MemoryStore, Unwanted};
use taiinet_document::{Content, Document, Timestamp, VerifiedDocument};

use crate::{
    exchange::{Traffic, pull, pull_by, verified},
    random::{self, Step, steps},
};

const NOW: Timestamp = Timestamp::from_millis(1_000_010);

fn open(config: &Config) -> Archive<MemoryStore> {
    Archive::open(MemoryStore::new(), config.clone()).expect("opens")
}

fn all(archive: &Archive<MemoryStore>, now: Timestamp) -> Vec<String> {
    let all = archive.export(None, usize::MAX, usize::MAX, now).expect("exports").documents;
    let name = |bytes: &Vec<u8>| {
        let document = verified(bytes);
        format!("{} {:?}", document.id(), document.document())
    };
    all.iter().map(name).collect()
}

/// Of what has a key and is gone by its id or by its time (or left the query) a trace is left that others are not given: see the README.
/// And a deletion that is over before what it deletes is none any more.
fn leaves_no_trace(document: &VerifiedDocument, others: &[&VerifiedDocument]) -> bool {
    let keyed = |id| others.iter().any(|other| other.id() == id && other.key.is_some());
    match &document.content {
        Content::Deleted(deletion) => {
            document.expires_at.is_none() && !deletion.documents().any(|id| keyed(*id))
        }
        _ => document.key.is_none() || document.expires_at.is_none(),
    }
}

proptest! {
    /// Whatever each has heard and in whatever order: once each has pulled from the other, both have what one has that
    /// has heard everything. Deletions and newer versions win, whoever comes with the older ones.
    #[test]
    fn two_archives_converge(
        steps in steps(random::document_step(), 40),
        heard in prop::collection::vec(1..4_u8, 40),
        backdate in prop_oneof![Just(None), Just(Some(25_u64))],
        later in 0..12_u64,
        rows in 1..40_usize,
    ) {
        let documents: Vec<&VerifiedDocument> = steps.iter().filter_map(Step::document).collect();
        let config = crate::config("{}", &["likes"], backdate);
        let [mut one, mut other, mut both] = [(); 3].map(|()| open(&config));
        for (document, heard) in documents.iter().zip(&heard) {
            if leaves_no_trace(document, &documents) {
                let hears = [heard & 1 > 0, heard & 2 > 0, true];
                for (archive, _) in [&mut one, &mut other, &mut both].into_iter().zip(hears).filter(|(_, hears)| *hears) {
                    archive.admit(document, NOW).expect("admits");
                }
            }
        }
        let now = Timestamp::from_millis(NOW.as_millis() + later);
        for archive in [&mut one, &mut other, &mut both] {
            while archive.expire(now, 100).expect("expires") > 0 {}
        }
        let mut unwanted = [Unwanted::default(), Unwanted::default()];
        pull(&mut other, &one, &mut unwanted[0], rows, now);
        pull(&mut one, &other, &mut unwanted[1], rows, now);
        prop_assert_eq!(all(&one, now), all(&both, now));
        prop_assert_eq!(all(&other, now), all(&both, now));
        // There is nothing left to tell.
        for unwanted in &mut unwanted {
            let (_, traffic) = pull(&mut other, &one, unwanted, rows, now);
            prop_assert_eq!((traffic.rounds, traffic.documents), (1, 0));
        }
        prop_assert!(one.check().expect("checks").is_clean());
    }
}

const MANY: usize = 3000;

static DOCUMENTS: LazyLock<Vec<VerifiedDocument>> = LazyLock::new(|| {
    let author = random::author(1);
    let sign = |number: usize| {
        let document = Document {
            network: random::network(),
            // Some of one moment, and times of all densities.
            created_at: Timestamp::from_millis((number * number / 40) as u64),
            nonce: number as u32,
            expires_at: None,
            key: None,
            next_key: None,
            content: Content::Open(taiinet_document::Map::new()),
        };
        VerifiedDocument::sign(&author, document).expect("signs")
    };
    (0..MANY).map(sign).collect()
});

/// Of which documents one lacks: each by chance, or parts of the order.
fn lacking() -> impl Strategy<Value = BTreeSet<usize>> {
    let some = prop::collection::btree_set(0..MANY, 0..60);
    let part = (0..MANY, 0..MANY).prop_map(|(a, b)| (a.min(b)..a.max(b)).collect());
    let parts = prop::collection::vec((0..MANY, 1..90_usize), 0..6).prop_map(|parts| {
        parts.into_iter().flat_map(|(from, count)| from..(from + count).min(MANY)).collect()
    });
    prop_oneof![3 => some, 2 => part, 3 => parts, 1 => Just((0..MANY).collect())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    /// However two large sets differ, what differs is found, in few rounds and at a price of the difference.
    #[test]
    fn the_difference_is_found_and_paid_for(
        lacks in lacking(),
        has_not in lacking(),
        rows in prop_oneof![Just(7_usize), Just(500), Just(100_000)],
    ) {
        let now = Timestamp::from_millis(10_000_000);
        let config = crate::config("{}", &[], None);
        let [mut one, mut other] = [&lacks, &has_not].map(|lacks| {
            let mut archive = open(&config);
            for (number, document) in DOCUMENTS.iter().enumerate() {
                if !lacks.contains(&number) {
                    archive.admit(document, now).expect("admits");
                }
            }
            archive
        });
        let missing = lacks.difference(&has_not).count();
        let surplus = has_not.difference(&lacks).count();
        let (pulled, Traffic { bytes, rounds, documents, largest }) =
            pull(&mut one, &other, &mut Unwanted::default(), rows, now);
        prop_assert_eq!((pulled.stored as usize, documents), (missing, missing));
        let differing = missing + surplus;
        prop_assert!(bytes <= 3000 + 2600 * differing, "{} bytes for {}", bytes, differing);
        prop_assert!(rounds <= 6 + differing / 30, "{} rounds for {}", rounds, differing);
        prop_assert!(largest <= 52 * 1024, "{}", largest);
        let (pulled, traffic) = pull(&mut other, &one, &mut Unwanted::default(), rows, now);
        prop_assert_eq!((pulled.stored as usize, traffic.documents), (surplus, surplus));
        prop_assert_eq!(all(&one, now), all(&other, now));
    }
}

/// What one archive does not want of another it gets once.
#[test]
fn what_is_not_wanted_is_not_asked_for_again() {
    let now = Timestamp::from_millis(10_000_000);
    let mut of_all = open(&crate::config("{}", &[], None));
    let mut of_few = open(&crate::config(r#"{"likes": 3}"#, &[], None));
    for document in DOCUMENTS.iter().take(500) {
        of_all.admit(document, now).expect("admits");
    }
    let mut unwanted = Unwanted::default();
    let (pulled, first) = pull(&mut of_few, &of_all, &mut unwanted, 1000, now);
    assert_eq!((pulled.stored, first.documents), (0, 500));
    let (_, again) = pull(&mut of_few, &of_all, &mut unwanted, 1000, now);
    assert_eq!((again.rounds, again.documents), (1, 0), "it is as if it had them");
    assert!(again.bytes < 2000);
    // What is gone there is not counted any more.
    let mut of_all = open(&crate::config("{}", &[], None));
    for document in DOCUMENTS.iter().take(490) {
        of_all.admit(document, now).expect("admits");
    }
    pull(&mut of_few, &of_all, &mut unwanted, 1000, now);
    let (_, again) = pull(&mut of_few, &of_all, &mut unwanted, 1000, now);
    assert_eq!((again.rounds, again.documents), (1, 0));
}

/// What has no room in one answer comes with the next, in the same session.
#[test]
fn documents_that_have_no_room_at_once_come_one_after_another() {
    let now = Timestamp::from_millis(10_000_000);
    let config = crate::config("{}", &[], None);
    let [mut whole, mut nothing] = [(); 2].map(|()| open(&config));
    for document in DOCUMENTS.iter().take(300) {
        whole.admit(document, now).expect("admits");
    }
    let size = DOCUMENTS.first().map_or(0, |document| document.signed().size());
    let bytes = size * 10;
    let (pulled, traffic) =
        pull_by(&mut nothing, &whole, &mut Unwanted::default(), (1000, bytes), now);
    assert_eq!((pulled.stored, traffic.documents), (300, 300));
    assert!(traffic.rounds < 50, "{traffic:?}");
}

/// What is too old to be taken is not even compared.
#[test]
fn nothing_is_asked_about_from_before_what_is_taken() {
    let now = Timestamp::from_millis(10_000_000);
    let mut whole = open(&crate::config("{}", &[], None));
    let mut config = crate::config("{}", &[], None);
    config.keep = Some(Duration::from_millis(10_000_000 - 100_000));
    let mut short = open(&config);
    for document in DOCUMENTS.iter() {
        whole.admit(document, now).expect("admits");
    }
    let young =
        DOCUMENTS.iter().filter(|document| document.created_at.as_millis() >= 100_000).count();
    let (pulled, traffic) = pull(&mut short, &whole, &mut Unwanted::default(), 1000, now);
    assert_eq!((pulled.stored as usize, traffic.documents), (young, young));
}
