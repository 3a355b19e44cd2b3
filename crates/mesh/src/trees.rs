//! The rooted trees: who the root is, who stands above whom, and which documents the network has.
//!
//! A root is a peer like any other that offered itself when there was none ([`office`]); nobody trusts it. Each
//! beat it signs a [`Bulletin`](crate::wire::Bulletin), which its children pass to theirs. A peer follows the root whose bulletins
//! it gets, and the neighbour that brings them is its parent ([`tree`]). A bulletin says how large the network is, and
//! names the documents that have come to the root: an author whose document is named knows that the network has it.

mod following;
mod office;
mod tombs;
mod tree;
mod unnamed;

use taiinet_identity::PeerId;

use crate::{
    Event, LinkId, Misbehaviour, Time,
    cx::Cx,
    limits,
    notice::{Accepted, Notice},
    wire::{ShortId, Slot, TreeFrame},
};
use tree::Tree;
use unnamed::Unnamed;

/// The room of the rooted trees.
#[derive(Debug)]
pub(crate) struct Trees {
    /// One for each slot; none where all peers are linked to all.
    trees: Vec<Tree>,
    /// Of our own: their authors want to know.
    ours: Unnamed,
    /// Of anyone: they are the first that a new root names.
    recent: Unnamed,
}

/// Where we stand in a tree, for [`crate::TreeStatus`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) root: PeerId,
    pub(crate) parent: Option<LinkId>,
    pub(crate) depth: u8,
    pub(crate) children: usize,
    pub(crate) peers: u32,
}

impl Trees {
    pub(crate) fn new(cx: &mut Cx) -> Self {
        let slots = if cx.topology.is_full() { 0 } else { limits::SLOTS };
        let slots = (0..slots).filter_map(|slot| u8::try_from(slot).ok()).map(Slot);
        Self {
            trees: slots.map(|slot| Tree::new(slot, cx)).collect(),
            ours: Unnamed::new(limits::AWAITED, limits::LIVE_WINDOW),
            recent: Unnamed::new(limits::NAMES_WAITING, limits::NAMED_WITHIN),
        }
    }

    // ---- Questions ----

    /// Where we stand, in each tree that has a root.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.trees.iter().filter_map(Tree::place)
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.trees.iter().filter_map(Tree::deadline).min()
    }

    // ---- What happens ----

    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: TreeFrame,
    ) -> Result<(), Misbehaviour> {
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        state.budgets.tree(cx.now)?;
        match frame {
            TreeFrame::Beacon(beacon) => {
                if let Some(tree) = self.tree(beacon.slot) {
                    tree.beacon(cx, link, &beacon);
                }
            }
            TreeFrame::Bulletin(passed) => {
                let bulletin = crate::wire::Bulletin::peek(&passed.bulletin)?;
                if let Some(tree) = self.tree(bulletin.slot)
                    && let Some(named) = tree.bulletin(cx, link, passed, bulletin)?
                {
                    self.named(cx, &named);
                }
            }
            TreeFrame::Join(join) => {
                if let Some(tree) = self.tree(join.slot) {
                    tree.joined(cx, link, &join);
                }
            }
            TreeFrame::Below(below) => {
                if let Some(tree) = self.tree(below.slot) {
                    tree.counted(link, below.peers, cx.now);
                }
            }
            TreeFrame::Leave(slot) => {
                if let Some(tree) = self.tree(slot) {
                    tree.left(link, cx.now);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice) {
        match notice {
            Notice::NeighbourUp(up) => {
                self.trees.iter_mut().for_each(|tree| tree.neighbour_up(cx, up.link));
            }
            Notice::LinkDown(down) => {
                self.trees.iter_mut().for_each(|tree| tree.link_down(cx, down.link));
            }
            Notice::WeDoze(true) => self.trees.iter_mut().for_each(Tree::resign),
            Notice::Accepted(accepted) => self.accepted(cx.now, accepted),
            _ => {}
        }
    }

    pub(crate) fn tick(&mut self, cx: &mut Cx) {
        let mut named = Vec::new();
        for tree in &mut self.trees {
            named.extend(tree.tick(cx, &self.recent));
        }
        self.named(cx, &named);
    }

    fn accepted(&mut self, now: Time, accepted: &Accepted) {
        if self.trees.is_empty() {
            return;
        }
        let id = accepted.document.id();
        if accepted.from.is_none() {
            self.ours.insert(id, now);
        }
        self.recent.insert(id, now);
        self.trees.iter_mut().for_each(|tree| tree.name((&id).into(), now));
    }

    /// A root has these.
    fn named(&mut self, cx: &mut Cx, named: &[ShortId]) {
        for short in named {
            self.recent.take(short);
            if let Some(id) = self.ours.take(short) {
                cx.event(Event::Named { id });
            }
        }
    }

    /// Of a slot that this version knows.
    fn tree(&mut self, slot: Slot) -> Option<&mut Tree> {
        self.trees.get_mut(usize::from(slot.0))
    }
}

#[cfg(test)]
mod tests;
