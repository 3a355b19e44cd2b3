//! Sets of characters.

use core::fmt;

use super::fold::{self, Range};

const LAST: u32 = char::MAX as u32;

/// A set of characters: ranges in ascending order that neither overlap nor touch. (The surrogates,
/// which are no characters, may be in it or not.)
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Set(Box<[Range]>);

impl Set {
    /// Of ranges in any order.
    pub(super) fn new(ranges: impl Into<Vec<Range>>) -> Self {
        Self(fold::merged(ranges.into()).into())
    }

    /// Of one character; with its other cases, if they count.
    pub(super) fn of(c: char, ignore_case: bool) -> Self {
        let ranges = vec![(c.into(), c.into())];
        Self::new(if ignore_case { fold::closed(ranges) } else { ranges })
    }

    /// All other characters.
    pub(super) fn opposite(&self) -> Self {
        let begins = core::iter::once(0).chain(self.0.iter().map(|range| range.1 + 1));
        let ends = self.0.iter().map(|range| range.0).chain([LAST + 1]);
        let gaps = begins.zip(ends).filter(|(begin, end)| begin < end);
        Self(gaps.map(|(begin, end)| (begin, end - 1)).collect())
    }

    /// Its ranges.
    pub(super) fn ranges(&self) -> &[Range] {
        &self.0
    }

    /// Whether a character is in it.
    pub(super) fn contains(&self, c: char) -> bool {
        let c = u32::from(c);
        // Most sets are of one or two ranges.
        if self.0.len() <= 4 {
            return self.0.iter().any(|&(first, last)| first <= c && c <= last);
        }
        let at = self.0.partition_point(|range| range.1 < c);
        self.0.get(at).is_some_and(|range| range.0 <= c)
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
