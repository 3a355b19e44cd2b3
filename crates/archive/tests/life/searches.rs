//! Searches that cost, and that others interrupt.

use core::cell::Cell;

use taiinet_archive::{Changes, Chunk, Direction, Rows, Span, StoreError, Table};
use taiinet_query::sort::Place;

use super::*;

/// Counts what is read.
struct Counting {
    inner: MemoryStore,
    rows: Cell<usize>,
}

impl Store for Counting {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows.set(self.rows.get() + 1);
        self.inner.get(table, key)
    }

    fn range(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        chunk: Chunk,
    ) -> Result<Rows, StoreError> {
        let rows = self.inner.range(table, span, direction, chunk)?;
        self.rows.set(self.rows.get() + rows.rows.len());
        Ok(rows)
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.inner.commit(changes)
    }

    fn compact(&mut self) -> Result<bool, StoreError> {
        self.inner.compact()
    }

    fn size(&self) -> Result<u64, StoreError> {
        self.inner.size()
    }

    fn verify(&mut self) -> Result<(), StoreError> {
        self.inner.verify()
    }
}

fn many(count: u64) -> Archive<Counting> {
    let mut config = config();
    config.indexed = ["likes", "tags"].map(|path| path.parse().expect("a path")).to_vec();
    config.gathered_rows = 100;
    let store = Counting { inner: MemoryStore::new(), rows: Cell::new(0) };
    let mut archive = Archive::open(store, config).expect("opens");
    for number in 0..count {
        let fields = format!(
            r#"{{"likes": {}, "tags": ["a", "b", {number}], "text": "{}"}}"#,
            number % 10,
            "aaaaaaaaaa".repeat(20)
        );
        let document = sign(1, draft(number, &fields));
        archive.admit(&document, at(count)).expect("admits");
        if number % 100 == 0 {
            archive.commit().expect("commits");
        }
    }
    archive.commit().expect("commits");
    archive
}

#[test]
fn no_question_costs_more_than_its_budget() {
    let archive = many(3_000);
    let now = at(10_000);
    let budget = 300_000;
    let regexes: Vec<_> = (0..8)
        .map(|i| format!(r#"{{"text": {{"$regex": "(a|b)*c{i}a?a?a?a?a?[ab]{{30}}$"}}}}"#))
        .collect();
    let queries = [
        r#"{"likes": {"$gte": 0}}"#.to_owned(),
        r#"{"tags": "a", "likes": {"$in": [1, 2, 3, 4, 5, 6, 7, 8]}}"#.to_owned(),
        r#"{"tags": "nowhere"}"#.to_owned(),
        r#"{"tags": {"$gt": 0, "$lt": 5000}, "text": {"$contains": "b"}}"#.to_owned(),
        format!(r#"{{"$or": [{}]}}"#, regexes.join(",")),
    ];
    let sorts =
        ["_created_at:desc", "likes:asc", "tags:desc", "text:asc", "likes:asc,text:desc,tags:asc"];
    let cursors = [
        None,
        Some(Place::from_bytes(&[0; 40]).expect("a place")),
        Some(Place::from_bytes(&[0xff; 40]).expect("a place")),
        Some(Place::from_bytes(&[0x20; 424]).expect("a place")),
    ];
    for query in &queries {
        for sort in sorts {
            for after in &cursors {
                let ask = Ask { after: after.clone(), ..ask(query, sort) };
                archive.store().rows.set(0);
                let page = archive.find(&ask, budget, now).expect("finds");
                // The first document is looked at in any case, for 4,000,000 at most.
                assert!(page.work <= budget + 4_100_000, "{} for {query} {sort}", page.work);
                let rows = archive.store().rows.get();
                assert!(rows <= 2_500, "{rows} rows for {query} {sort}");
                if page.documents.is_empty() && page.rest == Rest::Finished {
                    assert!(after.is_some() || query.contains("nowhere"), "{query} {sort}");
                }
            }
        }
    }
}

/// A reader of a history verifies some 20,000 documents a second: if they cost it more than a link may make of work
/// (`taiinet_mesh::limits::WORK`, a tenth of the time), it is slowed. One that has them read from all over the disk pays
/// for that.
#[test]
fn what_stands_together_costs_its_reader_little() {
    let archive = many(1_000);
    let each = |query: &str, sort: &str| {
        let page = archive.find(&ask(query, sort), u64::MAX, at(10_000)).expect("finds");
        assert!(page.documents.len() >= 100, "{query} {sort}");
        page.work / page.documents.len() as u64
    };
    let a_second = 100_000 * 2_000;
    let in_order = each("{}", "_created_at:asc");
    assert!(in_order * 20_000 <= a_second, "{in_order}");
    let elsewhere = each(r#"{"likes": {"$gte": 0}}"#, "likes:asc");
    assert!(elsewhere > 2 * in_order, "{elsewhere}, {in_order}");
}

/// A document that no budget suffices for does not stop the search, and is told.
#[test]
fn a_document_that_cannot_be_judged_is_passed_over() {
    let mut archive = archive(config());
    let long = format!(r#"{{"text": "{}"}}"#, "a".repeat(200_000));
    let (first, heavy, last) = (plain(1, 1), sign(1, draft(2, &long)), plain(1, 3));
    for document in [&first, &heavy, &last] {
        store(&mut archive, document);
    }
    let query = r#"{"text": {"$regex": "^(a?){200}b|as it"}}"#;
    let mut ask = ask(query, "_created_at:asc");
    let (mut found, mut unjudged, mut pages) = (Vec::new(), 0, 0);
    loop {
        let page = archive.find(&ask, 1_000_000, at(1_000)).expect("finds");
        found.extend(page.documents);
        unjudged += page.unjudged;
        pages += 1;
        assert!(pages < 10);
        match page.rest {
            Rest::More(place) => ask.after = Some(place),
            rest => break assert_eq!(rest, Rest::Finished),
        }
    }
    assert_eq!(found, [wire(&first), wire(&last)]);
    assert_eq!(unjudged, 1);
}

/// What comes and goes between pages neither doubles nor hides what stays.
#[test]
fn pages_do_not_shift() {
    for sort in ["_created_at:desc", "likes:asc", "likes:desc", "text:asc"] {
        let mut config = config();
        config.indexed = vec!["likes".parse().expect("a path")];
        let mut archive = archive(config);
        let fields = |number: u64| {
            let text = (number * 7) % 50;
            format!(
                r#"{{"likes": {}, "text": "{text:03}", "stays": {}}}"#,
                number % 6,
                number.is_multiple_of(2)
            )
        };
        let documents: Vec<_> =
            (0..100).map(|number| sign(1, draft(number * 2, &fields(number)))).collect();
        documents.iter().for_each(|document| store(&mut archive, document));
        let mut ask = Ask { limit: 7, ..ask("{}", sort) };
        let mut found = Vec::new();
        for round in 0.. {
            let page = archive.find(&ask, u64::MAX, at(1_000)).expect("finds");
            found.extend(page.documents);
            let Rest::More(place) = page.rest else { break };
            ask.after = Some(place);
            // Some go, others come, all over the order.
            let goes = &documents[(round * 14 + 1) % 100];
            store(&mut archive, &deletion(1, 500 + round as u64, &[goes]));
            store(&mut archive, &sign(2, draft(round as u64 * 9, &fields(round as u64 * 5 + 1))));
            archive.commit().expect("commits");
        }
        for document in documents.iter().step_by(2) {
            let times = found.iter().filter(|found| **found == wire(document)).count();
            assert_eq!(times, 1, "{sort}");
        }
        let mut once = found.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), found.len(), "{sort}");
    }
}

#[test]
fn an_export_makes_another_archive_alike() {
    let mut archive = archive(config());
    let (kept, gone) = (plain(1, 3), plain(1, 1));
    for document in [&kept, &gone, &keyed(2, 4, "a"), &keyed(2, 5, "a")] {
        store(&mut archive, document);
    }
    store(&mut archive, &deletion(1, 9, &[&gone]));
    let mut other = super::archive(config());
    let mut after = None;
    loop {
        let export = archive.export(after.as_ref(), 2, 1 << 20, at(1_000)).expect("reads");
        for document in export.documents {
            let signed: taiinet_document::SignedDocument =
                postcard::from_bytes(&document).expect("a document");
            let key = signed.author().public_key().expect("a key");
            store(&mut other, &signed.verify(&key).expect("valid"));
        }
        match export.rest {
            Some(place) => after = Some(place),
            None => break,
        }
    }
    assert_eq!(all(&other, at(1_000)), all(&archive, at(1_000)));
    let again = other.admit(&gone, at(1_000)).expect("admits");
    assert!(matches!(again, Admission::Superseded { .. }));
}
