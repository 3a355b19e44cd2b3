//! The parent: which neighbour it is, and when another one takes its place.

use super::{GAP, Tree, dozes};
use crate::{
    LinkId, Time,
    cx::Cx,
    limits,
    owed::Owed,
    wire::{Join, TreeFrame},
};

impl Tree {
    /// This neighbour is the parent from now on.
    pub(in crate::trees) fn join(&mut self, cx: &mut Cx, link: LinkId) {
        self.below.left(link, cx.now);
        let former = self.former.take().filter(|(former, _)| *former != link);
        if let Some(parent) = self.parent.filter(|parent| *parent != link) {
            if let Some((former, _)) = former {
                cx.send(former, TreeFrame::Leave(self.slot));
            }
            self.former = Some((parent, cx.now.after(limits::LEAVE_AFTER)));
        } else {
            self.former = former;
        }
        if self.parent.replace(link) != Some(link) {
            (self.owed, self.incomplete) = (Owed::default(), 1);
        }
        for neighbour in self.around.keys() {
            self.mark(cx, *neighbour);
        }
        let newest = self.following.as_ref().map(|root| (root.root, root.whole));
        let brings = self.below.all(self.is_open, cx.now);
        let join = Join { slot: self.slot, newest, brings };
        cx.send(link, TreeFrame::Join(join));
    }

    /// Gives the parent that there was.
    pub(super) fn lose_parent(&mut self, cx: &mut Cx) -> Option<LinkId> {
        let parent = self.parent.take()?;
        self.mark(cx, parent);
        Some(parent)
    }

    /// Takes a parent that stands much nearer to the root, if there is one.
    pub(super) fn improve(&mut self, cx: &mut Cx) {
        let Some(parent) = self.parent else { return };
        let reach = if dozes(cx, parent) { self.depth } else { self.depth.saturating_sub(2) };
        self.join_nearest(cx, reach);
    }

    /// The parent has brought a document.
    pub(in crate::trees) fn brought(&mut self, link: LinkId) {
        if self.parent == Some(link) {
            self.owed.brought();
        }
    }

    /// It has not brought one that the root had named: if that happens again and again, and there is another
    /// neighbour that may be the parent, that one is from now on.
    pub(in crate::trees) fn missed(&mut self, cx: &mut Cx) {
        let Some(parent) = self.parent else { return };
        if !self.owed.missed() {
            return;
        }
        self.owed = Owed::default();
        self.leave(cx, parent);
    }

    /// A bulletin of the parent has come. Where it shows that one before is missing, the parent is asked for that. If it does not
    /// come in as many beats as there are links to the root, the parent is left: what is missing further up is brought by then.
    /// It may be the root that lies, so few parents are left for that.
    pub(super) fn mend_gap(&mut self, cx: &mut Cx, parent: LinkId, has_gap: bool) {
        if !has_gap {
            self.incomplete = 0;
            return;
        }
        self.incomplete = self.incomplete.saturating_add(1);
        if self.incomplete == 1 {
            self.join(cx, parent);
        } else if self.incomplete > 1 + self.depth.min(limits::GAP_HOPS)
            && self.gaps.take(GAP, cx.now)
        {
            self.leave(cx, parent);
        }
    }

    /// Another neighbour is to be the parent, if there is one that may be.
    fn leave(&mut self, cx: &mut Cx, parent: LinkId) {
        self.rests(parent, Some(cx.now.after(limits::OWED_RESTS)));
        // One that stands no deeper than we do is not below us.
        self.join_nearest(cx, self.depth.saturating_add(1));
        if self.parent == Some(parent) {
            self.rests(parent, None);
        }
    }

    /// A neighbour is no parent before then.
    pub(super) fn rests(&mut self, link: LinkId, until: Option<Time>) {
        if let Some(around) = self.around.get_mut(&link) {
            around.rests_until = until;
        }
    }

    /// Joins the neighbour that stands nearest to the root, if it is less than so far.
    pub(in crate::trees) fn join_nearest(&mut self, cx: &mut Cx, reach: u8) {
        let Some(root) = &self.following else { return };
        let nearer = self.around.iter().filter(|(link, around)| {
            around.root == Some(root.root)
                && around.depth.is_some_and(|depth| depth < reach)
                && !self.below.contains(**link)
                && !around.rests(cx.now)
                && !dozes(cx, **link)
        });
        let best = nearer.min_by_key(|(link, around)| (around.depth, **link));
        if let Some((link, around)) = best.map(|(link, around)| (*link, *around)) {
            self.join(cx, link);
            self.depth = around.depth.unwrap_or_default().saturating_add(1);
            self.tell_later(cx.now);
        }
    }

    /// Another neighbour on the way up than the parent: the one that stands nearest, then others by turns.
    pub(in crate::trees) fn way_up(&self, turn: u8) -> Option<LinkId> {
        let root = self.following.as_ref()?.root;
        let mut others: Vec<(u8, LinkId)> = self
            .around
            .iter()
            .filter(|(link, around)| {
                around.root == Some(root)
                    && Some(**link) != self.parent
                    && !self.below.contains(**link)
            })
            .filter_map(|(link, around)| Some((around.depth?, *link)))
            .collect();
        others.sort_unstable();
        let turn = usize::from(turn).checked_rem(others.len())?;
        others.get(turn).map(|(_, link)| *link)
    }
}
