//! Groups of authors: each has a tree of its own.

use core::ops::{BitAnd, BitOr, Not};

use taiinet_identity::PeerId;

/// How many groups there are: one bit each in a [`DocumentFrame::Feed`](crate::wire::DocumentFrame::Feed).
pub(crate) const GROUPS: usize = 64;

/// A group of authors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group(u8);

impl Group {
    /// An author's group: the first byte of its id, modulo [`GROUPS`].
    pub(crate) fn of(author: &PeerId) -> Self {
        let [first, ..] = author.as_bytes();
        Self(first % 64)
    }

    const fn bit(self) -> u64 {
        1 << self.0
    }
}

/// A set of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Groups(u64);

impl Groups {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u64::MAX);

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn contains(self, group: Group) -> bool {
        self.0 & group.bit() != 0
    }

    pub(crate) const fn insert(&mut self, group: Group) {
        self.0 |= group.bit();
    }

    pub(crate) const fn remove(&mut self, group: Group) {
        self.0 &= !group.bit();
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Group> {
        (0..64).map(Group).filter(move |group| self.contains(*group))
    }

    pub(crate) const fn len(self) -> u32 {
        self.0.count_ones()
    }
}

impl From<Group> for Groups {
    fn from(group: Group) -> Self {
        Self(group.bit())
    }
}

impl BitAnd for Groups {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Groups {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Groups {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// One value for each group; a [`Group`] is always less than their number.
#[derive(Debug, Clone)]
pub(crate) struct PerGroup<T>([T; GROUPS]);

impl<T: Copy> PerGroup<T> {
    pub(crate) const fn all(value: T) -> Self {
        Self([value; GROUPS])
    }

    pub(crate) const fn get(&self, group: Group) -> T {
        self.0[group.0 as usize]
    }

    pub(crate) fn get_mut(&mut self, group: Group) -> &mut T {
        &mut self.0[usize::from(group.0)]
    }

    pub(crate) fn of_mut(&mut self, groups: Groups) -> impl Iterator<Item = &mut T> {
        self.0
            .iter_mut()
            .enumerate()
            .filter(move |(at, _)| groups.0 >> at & 1 == 1)
            .map(|(_, it)| it)
    }
}
