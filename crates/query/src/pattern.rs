//! Regular expressions: the syntax and answers of PCRE2 in UTF mode, which MongoDB has, as far as they
//! can be had in linear time.
//!
//! There is no look-around and no back-reference, so the time is at most proportional to the text
//! times the expression. That needs a tree ([`syntax`]), its bounded size ([`weight`]) and a walk over
//! states ([`program`]). No library is used: `regex` is larger than a page should load, `regex-lite`
//! knows only the cases of ASCII, and neither has PCRE's `$` (which also stands before a `\n` at the
//! end), nor its `^` of lines. A test compares the answers with those of PCRE2.

mod fold;
mod options;
mod program;
mod set;
mod syntax;
mod tree;
mod weight;

use core::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

use program::Program;

pub(crate) use options::{Options, PatternError};

/// A compiled regular expression; compares by what was written.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    source: Box<str>,
    options: Options,
    weight: usize,
    program: Program,
}

impl Pattern {
    /// Compiles an expression to at most `budget` bytes.
    pub(crate) fn new(source: &str, options: Options, budget: usize) -> Result<Self, PatternError> {
        let node = syntax::parse(source, options, budget / weight::LEAST)?;
        let weight = usize::try_from(weight::of(&node))
            .ok()
            .filter(|weight| *weight <= budget)
            .ok_or(PatternError::TooLarge)?;
        Ok(Self { source: source.into(), options, weight, program: Program::new(&node) })
    }

    /// The expression as written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Its options.
    pub(crate) const fn options(&self) -> Options {
        self.options
    }

    /// About how many bytes it takes; the same on every target.
    pub(crate) const fn weight(&self) -> usize {
        self.weight
    }

    /// How many bytes its pieces on the heap have, and how many pieces there are.
    pub(crate) fn heap(&self) -> (usize, usize) {
        let (bytes, pieces) = self.program.heap();
        (self.source.len() + bytes, 1 + pieces)
    }

    /// Whether it finds something in a text.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.program.is_match(text)
    }

    fn key(&self) -> (&str, Options) {
        (&self.source, self.options)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Pattern {}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

#[cfg(test)]
mod tests;
