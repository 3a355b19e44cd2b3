//! Where alternatives are filed.
//!
//! A tree that a document descends by what it has. Each node holds *rows*, one for each alternative
//! filed there. When there are too many, the node opens: each alternative with a further condition to
//! be filed under moves one level down, to the child for that condition. So an alternative under
//! `a = 1, b = 2, 3 < c < 9` stands in the root while the index is small, later under `a = 1`, then
//! under `a = 1, b = 2`, and a document that has no `a = 1` never comes near it.
//!
//! Children for ranges are the *cells* of a line: a range stands in each cell that it meets. A cell
//! that becomes full is cut in two while that separates ranges rather than copying them; after that
//! it opens like any node. Ranges of different widths have different cells, so that a wide range is
//! not copied into the many cells that narrow ones have made.
//!
//! Where an alternative stands follows from its conditions and the present shape of the tree, so it
//! is found again for removal in the same way. The idea of filing a conjunction under several of its
//! predicates is that of Fabret et al., "Filtering Algorithms and Implementation for Very Fast
//! Publish/Subscribe Systems" (SIGMOD 2001), and of Sadoghi and Jacobsen's BE-Tree (SIGMOD 2011).

use hashbrown::HashTable;
use slab::Slab;

use super::{
    condition::{Alternative, Condition},
    summary::Summary,
    terms::TermId,
};

/// An alternative that is filed.
pub(super) type EntryId = u32;
type NodeId = u32;

/// A node with more rows opens.
const FULL: usize = 96;
/// A cell is cut if that copies no more than one in so many rows.
const COPIES: usize = 2;
/// So many cells for the widest ranges, twice as many for each width below.
const CELLS: usize = 8;

/// The first thing to be checked of an alternative, beside where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    lo: u64,
    hi: u64,
    pub(super) entry: EntryId,
    /// A line, on which the document must meet the range from `lo` to `hi`, and flags.
    check: u32,
}

impl Row {
    /// No more is to be checked on a document that is plain on the line.
    const LAST: u32 = 1 << 31;
    const LINE: u32 = Self::LAST - 1;

    fn new(entry: EntryId, alternative: &Alternative, depth: usize) -> Self {
        let conditions = &alternative.conditions;
        let (passed, ahead) = conditions.split_at(depth.min(conditions.len()));
        // Having come through a cell is not yet being within; having come through a term is having it.
        let passed = passed.iter().filter(|condition| matches!(condition, Condition::Within { .. }));
        let left = ahead.len() + passed.clone().count();
        let best = ahead.iter().chain(passed).find_map(|condition| Some((condition, condition.meets()?)));
        let (check, lo, hi) = match best {
            Some((condition, (line, lo, hi))) if left == 1 && condition.is_exact() => {
                (line | Self::LAST, lo, hi)
            }
            Some((_, (line, lo, hi))) => (line, lo, hi),
            None if left == 0 => (Self::LAST, 0, u64::MAX),
            None => (0, 0, u64::MAX),
        };
        Self { lo, hi, entry, check }
    }

    /// Whether passing the check says that all conditions hold.
    pub(super) fn is_decisive(&self, summary: &Summary) -> bool {
        self.check & Self::LAST != 0
            && (summary.is_plain() || summary.is_plain_on(self.check & Self::LINE))
    }
}

#[derive(Debug)]
struct Node {
    rows: Vec<Row>,
    /// With more rows than this it is worth another try to make fewer of them.
    patience: usize,
    children: Option<Box<Children>>,
}

impl Node {
    const fn new() -> Self {
        Self { rows: Vec::new(), patience: FULL, children: None }
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.children.is_none()
    }
}

#[derive(Debug, Default)]
struct Children {
    terms: HashTable<(TermId, NodeId)>,
    lines: Vec<Cells>,
}

/// The cells for ranges of one width on one line.
#[derive(Debug)]
struct Cells {
    line: u32,
    width: u8,
    /// Where each cell but the first begins.
    cuts: Vec<u64>,
    nodes: Vec<NodeId>,
}

impl Cells {
    /// The cells that a range meets. An empty one (two conditions that only different values can
    /// fulfil) stands in the one cell that whatever fulfils both must meet.
    fn meeting(&self, lo: u64, hi: u64) -> core::ops::RangeInclusive<usize> {
        let cell = |place| self.cuts.partition_point(|cut| *cut <= place);
        let first = cell(lo);
        first..=cell(hi).max(first)
    }
}

/// Spreads ids over a table; they are small and dense, and nobody can choose them.
const fn spread(term: TermId) -> u64 {
    (term as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The entries, which the tree reads.
pub(super) type Entries = Slab<Entry>;

/// A filed alternative.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) alternative: Alternative,
    /// The query it is of.
    pub(super) query: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Slab<Node>,
    root: NodeId,
}

impl Tree {
    pub(super) fn new() -> Self {
        let mut nodes = Slab::new();
        let root = nodes.insert(Node::new()) as NodeId;
        Self { nodes, root }
    }

    /// Calls for each row whose place and check a document passes. A row's alternative may be called
    /// for more than once, unless the document is plain.
    pub(super) fn visit(&self, summary: &Summary, found: &mut impl FnMut(&Row)) {
        self.visit_node(self.root, summary, found);
    }

    fn visit_node(&self, id: NodeId, summary: &Summary, found: &mut impl FnMut(&Row)) {
        let Some(node) = self.nodes.get(id as usize) else { return };
        for row in &node.rows {
            if summary.bounds(row.check & Row::LINE).meets(row.lo, row.hi) {
                found(row);
            }
        }
        let Some(children) = &node.children else { return };
        if !children.terms.is_empty() {
            for &term in summary.terms() {
                if let Some(&(_, child)) = children.terms.find(spread(term), |(own, _)| *own == term) {
                    self.visit_node(child, summary, found);
                }
            }
        }
        for cells in &children.lines {
            let bounds = summary.bounds(cells.line);
            if bounds.min <= bounds.max {
                for &child in cells.nodes.get(cells.meeting(bounds.min, bounds.max)).unwrap_or_default() {
                    self.visit_node(child, summary, found);
                }
            }
        }
    }

    /// Files an entry.
    pub(super) fn insert(&mut self, entries: &Entries, id: EntryId) {
        self.insert_at(self.root, 0, entries, id);
        self.open_if_full(self.root, 0, entries);
    }

    fn insert_at(&mut self, at: NodeId, depth: usize, entries: &Entries, id: EntryId) {
        let Some(entry) = entries.get(id as usize) else { return };
        let Some(node) = self.nodes.get_mut(at as usize) else { return };
        let place = place(entry, depth);
        let (Some(children), Some(place)) = (&mut node.children, place) else {
            node.rows.push(Row::new(id, &entry.alternative, depth));
            return;
        };
        match place {
            Condition::Is { term, .. } => {
                let child = child(&mut self.nodes, at, *term);
                self.insert_below(child, depth, entries, id);
            }
            Condition::In { terms, .. } => {
                for &term in terms {
                    let child = child(&mut self.nodes, at, term);
                    self.insert_below(child, depth, entries, id);
                }
            }
            Condition::Within { line, width, range, .. } => {
                let found = children.lines.iter().position(|c| (c.line, c.width) == (*line, *width));
                let index = found.unwrap_or_else(|| {
                    children.lines.push(Cells { line: *line, width: *width, cuts: Vec::new(), nodes: Vec::new() });
                    children.lines.len() - 1
                });
                let _ = (index, range);
                todo!()
            }
        }
    }
}
