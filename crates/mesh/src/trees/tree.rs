//! One tree, as a peer in it sees it.
//!
//! - **It follows a root**: that of the best rank of those that it has heard of and that are not silent.
//! - Its **parent** is the neighbour that brought it a bulletin which it did not have. What is newer is passed to its
//!   children, so a parent's newest bulletin is never older than a child's; where parents form a circle nothing is
//!   new, and the circle breaks when they starve.
//! - It **starves** when no bulletin is new for some time. Then it tells its neighbours so ([`Beacon`] without a depth), and the
//!   first to bring a newer one is its parent.
//! - After some more time the root counts as **gone**. Then it may offer itself, in its turn ([`Rank::wait`]).

mod parent;
mod root;

use std::collections::BTreeMap;

use taiinet_identity::{PeerId, Verified};
use taiinet_query::{DocumentKeys, KeySet, RoutingKey};

use super::{
    below::Below,
    following::Following,
    office::{Office, Rank},
    tombs::Tombs,
    unnamed::Unnamed,
};
use crate::{
    Budget, LinkId, Misbehaviour, Time,
    cx::Cx,
    limits,
    membership::Crowd,
    notice::Notice,
    owed::Owed,
    routes::Spreading,
    wire::{Beacon, Brings, Bulletin, Entry, Join, Passed, Slot, TreeFrame, VERIFICATION},
};

/// Where we stand in a tree, for [`crate::TreeStatus`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) slot: Slot,
    pub(crate) root: PeerId,
    pub(crate) parent: Option<LinkId>,
    pub(crate) depth: u8,
    pub(crate) children: usize,
    pub(crate) peers: u32,
}

/// What a change of the root takes of [`limits::ROOT_CHANGES`].
const CHANGE: usize = 60;
/// What leaving a parent because bulletins are missing takes of [`limits::GAPS`].
const GAP: usize = 30;

#[derive(Debug)]
pub(super) struct Tree {
    slot: Slot,
    following: Option<Following>,
    parent: Option<LinkId>,
    /// What the parent failed to bring, as it counts.
    owed: Owed,
    /// The parent before, which is told a little later: until then it serves.
    former: Option<(LinkId, Time)>,
    /// How many links lead to the root.
    depth: u8,
    below: Below,
    /// Where the neighbours stand, as they say.
    around: BTreeMap<LinkId, Around>,
    tombs: Tombs,
    office: Option<Office>,
    /// When we offer ourselves, if there is no root then.
    stand_at: Option<Time>,
    improve_at: Time,
    /// How often a root that is there may give way to a better one.
    changes: Budget,
    /// How often a parent may be left because bulletins are missing.
    gaps: Budget,
    /// How many of the parent have come while one before was missing.
    incomplete: u8,
    /// What neighbours were told of our place, and when they are told anew.
    told: (Option<PeerId>, Option<u8>),
    tell_at: Option<Time>,
    /// Whether we want everything ourselves.
    is_open: bool,
}

/// To which neighbours a bulletin goes.
#[derive(Debug, Clone, Copy)]
enum To {
    Children,
    /// The children, and those that starve.
    Lacking,
    All,
}

/// A neighbour's place.
#[derive(Debug, Clone, Copy)]
struct Around {
    root: Option<PeerId>,
    /// None: it has no parent.
    depth: Option<u8>,
    /// When it was sent a bulletin outside of the tree last,
    helped_at: Option<Time>,
    /// and those that it had missed when it joined.
    caught_up_at: Option<Time>,
    /// As a parent it failed to bring bulletins, or what they named: it is none before then.
    rests_until: Option<Time>,
}

impl Around {
    fn rests(&self, now: Time) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }
}

impl Tree {
    pub(super) fn new(slot: Slot, cx: &mut Cx) -> Self {
        Self {
            slot,
            following: None,
            parent: None,
            owed: Owed::default(),
            former: None,
            depth: 0,
            below: Below::new(cx.now),
            around: BTreeMap::new(),
            tombs: Tombs::default(),
            office: None,
            stand_at: None,
            changes: Budget::new(limits::ROOT_CHANGES, cx.now),
            gaps: Budget::new(limits::GAPS, cx.now),
            incomplete: 0,
            improve_at: cx.now.after(cx.rng.jitter(limits::IMPROVE_EVERY)),
            told: (None, None),
            tell_at: None,
            is_open: false,
        }
    }

    // ---- Questions ----

    pub(super) fn place(&self) -> Option<Place> {
        let following = self.following.as_ref()?;
        Some(Place {
            slot: self.slot,
            root: following.root,
            parent: self.parent,
            depth: self.depth,
            children: self.below.len(),
            peers: following.peers,
        })
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Time> {
        if self.around.is_empty() {
            return None;
        }
        let root = match (&self.office, &self.following) {
            (Some(office), _) => Some(office.due()),
            // A peer that starves has said so.
            (None, Some(following)) if self.told.1.is_none() => Some(following.gone_at()),
            (None, Some(following)) => Some(following.starves_at()),
            (None, None) => self.stand_at,
        };
        let improve = self.parent.map(|_| self.improve_at);
        let former = self.former.map(|(_, at)| at);
        [root, improve, former, self.tell_at, self.below.deadline()].into_iter().flatten().min()
    }

    /// Whether we are the root, and a bulletin is due.
    pub(super) fn is_to_issue(&self, now: Time) -> bool {
        self.office.as_ref().is_some_and(|office| now >= office.due())
    }

    pub(super) const fn is_root(&self) -> bool {
        self.office.is_some()
    }

    /// The neighbour towards the root.
    pub(super) const fn parent(&self) -> Option<LinkId> {
        self.parent
    }

    pub(super) const fn depth(&self) -> u8 {
        self.depth
    }

    /// How documents spread, as the root says; none while there is none.
    pub(super) fn spreading(&self) -> Option<Spreading> {
        self.following.as_ref().and_then(Following::spreading)
    }

    /// The children that want a document, or have some below them that do.
    pub(super) fn children_that_want(&self, keys: &DocumentKeys) -> Vec<LinkId> {
        self.below.that_want(keys)
    }

    /// The children that want a key or one that covers it, or have some below them that do.
    pub(super) fn children_that_seek(&self, key: &RoutingKey) -> Vec<LinkId> {
        self.below.that_seek(key)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.below.heap_bytes()
    }

    fn is_attached(&self, now: Time) -> bool {
        self.office.is_some()
            || self.parent.is_some()
                && self.following.as_ref().is_some_and(|root| now < root.starves_at())
    }

    fn beacon_of(&self, now: Time) -> Beacon {
        let follows = self.following.as_ref().map(|root| (root.root, root.newest));
        let depth = self.is_attached(now).then_some(self.depth);
        Beacon { slot: self.slot, follows, depth }
    }

    // ---- Neighbours ----

    pub(super) fn neighbour_up(&mut self, cx: &mut Cx, link: LinkId) {
        if !cx.links.get(link).is_some_and(|link| link.has_trees) {
            return;
        }
        self.around.insert(
            link,
            Around {
                root: None,
                depth: Some(0),
                helped_at: None,
                caught_up_at: None,
                rests_until: None,
            },
        );
        let beacon = self.beacon_of(cx.now);
        cx.send(link, TreeFrame::Beacon(beacon));
        if self.following.is_none() {
            self.will_stand(cx);
        }
    }

    pub(super) fn link_down(&mut self, cx: &mut Cx, link: LinkId) {
        self.around.remove(&link);
        self.former = self.former.filter(|(former, _)| *former != link);
        self.left(cx, link);
        if self.parent == Some(link) {
            self.lose_parent(cx);
            // A neighbour that stands no deeper than we did is not below us.
            self.join_nearest(cx, self.depth.saturating_add(1));
            self.tell(cx);
        }
        if self.around.is_empty() {
            self.resign(cx);
            self.stand_at = None;
        }
    }

    /// A neighbour says where it stands.
    pub(super) fn beacon(&mut self, cx: &mut Cx, link: LinkId, beacon: &Beacon) {
        let Some(around) = self.around.get_mut(&link) else { return };
        around.root = beacon.follows.map(|(root, _)| root);
        around.depth = beacon.depth.map(|depth| depth.min(limits::TREE_DEPTH));
        let Some(ours) = &self.following else { return };
        let is_newer = beacon.follows.is_none_or(|(root, newest)| {
            if root == ours.root {
                beacon.depth.is_none() && newest < ours.newest
            } else {
                ours.rank < Rank::of(self.slot, &root) || beacon.depth.is_none()
            }
        });
        if is_newer && cx.now < ours.gone_at() {
            self.help(cx, link);
        }
    }

    /// Sends our newest bulletin to a neighbour that lacks it and is no child, once a beat at most.
    fn help(&mut self, cx: &mut Cx, link: LinkId) {
        let Some(around) = self.around.get_mut(&link) else { return };
        if !is_time_again(&mut around.helped_at, cx.now) {
            return;
        }
        if let Some(bulletin) = self.following.as_ref().and_then(Following::latest) {
            let passed = Passed { depth: self.depth, bulletin: bulletin.clone() };
            cx.send(link, TreeFrame::Bulletin(passed));
        }
    }

    /// A neighbour would be our child.
    pub(super) fn joined(&mut self, cx: &mut Cx, link: LinkId, join: Join) {
        if !self.around.contains_key(&link) {
            return;
        }
        self.below.brings(link, join.brings, true, cx.now);
        self.mark(cx, link);
        if self.parent == Some(link) {
            self.lose_parent(cx);
            self.tell(cx);
        }
        // A peer that joins again and again shall not have us say the same each time.
        let Some(around) = self.around.get_mut(&link) else { return };
        if !is_time_again(&mut around.caught_up_at, cx.now) {
            return;
        }
        let Some(ours) = &self.following else { return };
        let missed = match join.newest {
            Some((root, newest)) if root == ours.root => ours.since(newest),
            _ => ours.latest().cloned().into_iter().collect(),
        };
        for bulletin in missed {
            cx.send(link, TreeFrame::Bulletin(Passed { depth: self.depth, bulletin }));
        }
    }

    /// A child brings something else.
    pub(super) fn brings(&mut self, cx: &mut Cx, link: LinkId, brings: Brings) {
        self.below.brings(link, brings, false, cx.now);
        self.mark(cx, link);
    }

    /// A child has another parent.
    pub(super) fn left(&mut self, cx: &mut Cx, link: LinkId) {
        self.below.left(link, cx.now);
        self.mark(cx, link);
    }

    /// Its link is kept, if another can go, while it is part of the tree.
    fn mark(&self, cx: &mut Cx, link: LinkId) {
        let Some(state) = cx.links.get_mut(link) else { return };
        let before = (state.leads_up, state.brings);
        state.leads_up.set(self.slot, self.parent == Some(link));
        if let Some(brings) = state.brings.get_mut(usize::from(self.slot.0)) {
            *brings = self.below.brought_by(link);
        }
        if before != (state.leads_up, state.brings) {
            cx.notify(Notice::Moved);
        }
    }

    /// What we want ourselves has changed.
    pub(super) fn set_own(&mut self, keys: KeySet, is_open: bool, now: Time) {
        self.is_open = is_open;
        self.below.set_own(keys, now);
    }

    // ---- Bulletins ----

    /// A bulletin has come. Gives what it names if it is new.
    ///
    /// # Errors
    /// [`Misbehaviour::WrongNetwork`], [`Misbehaviour::InvalidSignature`].
    pub(super) fn bulletin(
        &mut self,
        cx: &mut Cx,
        from: LinkId,
        passed: Passed,
        bulletin: Bulletin,
    ) -> Result<Option<Vec<Entry>>, Misbehaviour> {
        if bulletin.network != cx.config.network {
            return Err(Misbehaviour::WrongNetwork);
        }
        let Passed { depth, bulletin: signed } = passed;
        let root = signed.signer();
        let Some(around) = self.around.get_mut(&from) else { return Ok(None) };
        (around.root, around.depth) = (Some(root), Some(depth.min(limits::TREE_DEPTH)));
        let in_time = cx.now.is_of_late(bulletin.issued_at, limits::BEAT_IDLE * 3);
        let ours = root == cx.id();
        if ours
            || !in_time
            || depth >= limits::TREE_DEPTH
            || self.tombs.holds(&root, bulletin.issued_at)
        {
            return Ok(None);
        }
        let rank = Rank::of(self.slot, &root);
        let mut gives_way = false;
        let same = match &self.following {
            Some(known) if known.root == root => {
                if !known.lacks(bulletin.issued_at) {
                    return Ok(None);
                }
                true
            }
            Some(known) if known.rank < rank && cx.now < known.gone_at() => {
                // It follows a root that is to give way, and does not know of ours.
                self.help(cx, from);
                return Ok(None);
            }
            // It is to give way to a better one, but not to one after the other.
            Some(known) if cx.now < known.gone_at() => {
                if !self.changes.has(CHANGE, cx.now) {
                    return Ok(None);
                }
                gives_way = true;
                false
            }
            _ => false,
        };
        cx.spend(from, VERIFICATION);
        let verified = signed.verify().map_err(|_| Misbehaviour::InvalidSignature)?;
        if gives_way {
            self.changes.take(CHANGE, cx.now);
        }
        if !same {
            self.follow(root, rank, cx.now);
        }
        let starved = !self.is_attached(cx.now);
        let Some(following) = &mut self.following else { return Ok(None) };
        let newest = following.newest;
        following.hears(verified.signed().clone(), &verified, cx.now);
        let has_gap = following.has_gap();
        if cx.now >= following.since.after(limits::TOMB_FORGOTTEN) {
            self.tombs.forget(&root);
        }
        if bulletin.issued_at < newest {
            // It was missing here, and so it is below us.
            self.pass(cx, &verified, Some(from), To::Children);
            return Ok(Some(bulletin.named));
        }
        if !same || starved && self.parent != Some(from) {
            // Of a root that gave way nothing newer was to come.
            if let Some(parent) = self.parent.filter(|_| same) {
                self.rests(parent, Some(cx.now.after(limits::STARVED_RESTS)));
            }
            self.join(cx, from);
        } else if self.parent == Some(from) {
            self.mend_gap(cx, from, has_gap);
        }
        if self.parent == Some(from) {
            self.depth = depth.saturating_add(1);
        }
        self.pass(cx, &verified, Some(from), if same { To::Lacking } else { To::All });
        self.tell_later(cx.now);
        Ok(Some(bulletin.named))
    }

    /// From now on this is the root.
    fn follow(&mut self, root: PeerId, rank: Rank, now: Time) {
        if self.office.take().is_none()
            && let Some(silent) = self.following.take().filter(|root| now >= root.starves_at())
        {
            self.tombs.bury(silent.root, silent.newest);
        }
        self.following = Some(Following::new(root, rank, now));
        self.stand_at = None;
    }

    /// A bulletin goes on.
    fn pass(&self, cx: &mut Cx, bulletin: &Verified<Bulletin>, not: Option<LinkId>, to: To) {
        let to = self.around.iter().filter(|(link, around)| {
            Some(**link) != not
                && match to {
                    To::Children => self.below.contains(**link),
                    To::Lacking => self.below.contains(**link) || around.depth.is_none(),
                    To::All => true,
                }
        });
        let to: Vec<LinkId> = to.map(|(link, _)| *link).collect();
        for link in to {
            // One that does not keep up is not worth the link.
            if cx.links.get(link).is_some_and(|link| link.takes_more()) {
                let passed = Passed { depth: self.depth, bulletin: bulletin.signed().clone() };
                cx.send(link, TreeFrame::Bulletin(passed));
            }
        }
    }

    // ---- Time ----

    /// Does what is due. Gives what we name, if we are the root and have just said so. `alone`: no other tree has a root.
    pub(super) fn tick(
        &mut self,
        cx: &mut Cx,
        recent: &Unnamed,
        crowd: Crowd,
        alone: bool,
    ) -> Option<Vec<Entry>> {
        let now = cx.now;
        if let Some((former, at)) = self.former
            && now >= at
        {
            self.former = None;
            cx.send(former, TreeFrame::Leave(self.slot));
        }
        let named = if self.is_to_issue(now) {
            self.name_late(cx, recent);
            self.issue(cx, crowd)
        } else {
            None
        };
        if self.office.is_none() {
            self.look_after_root(cx, recent, alone);
        }
        if now >= self.improve_at {
            self.improve_at = now.after(cx.rng.jitter(limits::IMPROVE_EVERY));
            self.improve(cx);
        }
        if let Some(brings) = self.below.news(self.is_open, now)
            && let Some(parent) = self.parent
        {
            cx.send(parent, TreeFrame::Brings(self.slot, brings));
        }
        if self.tell_at.is_some_and(|at| now >= at) {
            self.tell(cx);
        }
        named
    }

    fn look_after_root(&mut self, cx: &mut Cx, recent: &Unnamed, alone: bool) {
        if let Some(root) = &self.following {
            if cx.now >= root.gone_at() {
                self.tombs.bury(root.root, root.newest);
                self.will_stand(cx);
                self.following = None;
                self.tell(cx);
            } else if cx.now >= root.starves_at() && self.told.1.is_some() {
                self.tell(cx);
            }
        }
        if self.stand_at.is_some_and(|at| cx.now >= at) {
            self.stand(cx, recent, alone);
        }
    }

    /// Where we stand may have changed: neighbours are told before long.
    fn tell_later(&mut self, now: Time) {
        if self.told != place_in(&self.beacon_of(now)) {
            self.tell_at.get_or_insert(now.after(limits::BEACON_EVERY));
        }
    }

    /// Tells all neighbours but the children, which hear it from the bulletins, where we stand, if that is news.
    fn tell(&mut self, cx: &mut Cx) {
        self.tell_at = None;
        let beacon = self.beacon_of(cx.now);
        let place = place_in(&beacon);
        if core::mem::replace(&mut self.told, place) == place {
            return;
        }
        let others = self.around.keys().filter(|link| !self.below.contains(**link));
        for link in others.copied().collect::<Vec<_>>() {
            cx.send(link, TreeFrame::Beacon(beacon.clone()));
        }
    }
}

/// Whether half a beat is over since the last time; then that is now.
fn is_time_again(last: &mut Option<Time>, now: Time) -> bool {
    let is_time = last.is_none_or(|last| now >= last.after(limits::BEAT / 2));
    if is_time {
        *last = Some(now);
    }
    is_time
}

/// What is news of a beacon: the root, and how far it is.
fn place_in(beacon: &Beacon) -> (Option<PeerId>, Option<u8>) {
    (beacon.follows.map(|(root, _)| root), beacon.depth)
}

fn dozes(cx: &Cx, link: LinkId) -> bool {
    cx.links.get(link).is_none_or(|link| link.dozing)
}
