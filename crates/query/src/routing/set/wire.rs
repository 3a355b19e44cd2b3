//! Sets of keys as they are sent.

use super::{
    bits::{Reader, Writer},
    group::{Group, HASH_BITS, SHAPES},
    shape::Shape,
};
use crate::{
    limits::{KEY_SET_BYTES, KEY_SET_KEYS},
    routing::term::{Tag, Term},
};

/// Of the number of groups.
pub(super) const GROUPS_BITS: u8 = 7;
const PATH_BITS: u8 = 16;
const TAG_BITS: u8 = 4;
const LEVEL_BITS: u8 = 6;
/// Of how many bits of a hash there are, 0 if there are the keys.
const HASHED_BITS: u8 = 6;
/// Of the number of keys in a group, and one less.
const COUNT_BITS: u8 = 13;
const _: () = assert!(KEY_SET_KEYS == 1 << COUNT_BITS && SHAPES < 1 << GROUPS_BITS);

/// How many bits there are before the keys of a group.
pub(super) const fn head_bits(has_second: bool) -> usize {
    let term = PATH_BITS + TAG_BITS + LEVEL_BITS;
    (term + 1 + if has_second { term } else { 0 } + HASHED_BITS + COUNT_BITS) as usize
}

/// A set of groups.
pub(super) fn to_bytes(groups: &[Group]) -> Vec<u8> {
    let mut writer = Writer::default();
    if groups.is_empty() {
        return writer.into_bytes();
    }
    writer.bits(groups.len() as u128, GROUPS_BITS);
    for group in groups {
        let (shape, numbers) = (group.shape(), group.numbers());
        let (first, second) = shape.terms();
        write_term(&mut writer, first);
        writer.bits(u128::from(second.is_some()), 1);
        second.into_iter().for_each(|term| write_term(&mut writer, term));
        writer.bits(u128::from(group.hashed().unwrap_or(0)), HASHED_BITS);
        writer.bits(numbers.len() as u128 - 1, COUNT_BITS);
        writer.sorted(&numbers, group.hashed().unwrap_or(shape.width()));
    }
    writer.into_bytes()
}

/// The set that some bytes stand for.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<Box<[Group]>> {
    if bytes.is_empty() {
        return Some(Box::default());
    }
    if bytes.len() > KEY_SET_BYTES {
        return None;
    }
    let mut reader = Reader::new(bytes);
    let count = usize::try_from(reader.bits(GROUPS_BITS)?).ok()?;
    let mut groups: Vec<Group> = Vec::new();
    let mut keys = 0;
    for _ in 0..count {
        let group = read_group(&mut reader)?;
        keys += group.len();
        let is_next = groups.last().is_none_or(|last| last.shape() < group.shape());
        (is_next && keys <= KEY_SET_KEYS).then(|| groups.push(group))?;
    }
    let is_valid = (1..=SHAPES).contains(&count) && reader.is_done();
    is_valid.then(|| groups.into())
}

fn write_term(writer: &mut Writer, term: Term) {
    writer.bits(u128::from(term.path()), PATH_BITS);
    writer.bits(u128::from(term.tag().bits()), TAG_BITS);
    writer.bits(u128::from(term.level()), LEVEL_BITS);
}

fn read_term(reader: &mut Reader<'_>) -> Option<Term> {
    let path = u16::try_from(reader.bits(PATH_BITS)?).ok()?;
    let tag = Tag::from_bits(u8::try_from(reader.bits(TAG_BITS)?).ok()?)?;
    let level = u8::try_from(reader.bits(LEVEL_BITS)?).ok()?;
    (level <= tag.levels()).then(|| Term::new(tag, 0, level).at_short(path))
}

fn read_group(reader: &mut Reader<'_>) -> Option<Group> {
    let first = read_term(reader)?;
    let second = if reader.bits(1)? == 1 { Some(read_term(reader)?) } else { None };
    let shape = Shape::new(first, second);
    let hashed = Some(u8::try_from(reader.bits(HASHED_BITS)?).ok()?).filter(|bits| *bits != 0);
    let count = usize::try_from(reader.bits(COUNT_BITS)?).ok()? + 1;
    let is_sorted = second.is_none_or(|second| first.widened(0) <= second.widened(0));
    let is_shorter = hashed.is_none_or(|bits| HASH_BITS.contains(&bits) && bits < shape.width());
    if !is_sorted || !is_shorter {
        return None;
    }
    let numbers = reader.sorted(count, hashed.unwrap_or(shape.width()))?;
    let is_valid = hashed.is_some() || numbers.iter().all(|number| shape.is_shape_of(*number));
    is_valid.then(|| Group::new(shape, hashed, &numbers))
}
