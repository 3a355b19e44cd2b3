//! Building trees in their normal form, so that queries which say the same mostly are the same.
//!
//! Nothing here may change what a query matches (a property test holds it to that). What is done:
//! negations move down to the leaves; trees of one kind are joined; branches are sorted and each
//! kept once; `a = 1 or a = 2` becomes one `In`; a branch that another one implies by containing
//! it is dropped; `x and not x` never holds, `x or not x` always.

use std::collections::BTreeMap;

use crate::ast::{Field, Literal, Path, Test, Tree};

/// What a tree can be made of.
pub(crate) trait Leaf: Ord + Sized {
    /// What leaves must share so that their literals can be merged.
    type Key: Ord;

    /// Taken apart, if it is an equality with one or several literals.
    fn into_equals(self) -> Result<(Self::Key, Vec<Literal>), Self>;

    /// The reverse; the literals are sorted, each once, at least one.
    fn from_equals(key: Self::Key, literals: Vec<Literal>) -> Self;
}

impl Leaf for Test {
    type Key = ();

    fn into_equals(self) -> Result<((), Vec<Literal>), Self> {
        match self {
            Self::Eq(literal) => Ok(((), vec![literal])),
            Self::In(literals) => Ok(((), literals)),
            other => Err(other),
        }
    }

    fn from_equals((): (), mut literals: Vec<Literal>) -> Self {
        match literals.pop() {
            Some(literal) if literals.is_empty() => Self::Eq(literal),
            last => {
                literals.extend(last);
                Self::In(literals)
            }
        }
    }
}

impl Leaf for Field {
    type Key = Path;

    fn into_equals(self) -> Result<(Path, Vec<Literal>), Self> {
        let Self { path, test } = self;
        match test.into_equals() {
            Ok(((), literals)) => Ok((path, literals)),
            Err(test) => Err(Self { path, test }),
        }
    }

    fn from_equals(path: Path, literals: Vec<Literal>) -> Self {
        Self { path, test: Test::from_equals((), literals) }
    }
}

impl<L> Tree<L> {
    /// Holds always.
    pub(crate) const fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Holds never.
    pub(crate) const fn never() -> Self {
        Self::Any(Vec::new())
    }

    /// Whether it is the one tree that never holds.
    pub(crate) fn is_never(&self) -> bool {
        matches!(self, Self::Any(branches) if branches.is_empty())
    }

    fn is_always(&self) -> bool {
        matches!(self, Self::All(branches) if branches.is_empty())
    }
}

impl<L: Leaf> Tree<L> {
    /// Equal to one of the literals.
    pub(crate) fn equals_any(key: L::Key, mut literals: Vec<Literal>) -> Self {
        literals.sort_unstable();
        literals.dedup();
        if literals.is_empty() { Self::never() } else { Self::Is(L::from_equals(key, literals)) }
    }

    /// Holds where this does not.
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Is(leaf) => Self::Not(leaf),
            Self::Not(leaf) => Self::Is(leaf),
            Self::All(branches) => Self::any(branches.into_iter().map(Self::negated)),
            Self::Any(branches) => Self::all(branches.into_iter().map(Self::negated)),
        }
    }

    /// Holds where each branch does.
    pub(crate) fn all(branches: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        let mut excluded = BTreeMap::<_, Vec<_>>::new();
        for branch in branches.into_iter().flat_map(Self::into_all) {
            match branch {
                Self::Not(leaf) => match leaf.into_equals() {
                    Ok((key, literals)) => excluded.entry(key).or_default().extend(literals),
                    Err(leaf) => kept.push(Self::Not(leaf)),
                },
                branch if branch.is_never() => return branch,
                branch => kept.push(branch),
            }
        }
        kept.extend(excluded.into_iter().map(|(key, all)| Self::equals_any(key, all).negated()));
        if !tidy(&mut kept) {
            return Self::never();
        }
        absorb(&mut kept, |branch| match branch {
            Self::Any(inner) => Some(inner),
            _ => None,
        });
        single(kept).unwrap_or_else(Self::All)
    }

    /// Holds where some branch does.
    pub(crate) fn any(branches: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        let mut equal = BTreeMap::<_, Vec<_>>::new();
        for branch in branches.into_iter().flat_map(Self::into_any) {
            match branch {
                Self::Is(leaf) => match leaf.into_equals() {
                    Ok((key, literals)) => equal.entry(key).or_default().extend(literals),
                    Err(leaf) => kept.push(Self::Is(leaf)),
                },
                branch if branch.is_always() => return branch,
                branch => kept.push(branch),
            }
        }
        kept.extend(equal.into_iter().map(|(key, all)| Self::equals_any(key, all)));
        if !tidy(&mut kept) {
            return Self::always();
        }
        absorb(&mut kept, |branch| match branch {
            Self::All(inner) => Some(inner),
            _ => None,
        });
        single(kept).unwrap_or_else(Self::Any)
    }

    fn into_all(self) -> Vec<Self> {
        match self {
            Self::All(branches) => branches,
            other => vec![other],
        }
    }

    fn into_any(self) -> Vec<Self> {
        match self {
            Self::Any(branches) => branches,
            other => vec![other],
        }
    }
}

impl<L> Tree<L> {
    /// The same tree of other leaves.
    pub(crate) fn map<M>(self, leaf: &impl Fn(L) -> M) -> Tree<M> {
        match self {
            Self::Is(inner) => Tree::Is(leaf(inner)),
            Self::Not(inner) => Tree::Not(leaf(inner)),
            Self::All(branches) => Tree::All(branches.into_iter().map(|b| b.map(leaf)).collect()),
            Self::Any(branches) => Tree::Any(branches.into_iter().map(|b| b.map(leaf)).collect()),
        }
    }
}

/// Sorts, keeps each once, and says whether no leaf stands beside its own negation.
fn tidy<L: Leaf>(branches: &mut Vec<Tree<L>>) -> bool {
    branches.sort_unstable();
    branches.dedup();
    // All `Is` sort before all `Not`, both in the order of their leaves.
    let mut positive = branches.iter().filter_map(|branch| match branch {
        Tree::Is(leaf) => Some(leaf),
        _ => None,
    });
    let mut current = positive.next();
    for branch in branches.iter() {
        let Tree::Not(leaf) = branch else { continue };
        while current.is_some_and(|positive| positive < leaf) {
            current = positive.next();
        }
        if current == Some(leaf) {
            return false;
        }
    }
    true
}

/// Drops each branch of the other kind that contains one of its siblings: `x and (x or y)` is `x`,
/// `x or (x and y)` is `x`.
fn absorb<L: Leaf>(branches: &mut Vec<Tree<L>>, inner: impl Fn(&Tree<L>) -> Option<&[Tree<L>]>) {
    let absorbed: Vec<bool> = branches
        .iter()
        .map(|branch| {
            inner(branch).is_some_and(|inner| {
                inner.iter().any(|inner| branches.binary_search(inner).is_ok())
            })
        })
        .collect();
    let mut absorbed = absorbed.into_iter();
    branches.retain(|_| !absorbed.next().unwrap_or(false));
}

/// The only branch, or all of them back.
fn single<L>(mut branches: Vec<Tree<L>>) -> Result<Tree<L>, Vec<Tree<L>>> {
    match branches.pop() {
        Some(branch) if branches.is_empty() => Ok(branch),
        last => {
            branches.extend(last);
            Err(branches)
        }
    }
}
