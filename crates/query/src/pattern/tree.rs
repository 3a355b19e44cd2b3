//! An expression as a tree.

use super::set::Set;

/// What an expression consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// One character of a set.
    Set(Set),
    /// Nothing, at a place of a kind.
    Place(Place),
    /// One after the other; of none: nothing, at any place.
    Sequence(Vec<Node>),
    /// One of them.
    Alternatives(Vec<Node>),
    /// The same again.
    Repeat {
        /// What.
        node: Box<Node>,
        /// How often at least.
        min: u64,
        /// And at most, if there is a bound.
        max: Option<u64>,
    },
}

/// A place in a text. Lines end with `\n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `\A`, and `^` without the option `m`.
    Start,
    /// `\z`
    End,
    /// `\Z`, and `$` without the option `m`: the end, or before a `\n` that ends the text.
    EndOrLastNewline,
    /// `^` with `m`: the start, or after a `\n` that does not end the text.
    LineStart,
    /// `$` with `m`: the end, or before a `\n`.
    LineEnd,
    /// `\b`: between a letter, digit or `_` of ASCII and something else.
    WordBoundary,
    /// `\B`
    NoWordBoundary,
}
