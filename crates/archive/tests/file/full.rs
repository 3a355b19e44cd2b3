//! A disk that is full.

use std::{path::Path, process::Command};

use taiinet_archive::{Archive, ArchiveError, RedbStore, StoreError};

use super::{
    config,
    documents::{Documents, NOW},
    everything, write,
};

/// A small disk, if this process may mount one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(mebibytes: u32) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(directory.path())
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(directory))
    }

    fn grow(&self, mebibytes: u32) {
        let size = format!("remount,size={mebibytes}m");
        let grown = Command::new("mount").args(["-o", &size]).arg(self.0.path()).status();
        assert!(grown.is_ok_and(|status| status.success()));
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let Some(disk) = Disk::mount(6) else {
        return println!("skipped: no disk may be mounted here");
    };
    let store = RedbStore::open(disk.path()).expect("opens");
    let mut archive = Archive::open(store, config()).expect("opens");
    let mut documents = Documents::default();
    let full = ArchiveError::Store(StoreError::Full);
    let mut durable = 0;
    let failed = loop {
        for _ in 0..super::COMMIT {
            archive.admit(&documents.next(), NOW).expect("admits");
        }
        match archive.commit() {
            Ok(()) => durable += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(failed, full);
    assert!(durable > 10, "{durable} commits were durable");
    assert_eq!(archive.admit(&documents.next(), NOW), Err(full.clone()));
    assert_eq!(archive.commit(), Err(full));
    let waiting = everything(&archive);
    // There is room, and it goes on.
    disk.grow(64);
    archive.commit().expect("commits");
    assert!(everything(&archive) == waiting);
    write(&mut archive, &mut documents);
    assert!(archive.check().expect("checks").is_clean());
    let reference = everything(&archive);
    drop(archive);
    let store = RedbStore::open(disk.path()).expect("opens");
    let archive = Archive::open(store, config()).expect("opens");
    assert!(everything(&archive) == reference);
}

/// It is full, and the process ends: what was durable is there.
#[test]
fn a_full_disk_and_an_end() {
    let Some(disk) = Disk::mount(6) else {
        return println!("skipped: no disk may be mounted here");
    };
    let mut documents = Documents::default();
    let mut reference =
        Archive::open(taiinet_archive::MemoryStore::new(), config()).expect("opens");
    let store = RedbStore::open(disk.path()).expect("opens");
    let mut archive = Archive::open(store, config()).expect("opens");
    let mut last = Vec::new();
    loop {
        last.clear();
        last.extend((0..super::COMMIT).map(|_| documents.next()));
        for document in &last {
            archive.admit(document, NOW).expect("admits");
        }
        if archive.commit().is_err() {
            break;
        }
        for document in &last {
            reference.admit(document, NOW).expect("admits");
        }
    }
    drop(archive);
    disk.grow(64);
    let store = RedbStore::open(disk.path()).expect("opens");
    let mut archive = Archive::open(store, config()).expect("opens");
    assert!(archive.check().expect("checks").is_clean());
    let found = everything(&archive);
    if found != everything(&reference) {
        // Its documents were durable, and only merging the indexes had no room.
        for document in &last {
            reference.admit(document, NOW).expect("admits");
        }
        assert!(found == everything(&reference));
    }
}
