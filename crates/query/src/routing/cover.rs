//! Ranges of keys, covered by few terms.

use super::{
    code,
    term::{Tag, Term},
};
use crate::{bounds::KeyRange, limits::ROUTING_CELLS};

/// At most so many terms, at no path yet, such that each key in the ranges has one of them; none if that takes
/// more, or if null is within, which stands for what a document does not have.
///
/// Of what is not covered exactly, the largest part is covered closer as long as there is room.
pub(super) fn cover(ranges: &[KeyRange], most: usize) -> Option<Vec<Term>> {
    let mut open: Vec<Node<'_>> = Vec::new();
    let mut done = Vec::new();
    for range in ranges {
        let part = Part::of(range)?;
        if part.tag == Tag::SEVERAL {
            done.push(Term::new(part.tag, 0, 0));
            continue;
        }
        match open.last_mut() {
            Some(node) if node.tag == part.tag => node.parts.push(part),
            _ => open.push(Node { tag: part.tag, level: 0, code: 0, parts: vec![part] }),
        }
    }
    let points = open.iter().all(Node::has_points_only);
    let most = if points { most } else { most.min(ROUTING_CELLS.max(open.len()) + done.len()) };
    loop {
        let (closed, still): (Vec<_>, Vec<_>) =
            open.into_iter().map(Node::narrow).partition(Result::is_err);
        done.extend(closed.into_iter().filter_map(|term| term.err().flatten()));
        open = still.into_iter().filter_map(Result::ok).collect();
        let room = (most + 1).checked_sub(open.len() + done.len()).filter(|room| *room > 0)?;
        let mut by_waste: Vec<(usize, f64)> = open.iter().map(Node::waste).enumerate().collect();
        by_waste.retain(|(_, waste)| *waste > 0.0);
        by_waste.sort_by(|a, b| b.1.total_cmp(&a.1));
        let split = by_waste.into_iter().find_map(|(at, _)| Some((at, open.get(at)?.split(room)?)));
        let Some((at, parts)) = split else { break };
        open.remove(at);
        open.extend(parts);
    }
    done.extend(open.into_iter().map(|node| node.term()));
    done.sort_unstable();
    done.dedup();
    Some(done)
}

/// A range of keys with one tag, and of numbers their codes.
#[derive(Debug, Clone, Copy)]
struct Part<'r> {
    tag: Tag,
    range: &'r KeyRange,
    first: u64,
    last: u64,
}

impl<'r> Part<'r> {
    fn of(range: &'r KeyRange) -> Option<Self> {
        let tag = *range.start.first()?;
        let ends_within = range.end.first() == Some(&tag);
        let is_whole_end = range.end.as_slice() == [tag.checked_add(1)?];
        let (first, last) = (code::first_number(&range.start), code::last_number(&range.end));
        // What touches is joined, so no range has several tags: they do not touch.
        (ends_within || is_whole_end).then_some(())?;
        Some(Self { tag: Tag::of(tag)?, range, first, last })
    }

    /// The key, if there is just one.
    fn point(&self) -> Option<&'r [u8]> {
        let (last, start) = self.range.end.split_last()?;
        (*last == 0 && start == self.range.start).then_some(start)
    }
}

/// Keys that a term stands for, and what of them is to be covered.
#[derive(Debug, Clone)]
struct Node<'r> {
    tag: Tag,
    level: u8,
    code: u64,
    /// Sorted, and one at least.
    parts: Vec<Part<'r>>,
}

impl<'r> Node<'r> {
    fn has_points_only(&self) -> bool {
        self.parts.iter().all(|part| part.point().is_some())
    }

    /// The shortest way down to where it branches, is covered, or ends: in a term, or in none if nothing is to
    /// be covered.
    fn narrow(mut self) -> Result<Self, Option<Term>> {
        loop {
            if let [part] = &*self.parts
                && let Some(point) = part.point()
            {
                return Err(Some(Term::new(self.tag, code::of(point), u8::MAX)));
            }
            match self.halves() {
                Some(mut halves) if halves.len() == 1 => match halves.pop() {
                    Some(only) => self = only,
                    None => return Ok(self),
                },
                Some(halves) if halves.is_empty() => return Err(None),
                _ => return Ok(self),
            }
        }
    }

    /// How much of what it stands for is not to be covered, in multiples of all keys with the tag. Nothing,
    /// where it is little of them.
    fn waste(&self) -> f64 {
        const LITTLE: f64 = 0.125;
        if self.tag != Tag::NUMBER {
            return if self.has_points_only() { 1.0 } else { 0.0 };
        }
        let last = self.last();
        let within = |part: &Part<'_>| (part.last.min(last) - part.first.max(self.code)) as f64;
        let wanted: f64 = self.parts.iter().map(within).sum();
        let share = 1.0 - wanted / (last - self.code) as f64;
        if share <= LITTLE { 0.0 } else { share * (-f64::from(self.level)).exp2() }
    }

    /// At most so many nodes below it.
    fn split(&self, most: usize) -> Option<Vec<Self>> {
        let below = if self.tag == Tag::NUMBER {
            self.halves()?
        } else {
            // A hash has no neighbours, so the values are on their own.
            let alone = |part: &Part<'r>| Self { parts: vec![*part], ..self.clone() };
            self.has_points_only().then(|| self.parts.iter().map(alone).collect())?
        };
        (below.len() <= most).then_some(below)
    }

    /// The halves of its numbers in which something is to be covered; none where nothing is finer.
    fn halves(&self) -> Option<Vec<Self>> {
        if self.tag != Tag::NUMBER || self.level >= self.tag.levels() {
            return None;
        }
        let level = self.level + 1;
        let half = |code: u64| {
            let last = code | u64::MAX.checked_shr(u32::from(level)).unwrap_or(0);
            let meets = |part: &&Part<'_>| part.first <= last && part.last >= code;
            let parts: Vec<_> = self.parts.iter().filter(meets).copied().collect();
            (!parts.is_empty()).then_some(Self { tag: self.tag, level, code, parts })
        };
        Some(
            [self.code, self.code | 1 << (u64::BITS - u32::from(level))]
                .into_iter()
                .filter_map(half)
                .collect(),
        )
    }

    /// The greatest code with its prefix.
    fn last(&self) -> u64 {
        self.code | u64::MAX.checked_shr(u32::from(self.level)).unwrap_or(0)
    }

    fn term(&self) -> Term {
        Term::new(self.tag, self.code, self.level)
    }
}
