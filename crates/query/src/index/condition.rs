//! A query taken apart into conditions that can be filed and checked quickly.

use core::cmp::Reverse;

use super::{
    number::{self, Range},
    sample::Sample,
    summary::{self, Check, Summary},
    terms::{Asked, PathId, TermId, Terms},
};
use crate::ast::{Clause, Field, Literal, Path, Test};
use taiinet_document::Value;

/// An `and` of alternatives is multiplied out up to so many.
const PRODUCT: usize = 32;
/// A query is filed under at most so many alternatives.
const ALTERNATIVES: usize = crate::limits::CLAUSES;
/// An alternative is filed under at most so many conditions, …
const PLACES: u8 = 8;
/// … and those after the first may make about so many copies of it at most, …
const COPIES: usize = 128;
/// … of which a range makes so many.
const RANGE_COPIES: usize = 4;
/// How finely conditions are told apart by selectivity: in steps of 4, up to 4⁻⁵ of all documents.
/// Coarsely, so that guesses which differ a little do not scatter what is alike.
const CLASSES: u8 = 5;

/// Something that a document must fulfil, told from its [`Summary`] alone.
#[derive(Debug)]
pub(super) enum Condition {
    /// The path has the term.
    Is { negated: bool, path: PathId, term: TermId },
    /// The path has one of the terms (sorted), or leads to null or nothing if that is allowed.
    In { negated: bool, or_null: bool, path: PathId, terms: Box<[TermId]> },
    /// The path leads to a number (or text) no less and to one no greater.
    Within { negated: bool, width: u8, line: u32, range: Range },
}

impl Condition {
    pub(super) fn holds(&self, summary: &Summary) -> bool {
        match self {
            Self::Is { negated, path, term } => summary.has(*path, *term) != *negated,
            Self::In { negated, or_null, path, terms } => {
                summary.has_any(*path, terms, *or_null) != *negated
            }
            Self::Within { negated, line, range, .. } => {
                summary.is_within(*line, *range) != *negated
            }
        }
    }

    /// What a document must pass, if that can be told from one line.
    pub(super) fn check(&self) -> Option<Check> {
        match self {
            Self::Is { negated: false, path, term } => Some(Check::terms(*path, *term, *term)),
            Self::In { negated: false, or_null: false, path, terms } => {
                Some(Check::terms(*path, *terms.first()?, *terms.last()?))
            }
            Self::Within { negated: false, line, range, .. } => {
                Some(Check::places(*line, range.lo, range.hi))
            }
            _ => None,
        }
    }

    /// Whether there is a check that says all.
    pub(super) fn is_exact(&self) -> bool {
        match self {
            Self::Is { negated, .. } | Self::Within { negated, .. } => !negated,
            Self::In { .. } => false,
        }
    }

    /// Whether a query can be filed under it.
    fn is_place(&self) -> bool {
        self.check().is_some()
    }

    /// A guess at the part of all documents that pass.
    fn part(&self, terms: &Terms) -> f64 {
        match self {
            Self::Is { term, .. } => terms.share(*term),
            Self::In { terms: several, .. } => several.iter().map(|term| terms.share(*term)).sum(),
            Self::Within { line, range, .. } => {
                sample(terms, *line).map_or(1.0, |sample| sample.part(range.lo, range.hi))
            }
        }
    }

    /// How often it leaves a fourth.
    fn class(&self, terms: &Terms) -> u8 {
        let part = self.part(terms);
        (0..CLASSES).take_while(|class| part * f64::from(4_u32 << (2 * class)) <= 1.0).count() as u8
    }

    fn line(&self) -> u32 {
        match self {
            Self::Is { path, .. } | Self::In { path, .. } => summary::line(*path, summary::TERMS),
            Self::Within { line, .. } => *line,
        }
    }

    fn release(self, terms: &mut Terms) {
        let path = match self {
            Self::Is { path, term, .. } => {
                terms.release_term(term);
                path
            }
            Self::In { path, terms: several, .. } => {
                several.into_iter().for_each(|term| terms.release_term(term));
                path
            }
            Self::Within { line, .. } => summary::path_of(line),
        };
        terms.release_path(path);
    }
}

fn sample(terms: &Terms, line: u32) -> Option<&Sample> {
    let samples = &terms.path(summary::path_of(line))?.samples;
    samples.get(usize::from(summary::kind_of(line) == summary::TEXTS))
}

fn sample_mut(terms: &mut Terms, line: u32) -> Option<&mut Sample> {
    let samples = &mut terms.path_mut(summary::path_of(line))?.samples;
    samples.get_mut(usize::from(summary::kind_of(line) == summary::TEXTS))
}

/// One way to match a query: all its conditions hold.
#[derive(Debug)]
pub(super) struct Alternative {
    /// The first `places` of them are what it is filed under, the most selective first.
    pub(super) conditions: Box<[Condition]>,
    pub(super) places: u8,
    /// The conditions do not say all: the query itself must be asked.
    pub(super) ask: bool,
}

impl Alternative {
    /// Whether all conditions hold.
    pub(super) fn holds(&self, summary: &Summary) -> bool {
        self.conditions.iter().all(|condition| condition.holds(summary))
    }

    /// Gives back what it uses of the terms.
    pub(super) fn release(self, terms: &mut Terms) {
        for condition in self.conditions {
            condition.release(terms);
        }
    }
}

/// Takes a query apart. A document matches it only if it fulfils one of the alternatives, and if that
/// one does not say `ask`, then it does match.
pub(super) fn alternatives(clause: &Clause, terms: &mut Terms) -> Vec<Alternative> {
    branches(clause).into_iter().map(|branch| branch.compile(terms)).collect()
}

/// Leaves, each as it is or negated, that must all hold.
#[derive(Clone, Default)]
struct Branch<'a> {
    leaves: Vec<(bool, &'a Field)>,
    ask: bool,
}

/// The disjunctive normal form, unless it is too large: then some branches say `ask`.
fn branches(clause: &Clause) -> Vec<Branch<'_>> {
    let leaf = |positive, field| vec![Branch { leaves: vec![(positive, field)], ask: false }];
    let unknown = || Branch { leaves: Vec::new(), ask: true };
    match clause {
        Clause::Is(field) => leaf(true, field),
        Clause::Not(field) => leaf(false, field),
        Clause::Any(clauses) => {
            let all: Vec<_> = clauses.iter().flat_map(branches).collect();
            if all.len() > ALTERNATIVES { vec![unknown()] } else { all }
        }
        Clause::All(clauses) => {
            clauses.iter().map(branches).fold(vec![Branch::default()], |all, next| {
                if next.len() > 1 && all.len() * next.len() > PRODUCT {
                    return all.into_iter().map(|branch| Branch { ask: true, ..branch }).collect();
                }
                let joined = all.iter().flat_map(|left| next.iter().map(|right| left.join(right)));
                joined.collect()
            })
        }
    }
}

impl<'a> Branch<'a> {
    fn join(&self, other: &Self) -> Self {
        let leaves = self.leaves.iter().chain(&other.leaves).copied().collect();
        Self { leaves, ask: self.ask || other.ask }
    }

    fn compile(self, terms: &mut Terms) -> Alternative {
        let mut compiler = Compiler { terms, conditions: Vec::new(), ask: self.ask };
        for (positive, field) in self.leaves {
            compiler.leaf(positive, field);
        }
        compiler.finish()
    }
}

struct Compiler<'t> {
    terms: &'t mut Terms,
    conditions: Vec<Condition>,
    ask: bool,
}

impl Compiler<'_> {
    fn leaf(&mut self, positive: bool, Field { path, test }: &Field) {
        let negated = !positive;
        if path.has_index() {
            // Where such a path leads is the evaluator's business; it does lead into the field.
            self.ask = true;
            if positive && !test.holds_for_missing() {
                self.exists(&Path::new(path.field()), false);
            }
            return;
        }
        match test {
            Test::Eq(literal) if literal.is_null() => self.within_set(path, negated, &[], true),
            Test::Eq(literal) => {
                let (path, term) = self.term(path, Asked::Equal(literal.clone()));
                self.conditions.push(Condition::Is { negated, path, term });
            }
            Test::In(literals) => match literals.split_first() {
                Some((null, others)) if null.is_null() => {
                    self.within_set(path, negated, others, true);
                }
                _ => self.within_set(path, negated, literals, false),
            },
            Test::Exists => self.exists(path, negated),
            Test::Compare(order, literal) => match (literal.value(), positive) {
                (Value::Int(int), _) => match number::around(*int) {
                    (below, above) if below == above => {
                        self.within(path, negated, summary::NUMBERS, Range::new(*order, below));
                    }
                    (below, above) if positive => {
                        self.ask = true;
                        let range = Range::widened(*order, below, above);
                        self.within(path, false, summary::NUMBERS, range);
                    }
                    _ => self.ask = true,
                },
                (Value::Float(float), _) => {
                    let range = Range::new(*order, number::place(*float));
                    self.within(path, negated, summary::NUMBERS, range);
                }
                (Value::String(text), true) => {
                    self.ask = true;
                    let place = number::text_place(text);
                    self.within(path, false, summary::TEXTS, Range::widened(*order, place, place));
                }
                _ => self.other(path, positive),
            },
            Test::Contains(literal) if positive && !literal.is_null() => {
                self.ask = true;
                self.contains(path, literal);
            }
            _ => self.other(path, positive),
        }
    }

    /// A test that the summary says nothing of. It can only hold where there is something.
    fn other(&mut self, path: &Path, positive: bool) {
        self.ask = true;
        if positive {
            self.exists(path, false);
        }
    }

    fn term(&mut self, path: &Path, asked: Asked) -> (PathId, TermId) {
        let path = self.terms.take_path(path);
        (path, self.terms.take_term(path, asked))
    }

    fn exists(&mut self, path: &Path, negated: bool) {
        let (path, term) = self.term(path, Asked::Exists);
        self.conditions.push(Condition::Is { negated, path, term });
    }

    fn within_set(&mut self, path: &Path, negated: bool, literals: &[Literal], or_null: bool) {
        let path = self.terms.take_path(path);
        let asked = literals.iter().cloned().map(Asked::Equal);
        let mut terms: Box<[_]> = asked.map(|asked| self.terms.take_term(path, asked)).collect();
        terms.sort_unstable();
        self.conditions.push(Condition::In { negated, or_null, path, terms });
    }

    /// A list with the element, or a text (in which it may be found).
    fn contains(&mut self, path: &Path, literal: &Literal) {
        let path = self.terms.take_path(path);
        let mut terms = vec![self.terms.take_term(path, Asked::Equal(literal.clone()))];
        if matches!(literal.value(), Value::String(_)) {
            terms.push(self.terms.take_term(path, Asked::Text));
        }
        terms.sort_unstable();
        let terms = terms.into();
        self.conditions.push(Condition::In { negated: false, or_null: false, path, terms });
    }

    fn within(&mut self, path: &Path, negated: bool, kind: u32, range: Range) {
        let path = self.terms.take_path(path);
        let line = summary::line(path, kind);
        // A document's least and greatest values count: two ranges are as good as their common part.
        if !negated {
            let same = self.conditions.iter_mut().find_map(|condition| match condition {
                Condition::Within { negated: false, line: other, range, .. } if *other == line => {
                    Some(range)
                }
                _ => None,
            });
            if let Some(same) = same {
                *same = same.intersect(range);
                self.terms.release_path(path);
                return;
            }
        }
        self.conditions.push(Condition::Within { negated, width: 0, line, range });
    }

    /// Puts the most selective conditions first.
    fn finish(self) -> Alternative {
        let Self { terms, mut conditions, ask } = self;
        for condition in &mut conditions {
            let class = condition.class(terms);
            if let Condition::Within { negated: false, width, line, range } = condition {
                *width = class;
                if let Some(sample) = sample_mut(terms, *line) {
                    sample.add(range.lo, range.hi);
                }
            }
        }
        // Classes are coarse and ties are broken by path, so that similar queries are filed alike.
        conditions.sort_by_cached_key(|condition| {
            let last = (!condition.is_place(), Reverse(0), 0, 0);
            if condition.is_place() {
                let kind = summary::kind_of(condition.line());
                (false, Reverse(condition.class(terms)), kind, condition.line())
            } else {
                last
            }
        });
        // A set or a range can be copied to several places, and these numbers multiply.
        let mut copies = 1_usize;
        let mut count = 0_u8;
        let (mut places, rest): (Vec<_>, Vec<_>) = conditions.into_iter().partition(|condition| {
            let more = match condition {
                Condition::Is { .. } => 1,
                Condition::In { terms, .. } => terms.len(),
                Condition::Within { .. } => RANGE_COPIES,
            };
            let fits = count == 0 || (count < PLACES && copies.saturating_mul(more) <= COPIES);
            let is_place = fits && condition.is_place();
            if is_place {
                copies = copies.saturating_mul(more);
                count += 1;
            }
            is_place
        });
        places.extend(rest);
        Alternative { conditions: places.into(), places: count, ask }
    }
}
