//! Sets of keys as ranges.

use crate::encoding;

/// Keys from `start` on, before `end`, by plain order of bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRange {
    /// The least key; it belongs to the range.
    pub start: Vec<u8>,
    /// What is greater than all keys; it does not belong to the range.
    pub end: Vec<u8>,
}

impl KeyRange {
    /// Whether a key lies within.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_slice() <= key && key < self.end.as_slice()
    }

    /// One key.
    pub(super) fn point(key: Vec<u8>) -> Self {
        let end = after(&key);
        Self { start: key, end }
    }

    /// All keys with a tag.
    pub(super) fn tagged(tag: u8) -> Self {
        Self { start: vec![tag], end: vec![tag + 1] }
    }

    /// A guess at how much is found within, in multiples of what is found under one key.
    fn cost(&self) -> usize {
        if self.end == after(&self.start) {
            return 1;
        }
        match (self.start.as_slice(), self.end.as_slice()) {
            ([encoding::SEVERAL], _) => 32,
            ([_], [_]) => 256,
            ([_], _) | (_, [_]) => 64,
            _ => 8,
        }
    }
}

/// The least key after this one.
pub(super) fn after(key: &[u8]) -> Vec<u8> {
    let mut after = Vec::with_capacity(key.len() + 1);
    after.extend_from_slice(key);
    after.push(0);
    after
}

/// Sorted, none of them empty, none touching another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ranges(Vec<KeyRange>);

impl Ranges {
    /// All of these together.
    pub(super) fn of(mut ranges: Vec<KeyRange>) -> Self {
        ranges.retain(|range| range.start < range.end);
        ranges.sort_unstable();
        ranges.dedup_by(|next, last| {
            let touch = next.start <= last.end;
            if touch && next.end > last.end {
                last.end = core::mem::take(&mut next.end);
            }
            touch
        });
        Self(ranges)
    }

    /// What lies in either.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        Self::of(self.0)
    }

    /// What lies in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
            let start = (&left.start).max(&right.start);
            let end = (&left.end).min(&right.end);
            if start < end {
                both.push(KeyRange { start: start.clone(), end: end.clone() });
            }
            if left.end < right.end {
                a.next();
            } else {
                b.next();
            }
        }
        Self(both)
    }

    /// The same or more in at most so many ranges: neighbours are joined.
    pub(super) fn at_most(self, most: usize) -> Self {
        let together = self.0.len().div_ceil(most);
        if together <= 1 {
            return self;
        }
        let joined = self.0.chunks(together).filter_map(|chunk| {
            let (first, last) = (chunk.first()?, chunk.last()?);
            Some(KeyRange { start: first.start.clone(), end: last.end.clone() })
        });
        Self(joined.collect())
    }

    /// As [`KeyRange::cost`].
    pub(crate) fn cost(&self) -> usize {
        self.0.iter().map(KeyRange::cost).sum()
    }

    pub(crate) fn as_slice(&self) -> &[KeyRange] {
        &self.0
    }

    pub(super) fn into_vec(self) -> Vec<KeyRange> {
        self.0
    }
}
