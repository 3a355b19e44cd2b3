//! How keys are made to fit.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    bits::sorted_bits,
    group::{Group, SHAPES},
    shape::{Frame, Shape},
    wire::{GROUPS_BITS, head_bits},
};
use crate::{
    limits::{KEY_SET_BYTES, KEY_SET_KEYS},
    routing::{key::RoutingKey, term::Term},
};

/// How many bits of a hash are kept: the first with which all fits; before that, the keys themselves.
const WIDTHS: [u8; 9] = [u8::MAX, 32, 26, 22, 20, 18, 16, 14, 12];
/// To what level the terms of keys go first where hashes do not fit.
const COARSE: u8 = 8;
/// Among so many keys those that others cover are looked for.
const COMPARED: usize = 1024;

/// The keys of a set by their shapes, however many they are.
#[derive(Default, Clone)]
pub(super) struct Draft(BTreeMap<Shape, Keys>);

/// As in a [`Group`], but neither sorted nor each once until [`Self::tidy`].
#[derive(Default, Clone)]
struct Keys {
    hashed: Option<u8>,
    numbers: Vec<u128>,
}

impl Keys {
    fn tidy(&mut self) {
        // Mostly what is sorted was put behind what is sorted, which a stable sort is fast for.
        self.numbers.sort();
        self.numbers.dedup();
    }

    /// Keeps at most so many bits of each.
    fn limit(&mut self, shape: Shape, bits: u8) {
        if self.hashed.unwrap_or(shape.width()) <= bits {
            return;
        }
        match self.hashed {
            Some(more) => self.numbers.iter_mut().for_each(|number| *number >>= more - bits),
            None => {
                self.numbers.iter_mut().for_each(|number| *number = shape.hash(*number, bits));
                self.numbers.sort_unstable();
            }
        }
        self.numbers.dedup();
        self.hashed = Some(bits);
    }

    fn wire_bits(&self, shape: Shape) -> usize {
        let has_second = shape.frame().1.is_some();
        head_bits(has_second) + sorted_bits(&self.numbers, self.hashed.unwrap_or(shape.width()))
    }
}

impl Draft {
    /// Adds a key, unless it is that of all documents.
    pub(super) fn insert(&mut self, key: &RoutingKey) -> bool {
        let Some(shape) = Shape::of(key) else { return false };
        let mut terms = key.terms().map(Term::prefix);
        let (first, second) = (terms.next().unwrap_or(0), terms.next().unwrap_or(0));
        self.merge(shape, Keys { hashed: None, numbers: vec![shape.number(first, second)] });
        true
    }

    /// Adds what a set has of one shape.
    pub(super) fn add(&mut self, group: &Group) {
        let keys = Keys { hashed: group.hashed(), numbers: group.numbers() };
        self.merge(group.shape(), keys);
    }

    /// Adds keys of a shape. With hashes of the same shape they are hashed as well, and as short.
    fn merge(&mut self, shape: Shape, mut keys: Keys) {
        let known = self.0.entry(shape).or_default();
        if let Some(bits) = [known.hashed, keys.hashed].into_iter().flatten().min() {
            if known.numbers.is_empty() {
                known.hashed = Some(bits);
            }
            known.limit(shape, bits);
            keys.limit(shape, bits);
        }
        known.numbers.append(&mut keys.numbers);
    }

    /// The groups of a set that takes no more bytes; none if only everything does.
    pub(super) fn fit(mut self, most_bytes: usize) -> Option<Box<[Group]>> {
        let most_bits = 8 * most_bytes.min(KEY_SET_BYTES);
        self.0.values_mut().for_each(Keys::tidy);
        loop {
            while self.0.len() > SHAPES {
                self.drop_shape()?;
            }
            self.drop_covered();
            let mut narrow = self.clone();
            for bits in WIDTHS {
                narrow.0.iter_mut().for_each(|(shape, keys)| keys.limit(*shape, bits));
                if narrow.fits(most_bits) {
                    return Some(narrow.into_groups());
                }
            }
            let surplus = narrow.wire_bits().saturating_sub(most_bits).max(1);
            if !self.widen(&narrow, surplus) {
                self.drop_shape()?;
            }
        }
    }

    fn fits(&self, most_bits: usize) -> bool {
        let keys: usize = self.0.values().map(|keys| keys.numbers.len()).sum();
        self.0.is_empty() || (keys <= KEY_SET_KEYS && self.wire_bits() <= most_bits)
    }

    fn wire_bits(&self) -> usize {
        let groups = self.0.iter().map(|(shape, keys)| keys.wire_bits(*shape));
        usize::from(GROUPS_BITS) + groups.sum::<usize>()
    }

    fn into_groups(self) -> Box<[Group]> {
        let group = |(shape, keys): (Shape, Keys)| Group::new(shape, keys.hashed, &keys.numbers);
        self.0.into_iter().map(group).collect()
    }

    /// Takes keys away that others cover.
    fn drop_covered(&mut self) {
        let exact = || self.0.iter().filter(|(_, keys)| keys.hashed.is_none());
        if exact().map(|(_, keys)| keys.numbers.len()).sum::<usize>() > COMPARED {
            return;
        }
        let groups: Vec<Group> =
            exact().map(|(shape, keys)| Group::new(*shape, None, &keys.numbers)).collect();
        self.0.retain(|shape, keys| {
            let above: Vec<&Group> = groups
                .iter()
                .filter(|group| group.shape() != *shape && group.shape().may_cover(*shape))
                .collect();
            if keys.hashed.is_none() {
                let is_covered = |key| above.iter().any(|group| group.may_hold(&key));
                keys.numbers.retain(|number| !is_covered(shape.key(*number)));
            }
            !keys.numbers.is_empty()
        });
    }

    /// Makes those keys wider that take the most bits, until about so many may be saved, by what all would take as
    /// the shortest hashes. Whether there were any that can be.
    fn widen(&mut self, narrow: &Self, surplus: usize) -> bool {
        let mut by_bits: Vec<(usize, Shape)> = narrow
            .0
            .iter()
            .filter(|(shape, _)| shape.levels() != (0, 0))
            .map(|(shape, keys)| (keys.wire_bits(*shape), *shape))
            .collect();
        by_bits.sort_unstable_by(|a, b| b.cmp(a));
        let mut saved = 0;
        for (bits, shape) in &by_bits {
            if saved >= surplus {
                break;
            }
            saved += bits;
            let (first, second) = shape.levels();
            let greatest = first.max(second);
            let level = if greatest > COARSE { COARSE } else { greatest / 2 };
            self.lower(*shape, (first.min(level), second.min(level)));
        }
        !by_bits.is_empty()
    }

    /// Has fewer shapes, or fewer pairs; none where that cannot be.
    fn drop_shape(&mut self) -> Option<()> {
        let surplus = self.0.len().saturating_sub(SHAPES);
        self.join_levels().or_else(|| self.drop_terms(surplus))
    }

    /// Joins the two shapes with the same paths and types whose keys are widened least.
    fn join_levels(&mut self) -> Option<()> {
        let shapes: Vec<(Shape, usize)> =
            self.0.iter().map(|(shape, keys)| (*shape, self.keys_to_lower(keys))).collect();
        let joined = shapes.array_windows().filter(|[a, b]| a.0.frame() == b.0.frame());
        let (_, a, b, levels) = joined
            .map(|[(a, of_a), (b, of_b)]| {
                let levels = (a.levels().0.min(b.levels().0), a.levels().1.min(b.levels().1));
                let lost = |shape: &Shape| usize::from(shape.width() - levels.0 - levels.1);
                (of_a * lost(a) + of_b * lost(b), *a, *b, levels)
            })
            .min()?;
        self.lower(a, levels);
        self.lower(b, levels);
        Some(())
    }

    /// How many keys are wider where a shape's levels are lower: all that there can be, if only hashes are known.
    fn keys_to_lower(&self, keys: &Keys) -> usize {
        if keys.hashed.is_some() { KEY_SET_KEYS } else { keys.numbers.len() }
    }

    /// Leaves one term of pairs: that which is in most shapes, of so many pairs with the fewest keys, and of one more.
    /// None where there are no pairs, or there are too many shapes and none would be fewer.
    fn drop_terms(&mut self, surplus: usize) -> Option<()> {
        let mut uses: BTreeMap<Term, Vec<Shape>> = BTreeMap::new();
        let mut alone: BTreeSet<Term> = BTreeSet::new();
        for shape in self.0.keys() {
            let Frame(first, second) = shape.frame();
            match second {
                Some(second) => [first, second]
                    .into_iter()
                    .for_each(|term| uses.entry(term).or_default().push(*shape)),
                None => drop(alone.insert(first)),
            }
        }
        let count =
            |term: &Term, pairs: &Vec<Shape>| pairs.len() + usize::from(alone.contains(term));
        let (kept, mut pairs) = uses
            .into_iter()
            .filter(|(term, pairs)| surplus == 0 || count(term, pairs) > 1)
            .max_by_key(|(term, pairs)| count(term, pairs))?;
        pairs.sort_by_key(|shape| self.0.get(shape).map(|keys| keys.numbers.len()));
        for shape in pairs.into_iter().take(surplus + 1) {
            let (first, second) = shape.terms();
            if shape.frame().0 == kept {
                self.replace(shape, Shape::new(first, None), |(prefix, _)| (prefix, 0));
            } else if let Some(second) = second {
                self.replace(shape, Shape::new(second, None), |(_, prefix)| (prefix, 0));
            }
        }
        Some(())
    }

    /// Gives the keys of a shape lower levels.
    fn lower(&mut self, shape: Shape, levels: (u8, u8)) {
        let (first, second) = shape.levels();
        let to = shape.at_levels(levels);
        if to != shape {
            self.replace(shape, to, |(a, b)| (a >> (first - levels.0), b >> (second - levels.1)));
        }
    }

    /// Puts other keys of another shape in the place of those of one. Of hashes only the paths and types are left.
    fn replace(&mut self, from: Shape, to: Shape, prefixes: impl Fn((u64, u64)) -> (u64, u64)) {
        let Some(keys) = self.0.remove(&from) else { return };
        let widened = |number: &u128| {
            let (first, second) = prefixes(from.prefixes(*number));
            to.number(first, second)
        };
        let (to, numbers) = match keys.hashed {
            Some(_) => (to.at_levels((0, 0)), vec![0]),
            None => (to, keys.numbers.iter().map(widened).collect()),
        };
        let mut new = Keys { hashed: None, numbers };
        new.tidy();
        // Where both terms have one path and type, one of them may cover the other now.
        let (ones, pairs): (Vec<u128>, _) =
            new.numbers.into_iter().partition(|number| !to.is_shape_of(*number));
        new.numbers = pairs;
        let keys: Vec<RoutingKey> = ones.into_iter().map(|number| to.key(number)).collect();
        keys.iter().for_each(|key| {
            self.insert(key);
        });
        let shapes: BTreeSet<Shape> = keys.iter().filter_map(Shape::of).collect();
        shapes.into_iter().for_each(|shape| self.tidy(shape));
        if !new.numbers.is_empty() {
            self.merge(to, new);
            self.tidy(to);
        }
    }

    fn tidy(&mut self, shape: Shape) {
        if let Some(keys) = self.0.get_mut(&shape) {
            keys.tidy();
        }
    }
}
