//! A store that has no room any more.

use std::{cell::Cell, rc::Rc};

use taiinet_archive::{ArchiveError, Changes, Chunk, Direction, Rows, Span, StoreError, Table};

use super::*;

/// Has room for so many bytes.
struct Small {
    inner: MemoryStore,
    room: Rc<Cell<u64>>,
}

impl Store for Small {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(table, key)
    }

    fn range(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        chunk: Chunk,
    ) -> Result<Rows, StoreError> {
        self.inner.range(table, span, direction, chunk)
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let mut next = self.inner.clone();
        next.commit(changes)?;
        if next.size()? > self.room.get() {
            return Err(StoreError::Full);
        }
        self.inner = next;
        Ok(())
    }

    fn compact(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn size(&self) -> Result<u64, StoreError> {
        self.inner.size()
    }

    fn verify(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn a_full_disk_stops_nothing_but_writing() {
    // It fills up at each byte of a commit, and of a merge.
    for room in (3_000..20_000).step_by(331) {
        let room = Rc::new(Cell::new(room));
        let small = Small { inner: MemoryStore::new(), room: room.clone() };
        let config = Config { gathered_rows: 20, ..config() };
        let mut archive = Archive::open(small, config.clone()).expect("opens");
        let mut durable = Vec::new();
        let mut number = 0;
        let failed = loop {
            let document = plain(1, number);
            number += 1;
            store(&mut archive, &document);
            match archive.commit() {
                Ok(()) => durable.push(wire(&document)),
                Err(error) => break (document, error),
            }
        };
        let full = ArchiveError::Store(StoreError::Full);
        assert_eq!(failed.1, full);
        assert_eq!(archive.admit(&plain(1, 9_000), at(10_000)), Err(full.clone()));
        assert_eq!(archive.commit(), Err(full));
        // It can be read, with what waits.
        let found = all(&archive, at(10_000));
        assert_eq!(found[..durable.len()], durable);
        assert_eq!(found.len(), durable.len() + 1);
        // If the process ends now, what was durable is there; what was not may be.
        let copy = Small { inner: archive_store(&archive), room: Rc::new(Cell::new(u64::MAX)) };
        let mut copy = Archive::open(copy, config.clone()).expect("opens");
        assert_eq!(all(&copy, at(10_000))[..durable.len()], durable);
        assert!(copy.check().expect("checks").is_clean());
        // There is room, and all of it goes on.
        room.set(u64::MAX);
        archive.commit().expect("commits");
        store(&mut archive, &plain(1, 9_000));
        archive.commit().expect("commits");
        assert!(archive.check().expect("checks").is_clean());
        let mut archive = Archive::open(archive.into_store(), config).expect("opens");
        assert_eq!(all(&archive, at(10_000)).len(), durable.len() + 2);
        assert!(archive.check().expect("checks").is_clean());
    }
}

fn archive_store(archive: &Archive<Small>) -> MemoryStore {
    archive.store().inner.clone()
}

#[test]
fn what_waits_for_a_commit_is_bounded() {
    let mut archive = archive(config());
    let long = format!(r#"{{"text": "{}"}}"#, "a".repeat(250_000));
    let refused =
        (0..400).find_map(|number| archive.admit(&sign(1, draft(number, &long)), at(1_000)).err());
    assert_eq!(refused, Some(ArchiveError::CommitFirst));
    archive.commit().expect("commits");
    store(&mut archive, &plain(1, 999));
}
