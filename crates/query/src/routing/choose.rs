//! Which keys a query is given.

use std::collections::BTreeSet;

use super::{
    cell::{Cell, Cells, Weight, is_keyed_path},
    cover::cover,
};
use crate::{
    ast::{Clause, Path, Test, Tree},
    bounds::{self, Ranges},
    limits::{EQUALITY_KEYS, PATH_PARTS, ROUTING_KEYS},
};

/// How many of the most selective paths are looked at closely, and how many ways to cover a clause are tried
/// in pairs.
const PATHS: usize = 8;
const PAIRED: usize = 4;

/// The keys of a clause, of which each document that matches stands under one; none if that can be any
/// document.
pub(super) fn chosen(clause: &Clause) -> Option<Vec<Cells>> {
    let is_plain = |keys: &Vec<Cells>| keys.iter().flat_map(Cells::iter).all(Cell::is_whole);
    keys(clause, EQUALITY_KEYS).filter(is_plain).or_else(|| keys(clause, ROUTING_KEYS)).map(tidy)
}

/// At most so many keys, one of which each document that matches stands under; none if that can be any
/// document.
fn keys(clause: &Clause, most: usize) -> Option<Vec<Cells>> {
    if clause.is_never() {
        return Some(Vec::new());
    }
    let mut choices: Vec<Vec<Cells>> = Vec::new();
    let ways = ways(clause, most);
    if let Some(best) = ways.first() {
        choices.push(best.1.iter().cloned().map(Cells::One).collect());
    }
    for (at, one) in ways.iter().enumerate() {
        choices.extend(ways.iter().skip(at + 1).filter_map(|other| both(one, other, most)));
    }
    // What holds for one of several branches can say more in each of them than a single term.
    choices.extend(alternatives(clause).filter_map(|branches| {
        let each = most.checked_div(branches.len()).filter(|each| *each > 0)?;
        let keys: Option<Vec<_>> = branches.iter().map(|branch| keys(branch, each)).collect();
        Some(tidy(keys?.into_iter().flatten().collect()))
    }));
    choices.into_iter().min_by_key(|keys| (keys.iter().map(Cells::weight).sum::<u64>(), keys.len()))
}

/// Sorted, each once, and none that another one covers.
fn tidy(mut keys: Vec<Cells>) -> Vec<Cells> {
    keys.sort_unstable();
    keys.dedup();
    let is_covered = |key: &Cells| keys.iter().any(|other| other != key && other.covers(key));
    let covered: Vec<bool> = keys.iter().map(is_covered).collect();
    let mut covered = covered.into_iter();
    keys.retain(|_| !covered.next().unwrap_or(false));
    keys
}

/// A way to say what documents that match have one term of.
#[derive(Clone)]
enum Way<'q> {
    /// Keys at a path.
    Path(Path, Ranges),
    /// What holds in one of these.
    Any(&'q [Clause]),
}

impl Way<'_> {
    /// At most so many terms, one of which each document that matches has.
    fn cells(&self, most: usize) -> Option<Vec<Cell>> {
        match self {
            Self::Path(path, ranges) => {
                let places = cover(ranges.as_slice(), most)?;
                Some(places.into_iter().map(|place| Cell { path: path.clone(), place }).collect())
            }
            Self::Any(branches) => {
                let each = most.checked_div(branches.len()).filter(|each| *each > 0)?;
                let of = |branch: &Clause| Some(ways(branch, each).into_iter().next()?.1);
                let all: Option<Vec<_>> = branches.iter().map(of).collect();
                let mut cells = all?.concat();
                cells.sort_unstable();
                cells.dedup();
                Some(cells)
            }
        }
    }
}

/// The most selective ways, best first, each with its terms.
fn ways(clause: &Clause, most: usize) -> Vec<(Way<'_>, Vec<Cell>)> {
    let mut paths = BTreeSet::new();
    name(clause, None, &mut paths);
    let keyed = paths.into_iter().filter(is_keyed_path);
    let mut ranges: Vec<(usize, Path, Ranges)> = keyed
        .filter_map(|path| {
            bounds::ranges(clause, &path).map(|ranges| (ranges.cost(), path, ranges))
        })
        .collect();
    ranges.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    let ranges = ranges.into_iter().take(PATHS).map(|(_, path, ranges)| Way::Path(path, ranges));
    let all = ranges.chain(alternatives(clause).map(Way::Any));
    let mut ways: Vec<_> =
        all.filter_map(|way| way.cells(most).map(|cells| (way, cells))).collect();
    ways.sort_by(|a, b| Weight::compare(&a.1, &b.1));
    ways.truncate(PAIRED);
    ways
}

/// Lists of clauses of which one must hold.
fn alternatives(clause: &Clause) -> impl Iterator<Item = &[Clause]> {
    let joined = match clause {
        Tree::All(branches) => branches.as_slice(),
        other => core::slice::from_ref(other),
    };
    joined.iter().filter_map(|branch| match branch {
        Tree::Any(branches) => Some(branches.as_slice()),
        _ => None,
    })
}

/// All paths that a clause asks something positive of.
fn name(clause: &Clause, above: Option<&Path>, into: &mut BTreeSet<Path>) {
    match clause {
        Tree::Is(field) => {
            let path = match above {
                Some(above) if above.parts().len() + field.path.parts().len() > PATH_PARTS => {
                    return;
                }
                Some(above) => Path::new(&format!("{above}.{}", field.path)),
                None => field.path.clone(),
            };
            if let Test::ElemMatch(inner) = &field.test {
                name(inner, Some(&path), into);
            }
            into.insert(path);
        }
        Tree::Not(_) => {}
        Tree::All(branches) | Tree::Any(branches) => {
            branches.iter().for_each(|branch| name(branch, above, into));
        }
    }
}

/// Each term of one way with each of another, with fewer terms where those are too many keys.
fn both(
    (one, ones): &(Way<'_>, Vec<Cell>),
    (other, others): &(Way<'_>, Vec<Cell>),
    most: usize,
) -> Option<Vec<Cells>> {
    let (mut ones, mut others) = (ones.clone(), others.clone());
    while ones.len() * others.len() > most {
        let (way, longer) =
            if ones.len() > others.len() { (one, &mut ones) } else { (other, &mut others) };
        *longer = way.cells(longer.len() - 1)?;
    }
    let pairs = ones.iter().flat_map(|one| others.iter().map(|other| (one.clone(), other.clone())));
    Some(tidy(pairs.map(|(one, other)| Cells::both(one, other)).collect()))
}
