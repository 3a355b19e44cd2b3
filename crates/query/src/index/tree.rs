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

use core::ops::RangeInclusive;

use hashbrown::HashTable;
use slab::Slab;

use super::{
    condition::Condition,
    entry::{Entries, Entry, EntryId},
    rows::{Row, Rows},
    summary::Summary,
    terms::TermId,
};

type NodeId = u32;

/// A node with more rows opens.
const FULL: usize = if cfg!(test) { 3 } else { 96 };
/// A cell is cut if that copies no more than one in so many rows.
const COPIES: usize = 3;
/// So many cells for the widest ranges, four times as many for each width below.
const CELLS: usize = 8;
/// But no more than this, since a range that was thought narrow can be copied into all of them.
const CELLS_AT_MOST: usize = 512;

#[derive(Debug)]
struct Node {
    rows: Rows,
    /// With more rows than this it is worth another try to make fewer of them.
    patience: usize,
    children: Option<Box<Children>>,
}

impl Node {
    const fn new() -> Self {
        Self { rows: Rows::new(), patience: FULL, children: None }
    }

    /// Where an entry goes from here, if it does; the children are to be put back.
    fn onward<'a>(&mut self, entry: &'a Entry, depth: usize) -> Option<(Place<'a>, Box<Children>)> {
        let place = place(entry, depth)?;
        Some((place, self.children.take()?))
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.children.is_none()
    }
}

#[derive(Debug, Default)]
struct Children {
    terms: HashTable<(TermId, NodeId)>,
    /// By line, then width.
    lines: Vec<Cells>,
}

impl Children {
    /// The cells on one line.
    fn on(&self, line: u32) -> &[Cells] {
        let first = self.lines.partition_point(|cells| cells.line < line);
        let from = self.lines.get(first..).unwrap_or_default();
        let count = from.iter().take_while(|cells| cells.line == line).count();
        from.get(..count).unwrap_or_default()
    }

    /// Where the cells for one width on one line are, or belong.
    fn position(&self, line: u32, width: u8) -> Result<usize, usize> {
        self.lines.binary_search_by_key(&(line, width), |cells| (cells.line, cells.width))
    }
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
    /// The cells that a range meets.
    fn meeting(&self, lo: u64, hi: u64) -> RangeInclusive<usize> {
        let cell = |place| self.cuts.partition_point(|cut| *cut <= place);
        cell(lo)..=cell(hi)
    }

    /// Gives the place of an empty cell to a neighbour.
    fn join(&mut self, cell: usize) {
        self.nodes.remove(cell);
        if !self.cuts.is_empty() {
            self.cuts.remove(cell.saturating_sub(1));
        }
    }
}

/// Spreads ids over a table; they are small and dense, and cannot be chosen.
const fn spread(term: TermId) -> u64 {
    (term as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
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

    /// Whether nothing but the root is left.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.len() == 1 && self.nodes.iter().all(|(_, node)| node.is_empty())
    }

    /// How many rows there are, copies included.
    #[cfg(test)]
    pub(super) fn rows(&self) -> usize {
        self.nodes.iter().map(|(_, node)| node.rows.len()).sum()
    }

    /// Calls for each row whose place and check a document passes. A row's alternative may be called
    /// for more than once, unless the document is plain.
    pub(super) fn visit(&self, summary: &Summary, found: &mut impl FnMut(Row)) {
        self.visit_node(self.root, summary, found);
    }

    fn visit_node(&self, id: NodeId, summary: &Summary, found: &mut impl FnMut(Row)) {
        let Some(node) = self.nodes.get(id as usize) else { return };
        node.rows.visit(summary, found);
        let Some(children) = &node.children else { return };
        match summary.terms_if_fewer(children.terms.len()) {
            Some(terms) => {
                for &term in terms {
                    let child = children.terms.find(spread(term), |(own, _)| *own == term);
                    if let Some(&(_, child)) = child {
                        self.visit_node(child, summary, found);
                    }
                }
            }
            None => {
                for &(_, child) in children.terms.iter().filter(|(term, _)| summary.has_term(*term))
                {
                    self.visit_node(child, summary, found);
                }
            }
        }
        match summary.lines_if_fewer(children.lines.len()) {
            Some(lines) => {
                for line in lines {
                    self.visit_cells(children.on(line), summary, found);
                }
            }
            None => self.visit_cells(&children.lines, summary, found),
        }
    }

    fn visit_cells(&self, lines: &[Cells], summary: &Summary, found: &mut impl FnMut(Row)) {
        for cells in lines {
            let bounds = summary.bounds(cells.line);
            if bounds.min <= bounds.max {
                let met = cells.meeting(bounds.min, bounds.max);
                for &child in cells.nodes.get(met).unwrap_or_default() {
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
        let Some((place, mut children)) = node.onward(entry, depth) else {
            node.rows.push(Row::new(id, entry, depth));
            return;
        };
        match place {
            Place::Terms(terms) => {
                for &term in terms {
                    let child = self.child(&mut children, term);
                    self.insert_at(child, depth + 1, entries, id);
                    self.open_if_full(child, depth + 1, entries);
                }
            }
            Place::Range { line, width, lo, hi } => {
                let cells = self.cells(&mut children, line, width);
                // From the last, since cutting one moves those behind it.
                for cell in cells.meeting(lo, hi).rev() {
                    let Some(&child) = cells.nodes.get(cell) else { continue };
                    self.insert_at(child, depth + 1, entries, id);
                    if self.is_full(child) && !self.cut(cells, cell, depth, entries) {
                        self.open_if_full(child, depth + 1, entries);
                    }
                }
            }
        }
        self.close(at, children);
    }

    /// Takes an entry out; it must still be among the entries.
    pub(super) fn remove(&mut self, entries: &Entries, id: EntryId) {
        self.remove_at(self.root, 0, entries, id);
    }

    /// Whether the node is empty then.
    fn remove_at(&mut self, at: NodeId, depth: usize, entries: &Entries, id: EntryId) -> bool {
        let Some(entry) = entries.get(id as usize) else { return false };
        let Some(node) = self.nodes.get_mut(at as usize) else { return false };
        let Some((place, mut children)) = node.onward(entry, depth) else {
            node.rows.remove(id);
            return node.is_empty();
        };
        match place {
            Place::Terms(terms) => {
                for &term in terms {
                    let found = children.terms.find_entry(spread(term), |(own, _)| *own == term);
                    let Ok(found) = found else { continue };
                    let child = found.get().1;
                    if self.remove_at(child, depth + 1, entries, id) {
                        found.remove();
                        self.nodes.remove(child as usize);
                    }
                }
            }
            Place::Range { line, width, lo, hi } => {
                let at = children.position(line, width).ok();
                if let Some(cells) = at.and_then(|at| children.lines.get_mut(at)) {
                    for cell in cells.meeting(lo, hi).rev() {
                        let Some(&child) = cells.nodes.get(cell) else { continue };
                        if self.remove_at(child, depth + 1, entries, id) {
                            cells.join(cell);
                            self.nodes.remove(child as usize);
                        }
                    }
                }
                if let Some(at) = at.filter(|at| children.lines[*at].nodes.is_empty()) {
                    children.lines.remove(at);
                }
            }
        }
        self.close(at, children)
    }

    /// Puts a node's children back, if there are any; says whether the node is empty.
    fn close(&mut self, at: NodeId, children: Box<Children>) -> bool {
        let Some(node) = self.nodes.get_mut(at as usize) else { return false };
        if children.terms.is_empty() && children.lines.is_empty() {
            node.patience = FULL;
        } else {
            node.children = Some(children);
        }
        node.is_empty()
    }

    fn child(&mut self, children: &mut Children, term: TermId) -> NodeId {
        let same = |(own, _): &(TermId, NodeId)| *own == term;
        let entry = children.terms.entry(spread(term), same, |(own, _)| spread(*own));
        entry.or_insert_with(|| (term, self.nodes.insert(Node::new()) as NodeId)).get().1
    }

    fn cells<'a>(&mut self, children: &'a mut Children, line: u32, width: u8) -> &'a mut Cells {
        let at = children.position(line, width).unwrap_or_else(|at| {
            let nodes = vec![self.nodes.insert(Node::new()) as NodeId];
            children.lines.insert(at, Cells { line, width, cuts: Vec::new(), nodes });
            at
        });
        &mut children.lines[at]
    }

    /// A leaf that has lost patience.
    fn is_full(&self, at: NodeId) -> bool {
        self.nodes
            .get(at as usize)
            .is_some_and(|node| node.children.is_none() && node.rows.len() > node.patience)
    }

    /// Moves what can be filed further into children, if that is much.
    fn open_if_full(&mut self, at: NodeId, depth: usize, entries: &Entries) {
        if !self.is_full(at) {
            return;
        }
        let Some(node) = self.nodes.get_mut(at as usize) else { return };
        let goes_on = |id| entries.get(id as usize).is_some_and(|e| place(e, depth).is_some());
        let moving: Vec<EntryId> = node.rows.entries().filter(|id| goes_on(*id)).collect();
        if moving.len() * 2 < node.rows.len() {
            node.patience = node.rows.len() * 2;
            return;
        }
        node.rows = node.rows.select(|id| !goes_on(id));
        node.children = Some(Box::default());
        for id in moving {
            self.insert_at(at, depth, entries, id);
        }
    }

    /// Cuts a cell, whose node is a full leaf, in two, if that separates more than it copies. The
    /// cell's ranges are conditions at `depth`.
    fn cut(&mut self, cells: &mut Cells, cell: usize, depth: usize, entries: &Entries) -> bool {
        let Some(&at) = cells.nodes.get(cell) else { return false };
        let Some(node) = self.nodes.get_mut(at as usize) else { return false };
        if cells.nodes.len() >= (CELLS << (2 * cells.width)).min(CELLS_AT_MOST) {
            return false;
        }
        let range = |id: EntryId| match place(entries.get(id as usize)?, depth)? {
            Place::Range { lo, hi, .. } => Some((lo, hi)),
            Place::Terms(_) => None,
        };
        let begin =
            cell.checked_sub(1).and_then(|before| cells.cuts.get(before)).copied().unwrap_or(0);
        let end = cells.cuts.get(cell).copied().unwrap_or(u64::MAX);
        let mut ends: Vec<u64> = node
            .rows
            .entries()
            .filter_map(range)
            .flat_map(|(lo, hi)| [lo, hi.saturating_add(1)])
            .filter(|cut| begin < *cut && *cut < end)
            .collect();
        if ends.is_empty() {
            return false;
        }
        let middle = ends.len() / 2;
        let cut = *ends.select_nth_unstable(middle).1;
        let is_left = |id| range(id).is_some_and(|(lo, _)| lo < cut);
        let is_right = |id| range(id).is_some_and(|(_, hi)| cut <= hi);
        let all = node.rows.len();
        let left = node.rows.entries().filter(|id| is_left(*id)).count();
        let right = node.rows.entries().filter(|id| is_right(*id)).count();
        if (left + right - all) * COPIES > all || left == all || right == all {
            return false;
        }
        let rows = node.rows.select(is_right);
        node.rows = node.rows.select(is_left);
        node.patience = FULL;
        let new = self.nodes.insert(Node { rows, ..Node::new() });
        cells.cuts.insert(cell, cut);
        cells.nodes.insert(cell + 1, new as NodeId);
        true
    }
}

/// What an entry is filed under.
enum Place<'a> {
    /// Each of these terms.
    Terms(&'a [TermId]),
    /// Each cell of this line that it meets; `lo` is no greater than `hi`.
    Range { line: u32, width: u8, lo: u64, hi: u64 },
}

/// What an entry is filed under in a node of this depth, if it goes on.
fn place(entry: &Entry, depth: usize) -> Option<Place<'_>> {
    let alternative = &entry.alternative;
    if depth >= usize::from(alternative.places) {
        return None;
    }
    Some(match alternative.conditions.get(depth)? {
        Condition::Is { term, .. } => Place::Terms(core::slice::from_ref(term)),
        Condition::In { terms, .. } => Place::Terms(terms),
        // What two conditions ask for may be an empty range, which only different values of a list
        // can fulfil: those then lie on both sides of it.
        Condition::Within { line, width, range, .. } => {
            Place::Range { line: *line, width: *width, lo: range.lo, hi: range.hi.max(range.lo) }
        }
    })
}
