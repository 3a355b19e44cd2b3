//! How large an expression becomes when it is compiled.
//!
//! `regex-lite` counts bytes of memory, which are not the same on every target: what a page may ask
//! must be what a native peer answers. So we count ourselves, in about the bytes that `regex-lite`
//! takes on a machine of 64 bits.

/// A state of the automaton.
const STATE: u64 = 32;
/// A range of characters.
const RANGE: u64 = 8;
/// An edge of a state that has several.
const EDGE: u64 = 4;
/// A capture group's two states and its place in the table of names.
const CAPTURE: u64 = 2 * STATE + 16;
/// The whole match is a capture group too.
const WHOLE: u64 = CAPTURE + STATE;

/// Adds up what an expression takes while it is read from left to right.
#[derive(Debug, Default)]
pub(super) struct Scale {
    /// The groups that are open, from the outside in.
    open: Vec<Group>,
    group: Group,
}

#[derive(Debug, Default)]
struct Group {
    captures: bool,
    /// Of the branches that are complete.
    branches: u64,
    alternatives: u64,
    /// Of the branch that is being read.
    branch: u64,
    /// What stands last in it, which a count would repeat.
    last: u64,
}

impl Scale {
    /// A character, or something else that takes one state.
    pub(super) fn state(&mut self) {
        self.atom(STATE);
    }

    /// A class with so many ranges.
    pub(super) fn class(&mut self, ranges: u64) {
        self.atom(STATE + ranges * RANGE);
    }

    fn atom(&mut self, weight: u64) {
        self.group.last = weight;
        self.group.branch = self.group.branch.saturating_add(weight);
    }

    /// What stands last is repeated.
    pub(super) fn repeat(&mut self, min: u64, max: Option<u64>) {
        let Group { last, branch, .. } = &mut self.group;
        let (copies, joints) = match (min, max) {
            (_, None) => (min.max(1), 3 * STATE + 4 * EDGE),
            (_, Some(max)) => {
                let optional = max.saturating_sub(min);
                (max.max(min), optional.saturating_mul(STATE + 2 * EDGE).saturating_add(STATE))
            }
        };
        let repeated = last.saturating_mul(copies).saturating_add(joints);
        *branch = (*branch - *last).saturating_add(repeated);
        *last = repeated;
    }

    pub(super) fn alternative(&mut self) {
        self.group.end_branch();
        self.group.alternatives += 1;
    }

    pub(super) fn open(&mut self, captures: bool) {
        let inner = Group { captures, ..Group::default() };
        self.open.push(std::mem::replace(&mut self.group, inner));
    }

    /// One that was not open is a fault that `regex-lite` will tell.
    pub(super) fn close(&mut self) {
        if let Some(outer) = self.open.pop() {
            let weight = std::mem::replace(&mut self.group, outer).weight();
            self.atom(weight);
        }
    }

    /// Of the whole expression.
    pub(super) fn total(mut self) -> u64 {
        while !self.open.is_empty() {
            self.close();
        }
        self.group.weight().saturating_add(WHOLE)
    }
}

impl Group {
    fn end_branch(&mut self) {
        // Nothing takes a state as well.
        self.branches = self.branches.saturating_add(self.branch.max(STATE));
        (self.branch, self.last) = (0, 0);
    }

    fn weight(mut self) -> u64 {
        self.end_branch();
        let captures = if self.captures { CAPTURE } else { 0 };
        let fork = match self.alternatives {
            0 => 0,
            more => 2 * STATE + (more + 1) * EDGE,
        };
        self.branches.saturating_add(captures + fork)
    }
}
