//! Ranges of keys, covered by few terms.

use super::{
    cell::{Place, prefix_bits},
    code::{Code, levels},
};
use crate::{
    bounds::KeyRange,
    encoding::{BOOL, BYTES, LIST, MAP, NUMBER, SEVERAL, STRING},
    limits::ROUTING_CELLS,
};

/// At most so many places such that each key in the ranges lies in one of them; none if that takes more, or
/// if null is within, which stands for what a document does not have.
///
/// Of what is not covered exactly, the largest part is covered closer as long as there is room.
pub(super) fn cover(ranges: &[KeyRange], most: usize) -> Option<Vec<Place>> {
    let mut open: Vec<Node<'_>> = Vec::new();
    let mut done = Vec::new();
    for range in ranges {
        let part = Part::of(range)?;
        match part.tag {
            SEVERAL => done.push(Place::Several),
            NUMBER | STRING | MAP | LIST | BYTES | BOOL => match open.last_mut() {
                Some(node) if node.tag == part.tag => node.parts.push(part),
                _ => {
                    open.push(Node {
                        tag: part.tag,
                        bits: 0,
                        code: Code::LEAST,
                        parts: vec![part],
                    });
                }
            },
            _ => return None,
        }
    }
    let points = open.iter().all(Node::has_points_only);
    let most = if points { most } else { most.min(ROUTING_CELLS.max(open.len()) + done.len()) };
    loop {
        let (closed, still) = open.into_iter().map(Node::narrow).partition(|node| node.is_err());
        let closed: Vec<Result<Node<'_>, Option<Place>>> = closed;
        done.extend(closed.into_iter().filter_map(|place| place.err().flatten()));
        open = still.into_iter().filter_map(Result::ok).collect();
        let room = (most + 1).checked_sub(open.len() + done.len()).filter(|room| *room > 0)?;
        let mut by_waste: Vec<usize> = (0..open.len()).collect();
        let waste: Vec<f64> = open.iter().map(Node::waste).collect();
        let of = |at: &usize| waste.get(*at).copied().unwrap_or(0.0);
        by_waste.retain(|at| of(at) > 0.0);
        by_waste.sort_by(|a, b| of(b).total_cmp(&of(a)));
        let split = by_waste.into_iter().find_map(|at| {
            Some((at, open.get(at)?.split(room).filter(|parts| parts.len() <= room)?))
        });
        let Some((at, parts)) = split else { break };
        open.remove(at);
        open.extend(parts);
    }
    done.extend(open.into_iter().map(Node::place));
    done.sort_unstable();
    done.dedup();
    Some(done)
}

/// A range of keys with one tag.
#[derive(Debug, Clone)]
struct Part<'r> {
    tag: u8,
    range: &'r KeyRange,
    first: Code,
    last: Code,
}

impl<'r> Part<'r> {
    fn of(range: &'r KeyRange) -> Option<Self> {
        let tag = *range.start.first()?;
        let ends_within = range.end.first() == Some(&tag);
        let is_whole_end = range.end.as_slice() == [tag.checked_add(1)?];
        let (first, last) = (Code::of(&range.start), Code::before(tag, &range.end));
        // What touches is joined, so no range has several tags: they do not touch.
        (ends_within || is_whole_end).then_some(Self { tag, range, first, last })
    }

    /// The key, if there is just one.
    fn point(&self) -> Option<&'r [u8]> {
        let (last, start) = self.range.end.split_last()?;
        (*last == 0 && start == self.range.start).then_some(start)
    }
}

/// Keys that a prefix stands for, and what of them is to be covered.
#[derive(Debug, Clone)]
struct Node<'r> {
    tag: u8,
    bits: u16,
    code: Code,
    /// Sorted, and one at least.
    parts: Vec<Part<'r>>,
}

impl<'r> Node<'r> {
    fn has_points_only(&self) -> bool {
        self.parts.iter().all(|part| part.point().is_some())
    }

    /// The shortest way down to where it branches, is covered, or ends: in a place, or in none if nothing is
    /// to be covered.
    fn narrow(mut self) -> Result<Self, Option<Place>> {
        loop {
            if let [part] = &*self.parts
                && let Some(point) = part.point()
            {
                return Err(Some(Place::Whole(point.into())));
            }
            if self.ends_a_text() {
                let key = [&[self.tag], &*self.code.bytes(self.bits)].concat();
                let end = key.iter().position(|byte| *byte == 0).map_or(key.len(), |end| end + 1);
                let key = key.get(..end).unwrap_or_default();
                let is_wanted = self.parts.iter().any(|part| part.range.contains(key));
                return Err(is_wanted.then(|| Place::Whole(key.into())));
            }
            match self.below(1) {
                Some(mut below) if below.len() == 1 => match below.pop() {
                    Some(only) => self = only,
                    None => return Ok(self),
                },
                Some(below) if below.is_empty() => return Err(None),
                _ => return Ok(self),
            }
        }
    }

    /// Whether only one text has this prefix, and a document has that as a whole key only.
    fn ends_a_text(&self) -> bool {
        self.tag == STRING && self.code.bytes(self.bits).contains(&0)
    }

    /// How much of what it stands for is not to be covered, in multiples of all keys with the tag. Nothing,
    /// where it is little of the prefix.
    fn waste(&self) -> f64 {
        const BITS: u16 = 32;
        const LITTLE: f64 = 0.125;
        let within = |code: Code| code.slice(self.bits, self.bits + BITS) as f64;
        let all = (1_u64 << BITS) as f64;
        let (least, greatest) = (self.code, self.code.last_with(self.bits));
        let wanted: f64 = self
            .parts
            .iter()
            .map(|part| within(part.last.min(greatest)) - within(part.first.max(least)))
            .sum();
        let share = 1.0 - wanted / all;
        if share <= LITTLE { 0.0 } else { share * (-f64::from(self.bits)).exp2() }
    }

    /// At most so many nodes or places below it.
    fn split(&self, most: usize) -> Option<Vec<Self>> {
        if self.next().is_some() {
            return self.below(most);
        }
        // The points are places of their own.
        let alone = |part: &Part<'r>| Self { parts: vec![part.clone()], ..self.clone() };
        (self.has_points_only() && self.parts.len() <= most)
            .then(|| self.parts.iter().map(alone).collect())
    }

    fn next(&self) -> Option<u16> {
        levels(self.tag).iter().copied().find(|bits| *bits > self.bits)
    }

    /// The prefixes one level longer that have something to cover; none if there are more than so many, or no
    /// longer ones.
    fn below(&self, most: usize) -> Option<Vec<Self>> {
        let to = self.next()?;
        let (least, greatest) = (self.code, self.code.last_with(self.bits));
        let mut below: Vec<Self> = Vec::new();
        for part in &self.parts {
            let first = part.first.max(least).slice(self.bits, to);
            let last = part.last.min(greatest).slice(self.bits, to);
            if usize::try_from(last.saturating_sub(first)).unwrap_or(usize::MAX) > most {
                return None;
            }
            for bits in first..=last {
                let code = self.code.with(self.bits, to, bits);
                match below.last_mut() {
                    Some(node) if node.code == code => node.parts.push(part.clone()),
                    _ => {
                        let parts = vec![part.clone()];
                        below.push(Self { tag: self.tag, bits: to, code, parts });
                    }
                }
                if below.len() > most {
                    return None;
                }
            }
        }
        Some(below)
    }

    fn place(self) -> Place {
        debug_assert!(self.tag != STRING || self.bits <= prefix_bits(&[STRING]));
        Place::Prefix { tag: self.tag, bits: self.bits, code: self.code }
    }
}
