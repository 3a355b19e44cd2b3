use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::*;

/// In order, without overlaps.
fn ordered(ranges: Vec<Range>) -> ClassUnicode {
    let char = |c| char::from_u32(c).expect("a character");
    ClassUnicode::new(
        ranges.into_iter().map(|(first, last)| ClassUnicodeRange::new(char(first), char(last))),
    )
}

/// A range with all other cases of what is in it, as `regex-syntax` has it.
fn theirs(first: char, last: char) -> ClassUnicode {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(first, last)]);
    class.try_case_fold_simple().expect("the table is there");
    class
}

/// Each character that is not the first of its group, and how far before it the first stands.
fn expected() -> BTreeMap<u32, u32> {
    let backs = ('\0'..=char::MAX).filter_map(|c| {
        let first = theirs(c, c).ranges().first()?.start();
        Some((u32::from(c), u32::from(c) - u32::from(first))).filter(|(_, back)| *back > 0)
    });
    backs.collect()
}

/// As few rows as a greedy reader finds.
fn rows(mut left: BTreeMap<u32, u32>) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Some((first, back)) = left.pop_first() {
        let length = |stride: u32| {
            (1..).take_while(|i| left.get(&(first + i * stride)) == Some(&back)).count() as u32
        };
        let stride = if length(1) == 0 && length(2) > 0 { 2 } else { 1 };
        let last = first + length(stride) * stride;
        for c in (first..=last).step_by(stride as usize) {
            left.remove(&c);
        }
        rows.push(Row { first, last, stride, back });
    }
    rows
}

/// `TAIINET_BLESS=1` writes it again: when `regex-syntax` comes with a new Unicode.
#[test]
fn the_table_is_that_of_unicode() {
    let mut text = "//! Made by `the_table_is_that_of_unicode`; see there.\n\n\
                    use super::Row;\n\n#[rustfmt::skip]\npub(super) const ROWS: &[Row] = &[\n"
        .to_owned();
    for Row { first, last, stride, back } in rows(expected()) {
        writeln!(
            text,
            "    Row {{ first: {first:#x}, last: {last:#x}, stride: {stride}, back: {back} }},"
        )
        .expect("memory");
    }
    text.push_str("];\n");
    if std::env::var_os("TAIINET_BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pattern/fold/table.rs");
        return fs::write(path, text).expect("the table is written");
    }
    // As it was compiled: the tests as WebAssembly read no files.
    let kept = include_str!("table.rs");
    assert!(kept == text, "Unicode has changed: run this test with TAIINET_BLESS=1");
}

#[test]
fn each_character_has_the_others_of_its_group() {
    for c in '\0'..=char::MAX {
        assert_eq!(ordered(closed(vec![(c.into(), c.into())])), theirs(c, c), "{c:?}");
    }
}

/// A range has the others of each of its characters, not what lies between those of its ends.
#[test]
fn ranges_have_the_others_of_each_character() {
    let letters: Vec<char> = expected().into_keys().filter_map(char::from_u32).step_by(7).collect();
    for pair in letters.windows(2).chain(letters.windows(40)) {
        let (first, last) = (pair[0], pair[pair.len() - 1]);
        let ours = ordered(closed(vec![(first.into(), last.into())]));
        assert_eq!(ours, theirs(first, last), "{first:?}-{last:?}");
    }
}

/// An author could write eight hundred of them into one query, and each would lead to all that there are.
#[test]
fn ranges_that_overlap_cost_no_more_than_one() {
    let many: Vec<Range> = (0..800).map(|begin| (0x21 + begin, 0xffff)).collect();
    assert_eq!(closed(many).len(), closed(vec![(0x21, 0xffff)]).len());
}
