//! Terms as this peer knows them: with what they were hashed from.

use core::cmp::Ordering;

use super::{
    code::{Code, levels},
    term::{PathHash, Term},
};
use crate::{
    ast::Path,
    encoding::{self, NUMBER, STRING},
    limits::PATH_PARTS,
};

/// A path, and what a value there has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell {
    pub(super) path: Path,
    pub(super) place: Place,
}

/// Keys of an index that a term stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// The mark of documents with several values at the path.
    Several,
    /// Those with a tag, whose code begins with these bits: one of the [`levels`], or none. Of a string the
    /// bits end before its own end does.
    Prefix { tag: u8, bits: u16, code: Code },
    /// This one.
    Whole(Box<[u8]>),
}

/// How rare it is that a document has a term: parts of [`Weight::ALL`]. A guess that needs no statistics, by
/// the kinds of things that applications have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight(pub(super) u64);

impl Weight {
    /// All documents.
    pub(super) const ALL: u64 = 1 << 16;
}

impl Cell {
    /// Whether all documents with the other have this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.path == other.path && self.place.covers(&other.place)
    }

    /// The same with less and less said of the value, nearest first; in the end only its type.
    pub(super) fn ancestors(&self) -> Vec<Self> {
        let Some((tag, bits, code)) = self.place.prefix() else { return Vec::new() };
        let shorter = |place: &Place| match place {
            Place::Prefix { .. } => bits,
            // All that a document has.
            _ => bits.saturating_add(1),
        };
        let below = shorter(&self.place);
        let mut lengths: Vec<u16> = levels(tag).iter().copied().filter(|to| *to < below).collect();
        if below > 0 {
            lengths.insert(0, 0);
        }
        let cell = |bits| Place::Prefix { tag, bits, code: code.first_with(bits) };
        lengths
            .into_iter()
            .rev()
            .map(|bits| Self { path: self.path.clone(), place: cell(bits) })
            .collect()
    }

    pub(super) fn term(&self) -> Term {
        let path =
            self.path.parts().iter().fold(PathHash::ROOT, |path, part| path.then(&part.name));
        match &self.place {
            Place::Whole(key) => path.whole(key),
            Place::Prefix { tag, bits, code } => path.prefix(*tag, *code, *bits),
            Place::Several => path.several(),
        }
    }

    /// Whole values of the fields that tell documents and authors apart, then strings, numbers, prefixes by
    /// their length, booleans and types.
    pub(super) fn weight(&self) -> Weight {
        Weight(match &self.place {
            Place::Several => Weight::ALL >> 4,
            Place::Whole(key) => match (self.path.as_str(), key.first()) {
                ("_id", _) => 1,
                ("_author" | "_owner" | "_key", _) => Weight::ALL >> 10,
                (_, Some(&NUMBER)) => Weight::ALL >> 6,
                (_, Some(&encoding::BOOL)) => Weight::ALL * 3 / 8,
                _ => Weight::ALL >> 7,
            },
            Place::Prefix { tag: NUMBER, bits, .. } => Weight::ALL >> (1 + bits / 4).min(5),
            Place::Prefix { tag: STRING, bits, .. } => Weight::ALL >> (1 + bits / 8).min(6),
            Place::Prefix { .. } => Weight::ALL >> 1,
        })
    }
}

impl Place {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix { tag, bits, code }, other) => {
                other.prefix().is_some_and(|(its, longer, of)| {
                    *tag == its && *bits <= longer && of.first_with(*bits) == *code
                })
            }
            (own, other) => own == other,
        }
    }

    /// Its tag, its code, and how much of that a document with it is sure to have as prefixes.
    fn prefix(&self) -> Option<(u8, u16, Code)> {
        match self {
            Self::Several => None,
            Self::Prefix { tag, bits, code } => Some((*tag, *bits, *code)),
            Self::Whole(key) => {
                let tag = *key.first()?;
                Some((tag, prefix_bits(key), Code::of(key)))
            }
        }
    }
}

/// How many bits the longest prefix of a key's code can have: of a string less than all of it.
pub(super) fn prefix_bits(key: &[u8]) -> u16 {
    match key {
        [STRING, rest @ ..] => {
            // One that was cut has no end.
            let end = if rest.ends_with(&[0]) { 8 * rest.len() - 1 } else { usize::from(u16::MAX) };
            u16::try_from(end).unwrap_or(u16::MAX)
        }
        _ => u16::MAX,
    }
}

impl Weight {
    /// Less is better.
    pub(super) fn compare(a: &[Cell], b: &[Cell]) -> Ordering {
        let sum = |cells: &[Cell]| cells.iter().map(|cell| cell.weight().0).sum::<u64>();
        sum(a).cmp(&sum(b)).then(a.len().cmp(&b.len()))
    }
}

/// Whether documents can list what they have at a path: none of its names may be an index, since the same
/// value would stand at several paths.
pub(super) fn is_keyed_path(path: &Path) -> bool {
    path.parts().len() <= PATH_PARTS && path.parts().iter().all(|part| is_keyed_name(&part.name))
}

/// The same of a name. One with a dot is in no path.
pub(super) fn is_keyed_name(name: &str) -> bool {
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    !is_number && !name.contains('.')
}
