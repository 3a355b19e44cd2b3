//! The archive.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use taiinet_archive::{Archive, Ask, Config, RedbStore, Rest};
use taiinet_document::DocumentId;
use taiinet_query::{Query, sort::Sort};

use crate::{
    documents::{COMMIT, Maker, NETWORK, NOW, RARE, mix},
    measure::{memory, micros, say, written},
};

fn open(directory: &Path) -> Archive<RedbStore> {
    let mut config = Config::new(NETWORK.parse().expect("a name"), vec![Query::all()]);
    config.indexed = ["likes", "type"].map(|path| path.parse().expect("a path")).to_vec();
    let store = RedbStore::open(&directory.join("archive")).expect("opens");
    Archive::open(store, config).expect("opens")
}

pub fn import(count: usize, directory: &Path) {
    let mut archive = open(directory);
    let (mut maker, mut time, mut slowest) = (Maker::new(), Duration::ZERO, Duration::ZERO);
    for _ in 0..count / COMMIT {
        let made = maker.commit(COMMIT);
        let start = Instant::now();
        for made in &made {
            archive.admit(&made.document, NOW).expect("admits");
        }
        archive.commit().expect("commits");
        time += start.elapsed();
        slowest = slowest.max(start.elapsed());
    }
    let stats = archive.stats().expect("says");
    assert_eq!(stats.documents, count as u64);
    say("rate", count as f64 / time.as_secs_f64());
    say("slowest", slowest.as_secs_f64() * 1e3);
    say("written", written() / count as f64);
    say("memory", memory("VmHWM"));
    say("signed", stats.signed_bytes as f64 / count as f64);
    say("disk", stats.store_bytes as f64 / count as f64);
    say("footprint", stats.footprint as f64 / count as f64);
    eprintln!("{stats:?}");
    std::process::abort();
}

pub fn read(directory: &Path) {
    let start = Instant::now();
    let archive = open(directory);
    say("open", start.elapsed().as_secs_f64() * 1e3);
    let ask = |query: &str, sort: &str, limit: usize| Ask {
        query: query.parse().expect("a query"),
        sort: sort.parse::<Sort>().expect("a sort"),
        since: None,
        until: None,
        after: None,
        limit,
        bytes: usize::MAX,
    };
    let find = |ask: &Ask, least: usize| {
        let page = archive.find(ask, u64::MAX, NOW).expect("finds");
        assert!(page.documents.len() >= least, "{} of {ask:?}", page.documents.len());
        page
    };
    let mut ids = Vec::new();
    let mut authors = Vec::new();
    let some = find(&ask("{}", "_created_at:asc", 1_000), 1_000);
    for document in some.documents {
        let signed: taiinet_document::SignedDocument =
            postcard::from_bytes(&document).expect("a document");
        ids.push(signed.id());
        authors.push(signed.author());
    }
    let id = |run: u64| -> DocumentId { ids[(mix(run) % 1_000) as usize] };
    say("id", micros(|run| archive.get(&id(run), NOW).expect("reads").expect("is there")));
    say(
        "equal",
        micros(|run| {
            find(
                &ask(&format!(r#"{{"type": "kind {}"}}"#, mix(run) % 100), "_created_at:desc", 20),
                20,
            )
        }),
    );
    say(
        "author",
        micros(|run| {
            let author = authors[(mix(run) % 1_000) as usize];
            find(&ask(&format!(r#"{{"_author": "{author}"}}"#), "_created_at:desc", 20), 20)
        }),
    );
    say("top", micros(|_| find(&ask("{}", "likes:desc", 20), 20)));
    say("range", micros(|_| find(&ask(r#"{"likes": {"$gt": 10000}}"#, "_created_at:desc", 20), 1)));
    say(
        "two",
        micros(|run| {
            find(
                &ask(
                    &format!(r#"{{"type": "kind {}", "likes": {{"$gt": 1000}}}}"#, mix(run) % 100),
                    "_created_at:desc",
                    20,
                ),
                1,
            )
        }),
    );
    let mut scan =
        ask(&format!(r#"{{"text": {{"$contains": "{RARE}"}}}}"#), "_created_at:desc", 1_024);
    let start = Instant::now();
    let mut found = 0;
    loop {
        let page = find(&scan, 0);
        found += page.documents.len();
        match page.rest {
            Rest::More(place) => scan.after = Some(place),
            _ => break,
        }
    }
    assert!(found > 0);
    let documents = archive.stats().expect("says").documents;
    say("scan", documents as f64 / start.elapsed().as_secs_f64());
    say("memory open", memory("VmHWM"));
    let mut archive = archive;
    let start = Instant::now();
    while archive.compact().expect("compacts") {}
    say("compacting", start.elapsed().as_secs_f64() * 1e3);
    say("compact", archive.stats().expect("says").store_bytes as f64 / documents as f64);
}
