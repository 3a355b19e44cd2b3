//! One document against many queries: [`taiinet_query::Index`] beside the crate `a-tree` and beside
//! asking each query, on the same data in the same run.
//!
//! `cargo bench -p taiinet-query --bench index`, with `-- --quick` for a short run.
//!
//! Documents have ten attributes: five texts, each one of ten, and five numbers below a million, all
//! independent and uniform. Of each four queries one has three equalities; one three ranges of a
//! tenth; one an equality, a membership of two and a range of a twentieth; and one is the `$or` of
//! two with two equalities and a range of a twentieth. Each of these matches 0.1 % of the documents.

use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use a_tree::{ATree, AttributeDefinition};
use taiinet_document::{Map, Value};
use taiinet_query::{Index, Query, Scratch};

const TEXTS: usize = 5;
const NUMBERS: usize = 5;
const NUMBER_BELOW: u64 = 1_000_000;
const DOCUMENTS: usize = 1_000;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let time = Duration::from_millis(if quick { 200 } else { 2_000 });
    let sizes: &[usize] =
        if quick { &[1_000, 10_000, 100_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    let a_tree_up_to = if quick { 10_000 } else { 100_000 };
    let documents: Vec<Document> = Dice(1).documents();

    println!(
        "{:>9} | {:>9} {:>9} {:>8} {:>9} | {:>9} {:>8} {:>9} | {:>9} {:>9} | {:>7}",
        "queries",
        "events/s",
        "build",
        "B/query",
        "remove",
        "a-tree/s",
        "ratio",
        "build",
        "each/s",
        "ratio",
        "matches"
    );
    let mut kept = Vec::new();
    for &size in sizes {
        let shapes: Vec<Shape> = (0..size).map(|i| Dice(0x5eed + i as u64).shape(i)).collect();
        let queries: Vec<Query> = shapes.iter().map(Shape::query).collect();

        let before = resident();
        let start = Instant::now();
        let mut index = Index::new();
        for (key, query) in (0_u64..).zip(&queries) {
            index.insert(key, query.clone());
        }
        let build = start.elapsed();
        let memory = resident().saturating_sub(before) / size;

        let mut scratch = Scratch::default();
        let mut matches = 0_u64;
        let ours = rate(time, |i| {
            index.visit(&mut scratch, &documents[i].map, |key| {
                matches += 1;
                black_box(key);
            });
        });
        let found: u64 =
            documents.iter().map(|document| index.matches(&document.map).len() as u64).sum();
        let each = rate(time, |i| {
            let map = &documents[i].map;
            black_box(queries.iter().filter(|query| query.matches(map)).count());
        });
        check(&index, &queries, &documents);

        let a_tree = (size <= a_tree_up_to).then(|| a_tree(&shapes, &documents, &index, time));
        let start = Instant::now();
        let removed = (0..size as u64).step_by(10).filter(|key| index.remove(key)).count();
        let remove = start.elapsed() / removed as u32;

        let (a_rate, a_ratio, a_build) = a_tree.map_or_else(Default::default, |(rate, build)| {
            (format!("{rate:.0}"), format!("{:.1}×", ours / rate), format!("{build:.2?}"))
        });
        println!(
            "{size:>9} | {ours:>9.0} {:>9} {memory:>8} {:>9} | {a_rate:>9} {a_ratio:>8} {a_build:>9} | {each:>9.1} {:>9} | {:>7.1}",
            format!("{build:.2?}"),
            format!("{remove:.1?}"),
            format!("{:.1}×", ours / each),
            found as f64 / documents.len() as f64,
        );
        kept.push((index, queries));
    }
    println!(
        "B/query: growth of the resident set, without the queries themselves, which are not needed any more."
    );
}

/// How many documents a second.
fn rate(time: Duration, mut one: impl FnMut(usize)) -> f64 {
    (0..3).for_each(&mut one);
    let start = Instant::now();
    let mut done = 0_usize;
    while done < 10 || start.elapsed() < time {
        one(done % DOCUMENTS);
        done += 1;
    }
    done as f64 / start.elapsed().as_secs_f64()
}

/// The fastest wrong answer is worth nothing.
fn check(index: &Index<u64>, queries: &[Query], documents: &[Document]) {
    for document in &documents[..10] {
        let expected: Vec<u64> = (0..)
            .zip(queries)
            .filter(|(_, query)| query.matches(&document.map))
            .map(|(key, _)| key)
            .collect();
        assert_eq!(index.matches(&document.map), expected);
    }
}

/// Events a second and the time to build.
fn a_tree(
    shapes: &[Shape],
    documents: &[Document],
    index: &Index<u64>,
    time: Duration,
) -> (f64, Duration) {
    let texts: Vec<String> = (0..TEXTS).map(text_name).collect();
    let numbers: Vec<String> = (0..NUMBERS).map(number_name).collect();
    let definitions: Vec<_> = texts
        .iter()
        .map(|name| AttributeDefinition::string(name))
        .chain(numbers.iter().map(|name| AttributeDefinition::integer(name)))
        .collect();
    let expressions: Vec<String> = shapes.iter().map(Shape::expression).collect();
    let start = Instant::now();
    let mut tree = ATree::new(&definitions).expect("definitions");
    for (key, expression) in (0_u64..).zip(&expressions) {
        tree.insert(&key, expression).expect("an expression");
    }
    let build = start.elapsed();
    let search = |document: &Document| {
        let mut event = tree.make_event();
        for (name, text) in texts.iter().zip(&document.texts) {
            event.with_string(name, &text_value(*text)).expect("a text");
        }
        for (name, number) in numbers.iter().zip(&document.numbers) {
            event.with_integer(name, *number as i64).expect("a number");
        }
        let event = event.build().expect("an event");
        let report = tree.search(&event).expect("a search");
        report.matches().iter().map(|key| **key).collect::<Vec<u64>>()
    };
    for document in &documents[..10] {
        let mut found = search(document);
        found.sort_unstable();
        assert_eq!(found, index.matches(&document.map), "a-tree agrees");
    }
    let rate = rate(time, |i| {
        black_box(search(&documents[i]));
    });
    (rate, build)
}

struct Document {
    texts: Vec<u64>,
    numbers: Vec<u64>,
    map: Map,
}

/// A query: one or two alternatives.
struct Shape(Vec<Vec<Test>>);

enum Test {
    Equal(usize, u64),
    In(usize, [u64; 2]),
    Within(usize, u64, u64),
}

fn text_name(i: usize) -> String {
    format!("text{i}")
}

fn number_name(i: usize) -> String {
    format!("number{i}")
}

fn text_value(i: u64) -> String {
    format!("value {i}")
}

impl Shape {
    fn query(&self) -> Query {
        let alternatives: Vec<String> = self
            .0
            .iter()
            .map(|tests| {
                let tests: Vec<String> = tests.iter().map(Test::json).collect();
                format!("{{{}}}", tests.join(","))
            })
            .collect();
        let text = match alternatives.as_slice() {
            [only] => only.clone(),
            several => format!("{{\"$or\":[{}]}}", several.join(",")),
        };
        text.parse().expect("a query")
    }

    fn expression(&self) -> String {
        let alternatives: Vec<String> = self
            .0
            .iter()
            .map(|tests| {
                let tests: Vec<String> = tests.iter().map(Test::expression).collect();
                format!("({})", tests.join(" and "))
            })
            .collect();
        alternatives.join(" or ")
    }
}

impl Test {
    fn json(&self) -> String {
        match *self {
            Self::Equal(i, value) => format!("\"{}\":\"{}\"", text_name(i), text_value(value)),
            Self::In(i, values) => {
                let [a, b] = values.map(text_value);
                format!("\"{}\":{{\"$in\":[\"{a}\",\"{b}\"]}}", text_name(i))
            }
            Self::Within(i, from, to) => {
                format!("\"{}\":{{\"$gte\":{from},\"$lt\":{to}}}", number_name(i))
            }
        }
    }

    fn expression(&self) -> String {
        let mut text = String::new();
        let written = match *self {
            Self::Equal(i, value) => write!(text, "{} = \"{}\"", text_name(i), text_value(value)),
            Self::In(i, values) => {
                let [a, b] = values.map(text_value);
                write!(text, "{} in [\"{a}\", \"{b}\"]", text_name(i))
            }
            Self::Within(i, from, to) => {
                let name = number_name(i);
                write!(text, "{name} >= {from} and {name} < {to}")
            }
        };
        written.expect("writes to memory");
        text
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same data on each run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// So many different ones below the end.
    fn different<const N: usize>(&mut self, end: usize) -> [usize; N] {
        let mut all: Vec<usize> = (0..end).collect();
        std::array::from_fn(|_| all.swap_remove(self.below(all.len() as u64) as usize))
    }

    fn documents(&mut self) -> Vec<Document> {
        let mut one = || {
            let texts: Vec<u64> = (0..TEXTS).map(|_| self.below(10)).collect();
            let numbers: Vec<u64> = (0..NUMBERS).map(|_| self.below(NUMBER_BELOW)).collect();
            let map = texts
                .iter()
                .enumerate()
                .map(|(i, text)| (text_name(i), Value::from(text_value(*text))))
                .chain(
                    numbers
                        .iter()
                        .enumerate()
                        .map(|(i, n)| (number_name(i), Value::Int(*n as i64))),
                )
                .collect();
            Document { texts, numbers, map }
        };
        (0..DOCUMENTS).map(|_| one()).collect()
    }

    fn shape(&mut self, i: usize) -> Shape {
        match i % 4 {
            0 => {
                let texts: [usize; 3] = self.different(TEXTS);
                Shape(vec![texts.map(|i| self.equal(i)).into()])
            }
            1 => {
                let numbers: [usize; 3] = self.different(NUMBERS);
                Shape(vec![numbers.map(|i| self.within(i, NUMBER_BELOW / 10)).into()])
            }
            2 => {
                let [equal, member] = self.different(TEXTS);
                let number = self.below(NUMBERS as u64) as usize;
                let values: [usize; 2] = self.different(10);
                let values = values.map(|value| value as u64);
                let tests = [
                    self.equal(equal),
                    Test::In(member, values),
                    self.within(number, NUMBER_BELOW / 20),
                ];
                Shape(vec![tests.into()])
            }
            _ => {
                let mut one = || {
                    let texts: [usize; 2] = self.different(TEXTS);
                    let number = self.below(NUMBERS as u64) as usize;
                    let [a, b] = texts.map(|i| self.equal(i));
                    vec![a, b, self.within(number, NUMBER_BELOW / 20)]
                };
                Shape(vec![one(), one()])
            }
        }
    }

    fn equal(&mut self, i: usize) -> Test {
        Test::Equal(i, self.below(10))
    }

    fn within(&mut self, i: usize, width: u64) -> Test {
        let from = self.below(NUMBER_BELOW - width);
        Test::Within(i, from, from + width)
    }
}

/// The resident set in bytes; 0 where there is no `/proc`.
fn resident() -> usize {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
