//! SQLite with the same indexes.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};

use crate::{
    documents::{self, COMMIT, Maker, RARE, mix},
    measure::{memory, micros, on_disk, say, written},
};

pub fn import(count: usize, directory: &Path) {
    let path = directory.join("documents.sqlite");
    let mut connection = Connection::open(&path).expect("opens");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
             CREATE TABLE document (time INTEGER, id BLOB, author BLOB, likes INTEGER, type TEXT, bytes BLOB,
                 PRIMARY KEY (time, id)) WITHOUT ROWID;
             CREATE UNIQUE INDEX by_id ON document (id);
             CREATE INDEX by_author ON document (author, time, id);
             CREATE INDEX by_likes ON document (likes, time, id);
             CREATE INDEX by_type ON document (type, time, id);",
        )
        .expect("creates");
    let (mut maker, mut time, mut slowest) = (Maker::new(), Duration::ZERO, Duration::ZERO);
    let (mut ids, mut authors) = (Vec::new(), Vec::new());
    for _ in 0..count / COMMIT {
        let made: Vec<_> = maker
            .commit(COMMIT)
            .into_iter()
            .map(|made| {
                let bytes = documents::wire(&made.document);
                (made, bytes)
            })
            .collect();
        let start = Instant::now();
        let transaction = connection.transaction().expect("begins");
        let mut insert = transaction
            .prepare_cached("INSERT INTO document VALUES (?, ?, ?, ?, ?, ?)")
            .expect("prepares");
        for (made, bytes) in &made {
            let (id, author) = (made.document.id(), made.document.author());
            let (id, author) = (&id.as_bytes()[..16], &author.as_bytes()[..8]);
            let time = made.document.created_at.as_millis() as i64;
            insert
                .execute(params![time, id, author, made.likes, made.kind, bytes])
                .expect("inserts");
        }
        drop(insert);
        transaction.commit().expect("commits");
        time += start.elapsed();
        slowest = slowest.max(start.elapsed());
        if ids.len() < 1_000 {
            ids.extend(made.iter().map(|(made, _)| made.document.id().as_bytes()[..16].to_vec()));
            authors.extend(
                made.iter().map(|(made, _)| made.document.author().as_bytes()[..8].to_vec()),
            );
        }
    }
    say("rate", count as f64 / time.as_secs_f64());
    say("slowest", slowest.as_secs_f64() * 1e3);
    say("written", written() / count as f64);
    say("memory", memory("VmHWM"));
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("checkpoints");
    say("disk", on_disk(&path) / count as f64);
    drop(connection);

    let start = Instant::now();
    let connection = Connection::open(&path).expect("opens");
    connection.execute_batch("PRAGMA cache_size = -65536").expect("sets");
    let rows = |sql: &str, parameter: &dyn rusqlite::ToSql, other: &dyn rusqlite::ToSql| -> usize {
        let mut statement = connection.prepare_cached(sql).expect("prepares");
        let rows = match statement.parameter_count() {
            0 => statement.query_map([], bytes),
            1 => statement.query_map([parameter], bytes),
            _ => statement.query_map([parameter, other], bytes),
        };
        rows.expect("finds").map(|row| row.expect("reads").len()).count()
    };
    rows("SELECT bytes FROM document WHERE id = ?", &ids[0], &0);
    say("open", start.elapsed().as_secs_f64() * 1e3);
    let kind = |run: u64| format!("kind {}", mix(run) % 100);
    say(
        "id",
        micros(|run| {
            rows("SELECT bytes FROM document WHERE id = ?", &ids[(mix(run) % 1_000) as usize], &0)
        }),
    );
    say(
        "equal",
        micros(|run| {
            rows(
                "SELECT bytes FROM document WHERE type = ? ORDER BY time DESC, id DESC LIMIT 20",
                &kind(run),
                &0,
            )
        }),
    );
    say(
        "author",
        micros(|run| {
            rows(
                "SELECT bytes FROM document WHERE author = ? ORDER BY time DESC, id DESC LIMIT 20",
                &authors[(mix(run) % 1_000) as usize],
                &0,
            )
        }),
    );
    say(
        "top",
        micros(|_| {
            rows(
                "SELECT bytes FROM document ORDER BY likes DESC, time DESC, id DESC LIMIT 20",
                &0,
                &0,
            )
        }),
    );
    say(
        "range",
        micros(|_| {
            rows(
                "SELECT bytes FROM document WHERE likes > 10000 ORDER BY time DESC, id DESC LIMIT 20",
                &0,
                &0,
            )
        }),
    );
    say(
        "two",
        micros(|run| {
            rows(
                "SELECT bytes FROM document WHERE type = ? AND likes > 1000 ORDER BY time DESC, id DESC LIMIT 20",
                &kind(run),
                &0,
            )
        }),
    );
    let start = Instant::now();
    // It looks for the word in the bytes, without decoding them.
    let found = rows(
        "SELECT bytes FROM document WHERE instr(bytes, CAST(? AS BLOB)) > 0 ORDER BY time DESC",
        &RARE,
        &0,
    );
    assert!(found > 0);
    say("scan", count as f64 / start.elapsed().as_secs_f64());
    say("memory open", memory("VmHWM"));
}

fn bytes(row: &rusqlite::Row<'_>) -> rusqlite::Result<Vec<u8>> {
    row.get(0)
}
