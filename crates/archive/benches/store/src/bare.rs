//! What it cannot be faster than.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use redb::{Database, TableDefinition};

use crate::{
    documents::{self, COMMIT, Maker},
    measure::{memory, on_disk, say, written},
};

const DOCUMENTS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("documents");

/// Checks each signature.
pub fn verify(count: usize) {
    let (mut maker, mut time) = (Maker::new(), Duration::ZERO);
    let count = count.min(50_000);
    for _ in 0..count / COMMIT {
        let made: Vec<_> =
            maker.commit(COMMIT).into_iter().map(|made| made.document.signed().clone()).collect();
        let start = Instant::now();
        for signed in made {
            let key = signed.author().public_key().expect("a key");
            signed.verify(&key).expect("valid");
        }
        time += start.elapsed();
    }
    say("rate", count as f64 / time.as_secs_f64());
}

/// The same bytes in the order of time, and nothing else.
pub fn redb(count: usize, directory: &Path) {
    let path = directory.join("bare.redb");
    let database = Database::builder().set_cache_size(64 << 20).create(&path).expect("creates");
    let (mut maker, mut time, mut slowest) = (Maker::new(), Duration::ZERO, Duration::ZERO);
    for _ in 0..count / COMMIT {
        let made: Vec<_> = maker
            .commit(COMMIT)
            .into_iter()
            .map(|made| {
                let document = &made.document;
                let mut key = document.created_at.as_millis().to_be_bytes()[2..].to_vec();
                key.extend_from_slice(&document.id().as_bytes()[..16]);
                (key, documents::wire(document))
            })
            .collect();
        let start = Instant::now();
        let mut write = database.begin_write().expect("writes");
        write.set_quick_repair(true);
        let mut table = write.open_table(DOCUMENTS).expect("opens");
        for (key, value) in &made {
            table.insert(key.as_slice(), value.as_slice()).expect("inserts");
        }
        drop(table);
        write.commit().expect("commits");
        time += start.elapsed();
        slowest = slowest.max(start.elapsed());
    }
    say("rate", count as f64 / time.as_secs_f64());
    say("slowest", slowest.as_secs_f64() * 1e3);
    say("written", written() / count as f64);
    say("memory", memory("VmHWM"));
    drop(database);
    let mut database = Database::open(&path).expect("opens");
    say("disk", on_disk(&path) / count as f64);
    while database.compact().expect("compacts") {}
    drop(database);
    say("compact", on_disk(&path) / count as f64);
}
