use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::store::{MemoryStore, Row};

#[derive(Debug, Clone)]
enum Step {
    Put(Table, u8, u8),
    Remove(Table, u8),
    Commit,
    Merge,
    MergeSome(usize),
    /// The process ends without warning.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let table = || prop::sample::select(vec![Table::Document, Table::Field, Table::Head]);
    prop_oneof![
        8 => (table(), any::<u8>(), any::<u8>()).prop_map(|(t, k, v)| Step::Put(t, k % 64, v)),
        3 => (table(), any::<u8>()).prop_map(|(table, key)| Step::Remove(table, key % 64)),
        2 => Just(Step::Commit),
        1 => Just(Step::Merge),
        2 => (0..5_usize).prop_map(Step::MergeSome),
        1 => Just(Step::Crash),
    ]
}

type Model = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

fn check(tables: &Tables<MemoryStore>, model: &Model, span: &Span, chunk: Chunk) {
    for table in [Table::Document, Table::Field, Table::Head] {
        for direction in [Direction::Forward, Direction::Backward] {
            let mut expected: Vec<Row> = (model.iter())
                .filter(|((t, key), _)| *t == table && span.contains(key))
                .map(|((_, key), value)| (key.clone(), value.clone()))
                .collect();
            if direction == Direction::Backward {
                expected.reverse();
            }
            let (mut found, mut rest) = (Vec::new(), Some(span.clone()));
            while let Some(left) = rest {
                let rows = tables.range(table, &left, direction, chunk).expect("reads");
                found.extend(rows.rows);
                rest = rows.rest;
            }
            assert_eq!(found, expected);
            let mut walk = tables.walk(table, span.clone(), direction);
            let mut walked = Vec::new();
            while let Some(row) = walk.next().expect("reads") {
                walked.push(row);
            }
            assert_eq!(walked, expected);
        }
    }
    for key in 0..64_u8 {
        let expected = model.get(&(Table::Field, vec![key])).cloned();
        assert_eq!(tables.get(Table::Field, &[key]), Ok(expected));
    }
}

proptest! {
    /// What is read is what was last written, wherever it stands by now; a crash takes what was not committed.
    #[test]
    fn layers_read_as_one_table(
        steps in prop::collection::vec(step(), 0..80),
        (from, to) in (0..64_u8, 0..80_u8),
        (rows, bytes) in (1..8_usize, 1..20_usize),
    ) {
        let mut tables = Tables::open(MemoryStore::new()).expect("opens");
        let (mut now, mut committed) = (Model::new(), Model::new());
        for step in steps {
            match step {
                Step::Put(table, key, value) => {
                    tables.put(table, vec![key], vec![value]);
                    now.insert((table, vec![key]), vec![value]);
                }
                Step::Remove(table, key) => {
                    tables.remove(table, vec![key]);
                    now.remove(&(table, vec![key]));
                }
                Step::Commit => {
                    tables.commit().expect("commits");
                    committed.clone_from(&now);
                }
                Step::Merge => tables.merge().expect("merges"),
                // Pieces as small as there can be.
                Step::MergeSome(rows) => {
                    if tables.merging.is_empty() && tables.gathered.len() >= rows {
                        tables.begin();
                    }
                    tables.merge_piece(2).expect("merges");
                }
                Step::Crash => {
                    tables = Tables::open(tables.into_store()).expect("opens");
                    now.clone_from(&committed);
                }
            }
            let span = Span { from: vec![from], to: Some(vec![to]) };
            check(&tables, &now, &span, Chunk { rows, bytes });
        }
        check(&tables, &now, &Span::all(), Chunk { rows, bytes });
    }

    #[test]
    fn no_bytes_of_a_journal_panic(bytes in any::<Vec<u8>>()) {
        let _ = journal::decode(&bytes);
    }
}
