//! Opening with another configuration, and what is damaged.

use taiinet_archive::{ArchiveError, Changes, RowChanges, Table};

use super::*;

#[test]
fn another_network_is_told() {
    let mut archive = archive(config());
    store(&mut archive, &plain(1, 1));
    archive.commit().expect("commits");
    let other = Config::new("other".parse().expect("a name"), vec![]);
    let error = Archive::open(archive.into_store(), other).err();
    assert_eq!(error, Some(ArchiveError::Network("test".to_owned())));
}

#[test]
fn other_indexes_are_made_at_the_next_opening() {
    let mut archive = archive(config());
    for number in 0..50 {
        let fields = format!(r#"{{"likes": {}}}"#, number % 5);
        store(&mut archive, &sign(1, draft(number, &fields)));
    }
    store(&mut archive, &deletion(1, 100, &[&plain(1, 200)]));
    archive.commit().expect("commits");
    let mut config = config();
    config.indexed = vec!["likes".parse().expect("a path")];
    let mut archive = Archive::open(archive.into_store(), config).expect("opens");
    assert!(archive.check().expect("checks").is_clean());
    let page = archive.find(&ask(r#"{"likes": 3}"#, "likes:asc"), u64::MAX, at(1_000));
    assert_eq!(page.expect("finds").documents.len(), 10);
}

/// What `check` tells, `repair` mends.
#[test]
fn what_is_damaged_is_found_and_mended() {
    let mut archive = archive(config());
    let documents: Vec<_> = (0..20).map(|number| keyed(1, number, format!("{number}"))).collect();
    documents.iter().for_each(|document| store(&mut archive, document));
    archive.commit().expect("commits");
    // Reopened, so that all indexes are in their tables.
    let config = Config { gathered_rows: 0, ..config() };
    let mut archive = Archive::open(archive.into_store(), config.clone()).expect("opens");
    store(&mut archive, &plain(1, 100));
    archive.commit().expect("commits");
    let whole = archive.into_store();
    let everything = |table| {
        let chunk = taiinet_archive::Chunk { rows: 1_000, bytes: 1 << 20 };
        let forward = taiinet_archive::Direction::Forward;
        whole.range(table, &taiinet_archive::Span::all(), forward, chunk).expect("reads").rows
    };
    for table in Table::ALL {
        for (at, (key, value)) in everything(table).into_iter().enumerate() {
            if table == Table::Meta {
                continue;
            }
            let flipped = value.split_last().map(|(last, rest)| [rest, &[last ^ 1]].concat());
            for damage in [None, flipped] {
                if value.is_empty() && damage.is_some() {
                    continue;
                }
                let mut store = whole.clone();
                let rows = RowChanges::from([(key.clone(), damage)]);
                let changes = Changes { clear: [].into(), rows: [(table, rows)].into() };
                store.commit(&changes).expect("commits");
                let mut archive = Archive::open(store, config.clone()).expect("opens");
                let report = archive.check().expect("checks");
                assert!(!report.is_clean(), "{table:?} {at}");
                assert!(report.faults.iter().all(|fault| !fault.is_empty()));
                let (mut archive, _) =
                    Archive::repair(archive.into_store(), config.clone()).expect("repairs");
                assert!(archive.check().expect("checks").is_clean(), "{table:?} {at}");
                let found = all(&archive, at_end());
                let least = if table == Table::Document { 20 } else { 21 };
                assert!(found.len() >= least, "{} of 21 after {table:?} {at}", found.len());
            }
        }
    }
}

fn at_end() -> Timestamp {
    at(1_000)
}
