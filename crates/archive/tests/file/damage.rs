//! Files that something else has written to.

use std::{fs, path::Path};

use taiinet_archive::{Archive, ArchiveError, RedbStore, StoreError};

use super::{
    config,
    documents::{Documents, NOW, mix},
    everything, write,
};

const COMMITS: usize = 40;

/// An archive of some documents, closed.
fn filled(directory: &Path) -> Vec<Vec<u8>> {
    let store = RedbStore::open(directory).expect("opens");
    let mut archive = Archive::open(store, config()).expect("opens");
    let mut documents = Documents::default();
    (0..COMMITS).for_each(|_| write(&mut archive, &mut documents));
    everything(&archive)
}

/// Pages are overwritten here and there: that is found, and every document that is still whole is kept.
#[test]
fn what_is_whole_in_a_damaged_file_is_kept() {
    let original = tempfile::tempdir().expect("a directory");
    let all = filled(original.path());
    let bytes = fs::read(original.path().join(RedbStore::FILE)).expect("reads");
    let mut found_out = 0;
    for round in 0..6_u64 {
        let directory = tempfile::tempdir().expect("a directory");
        let mut damaged = bytes.clone();
        // Not the first page, without which it is no database.
        for hit in 0..3 {
            let page = 1 + mix(round * 10 + hit) as usize % (damaged.len() / 4096 - 1);
            for at in 0..64 {
                damaged[page * 4096 + (at * 61) % 4096] ^= 0x55;
            }
        }
        let path = directory.path().join(RedbStore::FILE);
        fs::write(&path, &damaged).expect("writes");
        let checked = RedbStore::open(directory.path())
            .map_err(ArchiveError::Store)
            .and_then(|store| Archive::open(store, config()))
            .and_then(|mut archive| archive.check());
        match checked {
            Ok(report) if report.is_clean() => {}
            Ok(_) | Err(ArchiveError::Store(StoreError::Damaged(_) | StoreError::Io(_))) => {
                found_out += 1;
            }
            Err(error) => panic!("{error}"),
        }
        let (mut archive, repaired) =
            Archive::salvage(directory.path(), config(), NOW).expect("salvages");
        assert!(archive.check().expect("checks").is_clean(), "round {round}");
        let kept = everything(&archive);
        // Three pages of fifteen documents, or what has become of them.
        let lost = all.iter().filter(|document| !kept.contains(document)).count();
        assert!(lost <= 3 * 30, "{lost} of {} are lost: {repaired:?}", all.len());
        // And it can be gone on with.
        let mut more = Documents::default();
        more.skip(COMMITS * super::COMMIT);
        write(&mut archive, &mut more);
    }
    assert!(found_out >= 3, "damage was found {found_out} times of 6");
}

/// Without its beginning it is no database any more; the documents are in it.
#[test]
fn documents_are_found_in_what_is_no_database() {
    let directory = tempfile::tempdir().expect("a directory");
    let all = filled(directory.path());
    let path = directory.path().join(RedbStore::FILE);
    let mut bytes = fs::read(&path).expect("reads");
    bytes[..4096].fill(0xee);
    fs::write(&path, &bytes).expect("writes");
    let error = RedbStore::open(directory.path()).err();
    assert!(matches!(error, Some(StoreError::Damaged(_))), "{error:?}");
    let (archive, repaired) = Archive::salvage(directory.path(), config(), NOW).expect("salvages");
    assert!(repaired.was_searched);
    let kept = everything(&archive);
    let lost = all.iter().filter(|document| !kept.contains(document)).count();
    assert_eq!(lost, 0, "of {}", all.len());
    assert!(directory.path().join("documents.damaged").exists());
}

/// What is whole is not searched.
#[test]
fn a_sound_file_is_repaired_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let all = filled(directory.path());
    let (archive, repaired) = Archive::salvage(directory.path(), config(), NOW).expect("salvages");
    assert!(!repaired.was_searched);
    assert_eq!(repaired.lost, 0);
    assert_eq!(everything(&archive), all);
}
