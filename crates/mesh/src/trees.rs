//! The rooted trees: who their roots are, who stands above whom, and which documents the network has. There are two, with
//! a root each, and documents are shared out over them.
//!
//! A root is a peer like any other that offered itself when there was none ([`office`]); nobody trusts it. Each
//! beat it signs a [`Bulletin`](crate::wire::Bulletin), which its children pass to theirs. A peer follows the root whose bulletins
//! it gets, and the neighbour that brings them is its parent ([`tree`]). A bulletin says how large the network is, and
//! names the documents that have come to the root: an author whose document is named knows that the network has it.

mod below;
mod following;
mod office;
mod slots;
mod tombs;
mod tree;
mod unnamed;

use taiinet_document::DocumentId;
use taiinet_query::{DocumentKeys, KeySet, RoutingKey};

use crate::{
    Event, LinkId, Misbehaviour, Time,
    cx::Cx,
    interest::Wants,
    limits,
    membership::Crowd,
    notice::{Accepted, Climbed, Named, Notice},
    routes::Spreading,
    wire::{Entry, Slot, TreeFrame, Way},
};
pub(crate) use slots::Slots;
pub(crate) use tree::Place;
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
    /// Which of our wants the trees know, and how documents spread then.
    wanted: Option<(Spreading, u64)>,
}

impl Trees {
    pub(crate) fn new(cx: &mut Cx) -> Self {
        let slots = if cx.topology.is_full() { 0 } else { limits::SLOTS };
        let slots = (0..slots).filter_map(|slot| u8::try_from(slot).ok()).map(Slot);
        Self {
            trees: slots.map(|slot| Tree::new(slot, cx)).collect(),
            ours: Unnamed::new(limits::AWAITED, limits::LIVE_WINDOW),
            recent: Unnamed::new(limits::NAMES_WAITING, limits::NAMED_WITHIN),
            wanted: None,
        }
    }

    // ---- Questions ----

    /// Where we stand, in each tree that has a root.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.trees.iter().filter_map(Tree::place)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..self.trees.len()).filter_map(|slot| u8::try_from(slot).ok()).map(Slot)
    }

    /// The tree on which a document goes: that of its id, if it has a root, else another that has.
    pub(crate) fn slot_for(&self, id: &DocumentId) -> Slot {
        let slot = Slot::of(id);
        if self.has_root(slot) { slot } else { self.other(slot).unwrap_or(slot) }
    }

    /// Another tree that has a root.
    pub(crate) fn other(&self, slot: Slot) -> Option<Slot> {
        self.slots().find(|other| *other != slot && self.has_root(*other))
    }

    /// Each of the trees in its turn.
    pub(crate) fn in_turn(&self, turn: u8) -> Option<Slot> {
        let turn = usize::from(turn).checked_rem(self.trees.len())?;
        self.slots().nth(turn)
    }

    fn has_root(&self, slot: Slot) -> bool {
        self.at(slot).is_some_and(|tree| tree.place().is_some())
    }

    pub(crate) fn is_root(&self, slot: Slot) -> bool {
        self.at(slot).is_some_and(Tree::is_root)
    }

    /// The neighbour towards the root.
    pub(crate) fn parent(&self, slot: Slot) -> Option<LinkId> {
        self.at(slot).and_then(Tree::parent)
    }

    /// How many links lead to the root.
    pub(crate) fn depth(&self, slot: Slot) -> u8 {
        self.at(slot).map_or(0, Tree::depth)
    }

    /// The children that want a document, or have some below them that do.
    pub(crate) fn children_that_want(&self, slot: Slot, keys: &DocumentKeys) -> Vec<LinkId> {
        self.at(slot).map_or_else(Vec::new, |tree| tree.children_that_want(keys))
    }

    /// The children that want a key or one that covers it, or have some below them that do.
    pub(crate) fn children_that_seek(&self, slot: Slot, key: &RoutingKey) -> Vec<LinkId> {
        self.at(slot).map_or_else(Vec::new, |tree| tree.children_that_seek(key))
    }

    /// A neighbour on the way up: the parent at first, then others by turns.
    pub(crate) fn way_up(&self, slot: Slot, turn: u8) -> Option<LinkId> {
        let tree = self.at(slot)?;
        let other = turn.checked_sub(1).and_then(|turn| tree.way_up(turn));
        other.or_else(|| tree.parent())
    }

    /// Whether none of the trees in which we stand has half of so many peers: we are cut off from the others.
    pub(crate) fn is_apart(&self, peers: usize) -> bool {
        let most = self.places().map(|place| place.peers as usize).max().unwrap_or_default();
        !self.trees.is_empty() && most.saturating_mul(2) < peers
    }

    /// How many bytes of the heap what others want takes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.trees.iter().map(Tree::heap_bytes).sum()
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn deadline(&self, cx: &Cx, wants: &Wants) -> Option<Time> {
        if self.wanted != Some((cx.spreading, wants.registered_version())) {
            return Some(cx.now);
        }
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
                let slot = bulletin.slot;
                if let Some(tree) = self.tree(slot)
                    && let Some(named) = tree.bulletin(cx, link, passed, bulletin)?
                {
                    self.named(cx, slot, named);
                }
            }
            TreeFrame::Join(join) => {
                if let Some(tree) = self.tree(join.slot) {
                    tree.joined(cx, link, join);
                }
            }
            TreeFrame::Brings(slot, brings) => {
                if let Some(tree) = self.tree(slot) {
                    tree.brings(cx, link, brings);
                }
            }
            TreeFrame::Leave(slot) => {
                if let Some(tree) = self.tree(slot) {
                    tree.left(cx, link);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice) {
        match notice {
            Notice::NeighbourUp(up) => {
                self.trees.iter_mut().for_each(|tree| tree.neighbour_up(cx, up.link));
                self.renew(cx.now);
            }
            Notice::LinkDown(down) => {
                self.trees.iter_mut().for_each(|tree| tree.link_down(cx, down.link));
            }
            Notice::WeDoze(true) => self.trees.iter_mut().for_each(|tree| tree.resign(cx)),
            Notice::WeDoze(false) => self.trees.iter_mut().for_each(|tree| tree.wake(cx)),
            Notice::Accepted(accepted) => self.accepted(cx.now, accepted),
            Notice::Climbed(Climbed { slot, document, keys }) => {
                if let Some(tree) = self.tree(*slot) {
                    tree.name(document, keys, cx.now);
                }
            }
            Notice::Missed { slot, supplier: None } => {
                if let Some(tree) = self.tree(*slot) {
                    tree.missed(cx);
                }
            }
            _ => {}
        }
    }

    /// Whether [`Self::tick`] needs to know what peers met by chance want: where we are the root, and have something to say.
    pub(crate) fn needs_crowd(&self, now: Time) -> bool {
        self.trees.iter().any(|tree| tree.is_to_issue(now))
    }

    /// `crowd` is what peers met by chance want, if that is needed.
    pub(crate) fn tick(&mut self, cx: &mut Cx, wants: &Wants, crowd: Crowd) {
        self.want(cx, wants);
        for slot in self.slots().collect::<Vec<_>>() {
            let alone = self.other(slot).is_none();
            let Some(tree) = self.trees.get_mut(usize::from(slot.0)) else { continue };
            if let Some(named) = tree.tick(cx, &self.recent, crowd, alone) {
                self.named(cx, slot, named);
            }
        }
    }

    fn accepted(&mut self, now: Time, accepted: &Accepted) {
        if self.trees.is_empty() {
            return;
        }
        let id = accepted.document.id();
        if accepted.from.is_none() {
            self.await_name(id, now);
        }
        self.recent.insert(id, now);
        let own = self.slot_for(&id);
        let (brought, climbed) = match accepted.way {
            None => (None, Some(own)),
            Some(Way::Up(slot)) => (None, Some(slot)),
            Some(Way::Down(slot)) => (Some(slot), None),
            Some(Way::Aside) => (None, None),
        };
        if let Some(tree) = climbed.and_then(|slot| self.tree(slot)).filter(|tree| tree.is_root()) {
            tree.name(&accepted.document, &accepted.keys(), now);
        }
        if let Some((link, _)) = accepted.from
            && let Some(tree) = brought.and_then(|slot| self.tree(slot))
        {
            tree.brought(link);
        }
    }

    /// The author of this document is told when a root has named it.
    pub(crate) fn await_name(&mut self, id: DocumentId, now: Time) {
        if !self.trees.is_empty() {
            self.ours.insert(id, now);
        }
    }

    /// While there is no root, what has waited here for a neighbour is as new as the network that begins with it: if
    /// we become its root, we name it.
    fn renew(&mut self, now: Time) {
        if self.places().next().is_none() {
            self.ours.all().for_each(|id| self.recent.insert(id, now));
        }
    }

    /// A root has these.
    fn named(&mut self, cx: &mut Cx, slot: Slot, entries: Vec<Entry>) {
        let spreading = self.trees.iter().find_map(Tree::spreading);
        cx.spreading = spreading.unwrap_or(cx.spreading);
        for entry in &entries {
            self.recent.take(&entry.id);
            if let Some(id) = self.ours.take(&entry.id) {
                cx.event(Event::Named { id });
            }
        }
        let depth = self.depth(slot);
        cx.notify(Notice::Named(Named { slot, depth, entries }));
    }

    /// Tells the trees what we want, once that matters, and when it has changed.
    fn want(&mut self, cx: &mut Cx, wants: &Wants) {
        cx.open = wants.is_everything();
        let now = (cx.spreading, wants.registered_version());
        if self.wanted == Some(now) {
            return;
        }
        self.wanted = Some(now);
        // As long as all documents go to all it is nobody's business.
        let keys = match cx.spreading {
            Spreading::Flood => KeySet::EVERYTHING,
            Spreading::Route => wants.registered(),
        };
        for tree in &mut self.trees {
            tree.set_own(keys.clone(), wants.is_everything(), cx.now);
        }
    }

    /// Of a slot that this version knows.
    fn at(&self, slot: Slot) -> Option<&Tree> {
        self.trees.get(usize::from(slot.0))
    }

    fn tree(&mut self, slot: Slot) -> Option<&mut Tree> {
        self.trees.get_mut(usize::from(slot.0))
    }
}

#[cfg(test)]
mod tests;
