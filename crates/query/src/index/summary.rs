//! What an index needs to know of a document, collected once: which terms each path has, and between
//! which numbers and texts its values lie.

use core::ops::Range as Span;

use taiinet_document::{Map, Value};

use super::{
    number::{self, Range},
    terms::{PathId, PathInfo, TermId, Terms},
};
use crate::ast::Part;

/// The lines of a path, on which conditions ask for ranges: of its terms' numbers, …
pub(super) const TERMS: u32 = 0;
/// … of its values that are numbers …
pub(super) const NUMBERS: u32 = 1;
/// … and of those that are texts.
pub(super) const TEXTS: u32 = 2;
const LINES: u32 = 3;
/// Of more than this the shorter of two lists is gone through.
const MANY: usize = if cfg!(test) { 2 } else { 32 };

/// A line of a path.
pub(super) const fn line(path: PathId, kind: u32) -> u32 {
    path * LINES + kind
}

pub(super) const fn path_of(line: u32) -> PathId {
    line / LINES
}

pub(super) const fn kind_of(line: u32) -> u32 {
    line % LINES
}

/// The least and the greatest place on a line; the least is greater if there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Bounds {
    pub(super) const NONE: Self = Self { min: u64::MAX, max: 0 };

    fn include(&mut self, min: u64, max: u64) {
        self.min = self.min.min(min);
        self.max = self.max.max(max);
    }
}

/// A range on a line that a document must meet, with the ends shortened so that many fit in
/// a cache line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    line: u32,
    lo: u32,
    hi: u32,
}

impl Check {
    /// Any document passes.
    pub(super) const PASS: Self = Self { line: 0, lo: 0, hi: u32::MAX };

    /// One of the terms between two.
    pub(super) const fn terms(path: PathId, first: TermId, last: TermId) -> Self {
        Self { line: line(path, TERMS), lo: first, hi: last }
    }

    /// A place between two.
    pub(super) const fn places(line: u32, lo: u64, hi: u64) -> Self {
        Self { line, lo: short(lo), hi: short(hi) }
    }

    #[inline]
    pub(super) fn may_hold(self, summary: &Summary) -> bool {
        let at = summary.short(self.line);
        (self.lo <= at.max) & (at.min <= self.hi)
    }

    /// Whether what may hold is certain in spite of the shortening.
    pub(super) fn holds(self, summary: &Summary) -> bool {
        if self.lo == 0 && self.hi == u32::MAX {
            return true;
        }
        let at = summary.short(self.line);
        at.plain && (kind_of(self.line) == TERMS || (self.lo < at.min && at.max < self.hi))
    }
}

/// Shortened bounds; of terms their numbers.
#[derive(Debug, Clone, Copy)]
struct Short {
    min: u32,
    max: u32,
    /// There is one value at most, and the bounds say where.
    plain: bool,
}

impl Short {
    const NONE: Self = Self { min: u32::MAX, max: 0, plain: true };

    fn new(Bounds { min, max }: Bounds, plain: bool) -> Self {
        if min > max { Self::NONE } else { Self { min: short(min), max: short(max), plain } }
    }
}

const fn short(place: u64) -> u32 {
    (place >> 32) as u32
}

/// What is known of a path, besides its bounds.
#[derive(Debug, Clone)]
struct Slot {
    /// Which part of the terms is this path's.
    terms: Span<usize>,
    /// Whether it leads to null, or (somewhere) to nothing.
    null: bool,
    /// Like the bounds of its numbers, but of an integer between two places the *other* one: the
    /// least of the upper, the greatest of the lower.
    inner: Bounds,
}

impl Slot {
    /// Of a path whose field is not there.
    const NOTHING: Self = Self { terms: 0..0, null: true, inner: Bounds::NONE };
}

/// A document, summarised. Its memory is kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Summary {
    bounds: Vec<Bounds>,
    short: Vec<Short>,
    slots: Vec<Slot>,
    /// The terms it has: those of each path together, ascending.
    terms: Vec<TermId>,
    /// All of them ascending, if there are many.
    sorted: Vec<TermId>,
    touched: Vec<PathId>,
    /// There is some line with several values.
    spread: bool,
}

impl Summary {
    /// Forgets the last document and makes room for `paths`.
    pub(super) fn begin(&mut self, paths: usize) {
        for &path in &self.touched {
            let first = line(path, 0) as usize;
            let lines = first..first + LINES as usize;
            if let Some(bounds) = self.bounds.get_mut(lines.clone()) {
                bounds.fill(Bounds::NONE);
            }
            if let Some(short) = self.short.get_mut(lines) {
                short.fill(Short::NONE);
            }
            if let Some(slot) = self.slots.get_mut(path as usize) {
                *slot = Slot::NOTHING;
            }
        }
        self.touched.clear();
        self.terms.clear();
        self.sorted.clear();
        self.spread = false;
        if self.slots.len() < paths {
            self.slots.resize(paths, Slot::NOTHING);
            self.bounds.resize(paths * LINES as usize, Bounds::NONE);
            self.short.resize(paths * LINES as usize, Short::NONE);
        }
    }

    /// Takes note of a field of the document.
    pub(super) fn add(&mut self, terms: &Terms, name: &str, value: &Value) {
        for &path in terms.starting_at(name) {
            if let Some(info) = terms.path(path) {
                self.add_path(terms, path, info, value);
            }
        }
    }

    fn add_path(&mut self, terms: &Terms, path: PathId, info: &PathInfo, value: &Value) {
        let mut found = Found {
            terms,
            path,
            info,
            into: &mut self.terms,
            exists: false,
            text: false,
            null: false,
            values: 0,
            numbers: Bounds::NONE,
            inner: Bounds::NONE,
            texts: Bounds::NONE,
        };
        let first = found.into.len();
        found.follow(value, info.path.parts().get(1..).unwrap_or_default());
        let Found { exists, text, null, values, numbers, inner, texts, .. } = found;
        self.terms.extend(info.exists.filter(|_| exists));
        self.terms.extend(info.text.filter(|_| text));
        if let Some(own) = self.terms.get_mut(first..) {
            own.sort_unstable();
        }
        // The same value can stand twice in a list.
        let kept = first + dedup(self.terms.get_mut(first..).unwrap_or_default());
        self.terms.truncate(kept);

        let own = self.terms.get(first..).unwrap_or_default();
        let one_term = own.len() <= 1;
        let own = match (own.first(), own.last()) {
            (Some(&min), Some(&max)) => Short { min, max, plain: one_term },
            _ => Short::NONE,
        };
        let one_value = values <= 1 && numbers == inner;
        self.spread |= !one_term || !one_value;
        let lines = line(path, 0) as usize..line(path, LINES) as usize;
        if let Some(bounds) = self.bounds.get_mut(lines.clone()) {
            bounds.copy_from_slice(&[Bounds::NONE, numbers, texts]);
        }
        if let Some(bounds) = self.short.get_mut(lines) {
            bounds.copy_from_slice(&[
                own,
                Short::new(numbers, one_value),
                Short::new(texts, one_value),
            ]);
        }
        if let Some(slot) = self.slots.get_mut(path as usize) {
            *slot = Slot { terms: first..kept, null, inner };
        }
        self.touched.push(path);
    }

    /// Makes ready for search.
    pub(super) fn finish(&mut self) {
        if self.terms.len() > MANY {
            self.sorted.extend_from_slice(&self.terms);
            self.sorted.sort_unstable();
        }
    }

    /// All terms of the document, if they are fewer than the choices there are.
    pub(super) fn terms_if_fewer(&self, choices: usize) -> Option<&[TermId]> {
        (self.terms.len() <= MANY.max(choices)).then_some(&self.terms)
    }

    /// Whether it has a term; for when [`Self::terms_if_fewer`] says that there are many.
    pub(super) fn has_term(&self, term: TermId) -> bool {
        self.sorted.binary_search(&term).is_ok()
    }

    /// The lines on which it has values that conditions ask ranges of, if they are fewer than the
    /// choices there are.
    pub(super) fn lines_if_fewer(&self, choices: usize) -> Option<impl Iterator<Item = u32>> {
        let lines = self.touched.iter().flat_map(|path| [line(*path, NUMBERS), line(*path, TEXTS)]);
        (choices > MANY && self.touched.len() * 2 < choices).then_some(lines)
    }

    /// Where its values lie on a line.
    pub(super) fn bounds(&self, line: u32) -> Bounds {
        self.bounds.get(line as usize).copied().unwrap_or(Bounds::NONE)
    }

    /// Whether it has one value at most on each line, so that it comes to no place twice.
    pub(super) const fn is_plain(&self) -> bool {
        !self.spread
    }

    #[inline]
    fn short(&self, line: u32) -> Short {
        self.short.get(line as usize).copied().unwrap_or(Short::NONE)
    }

    pub(super) fn has(&self, path: PathId, term: TermId) -> bool {
        match self.of(path) {
            [] => false,
            [only] => *only == term,
            several => several.binary_search(&term).is_ok(),
        }
    }

    pub(super) fn has_any(&self, path: PathId, terms: &[TermId], or_null: bool) -> bool {
        if or_null && self.slots.get(path as usize).is_none_or(|slot| slot.null) {
            return true;
        }
        let own = self.of(path);
        if own.len() < terms.len() {
            own.iter().any(|term| terms.binary_search(term).is_ok())
        } else {
            terms.iter().any(|term| own.binary_search(term).is_ok())
        }
    }

    pub(super) fn is_within(&self, line: u32, range: Range) -> bool {
        let outer = self.bounds(line);
        let inner = match self.slots.get(path_of(line) as usize) {
            Some(slot) if kind_of(line) == NUMBERS => slot.inner,
            _ => outer,
        };
        let max = if range.after { outer.max } else { inner.max };
        let min = if range.before { outer.min } else { inner.min };
        outer.min <= outer.max && range.lo <= max && min <= range.hi
    }

    fn of(&self, path: PathId) -> &[TermId] {
        let span = self.slots.get(path as usize).map_or(0..0, |slot| slot.terms.clone());
        self.terms.get(span).unwrap_or_default()
    }
}

/// Moves the different ones of a sorted slice to its front; how many they are.
fn dedup(sorted: &mut [TermId]) -> usize {
    let mut kept = 0;
    for at in 0..sorted.len() {
        if kept == 0 || sorted[at] != sorted[kept - 1] {
            sorted[kept] = sorted[at];
            kept += 1;
        }
    }
    kept
}

/// The values found at the end of a path. Where the path leads is the same as in [`crate::walk`], but
/// for paths that could name an index: those have no conditions.
struct Found<'a> {
    terms: &'a Terms,
    path: PathId,
    info: &'a PathInfo,
    into: &'a mut Vec<TermId>,
    exists: bool,
    text: bool,
    null: bool,
    values: usize,
    numbers: Bounds,
    inner: Bounds,
    texts: Bounds,
}

impl Found<'_> {
    fn follow(&mut self, value: &Value, rest: &[Part]) {
        let Some((part, further)) = rest.split_first() else { return self.end(value) };
        match value {
            Value::Map(map) => self.field(map, part, further),
            Value::List(list) => {
                for element in list {
                    if let Value::Map(map) = element {
                        self.field(map, part, further);
                    }
                }
            }
            _ => self.null = true,
        }
    }

    fn field(&mut self, map: &Map, part: &Part, further: &[Part]) {
        match map.get(&*part.name) {
            None => self.null = true,
            Some(value) => self.follow(value, further),
        }
    }

    fn end(&mut self, value: &Value) {
        self.exists = true;
        self.text |= matches!(value, Value::String(_));
        self.value(value);
        if let Value::List(list) = value {
            list.iter().for_each(|element| self.value(element));
        }
    }

    fn value(&mut self, value: &Value) {
        let (below, above) = match value {
            Value::Null => {
                self.null = true;
                return;
            }
            Value::Int(int) => number::around(*int),
            Value::Float(float) => {
                let place = number::place(*float);
                (place, place)
            }
            Value::String(text) => {
                let place = number::text_place(text);
                self.texts.include(place, place);
                self.values += 1;
                return self.term(value);
            }
            _ => return self.term(value),
        };
        self.numbers.include(below, above);
        self.inner.min = self.inner.min.min(above);
        self.inner.max = self.inner.max.max(below);
        self.values += 1;
        self.term(value);
    }

    fn term(&mut self, value: &Value) {
        if self.info.has_equals() {
            self.into.extend(self.terms.find(self.path, self.info, value));
        }
    }
}
