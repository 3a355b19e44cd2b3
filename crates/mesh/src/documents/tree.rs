//! Documents through the mesh: pushed along trees, announced on the other links.
//!
//! After Plumtree (Leitão, Pereira, Rodrigues: "Epidemic Broadcast Trees", SRDS 2007), with a tree for
//! each of [`groups::GROUPS`] groups of authors, and each direction of a link for itself: the receiver
//! alone decides of which groups it is pushed documents ([`DocumentFrame::Feed`]); the others are
//! announced at once ([`DocumentFrame::Have`]). A neighbour whose copies of a group are late, more often than
//! not, is to announce that group, if another has proven that it pushes it. A document that does not come
//! as soon after its announcement as pushes usually do is asked for ([`DocumentFrame::Graft`]), and if
//! that happens again its announcer is to push that group. So the first copies draw the trees, and the
//! announcements mend them.

mod asked;
mod groups;
mod lateness;
mod learn;
mod neighbour;
mod unwanted;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::{DocumentId, SignedDocument};
use taiinet_query::DocumentKeys;

use crate::{
    LinkId, Misbehaviour, Time,
    cx::Cx,
    documents::{Kept, Recent},
    limits,
    links::Parcel,
    notice::{Accepted, Notice},
    routes::{Routes, Step},
    sync::Part,
    wire::{DocumentFrame, Way},
};
use asked::Asked;
use groups::{Group, Groups, PerGroup};
use lateness::Lateness;
pub(super) use neighbour::{Neighbour, Sent};
use unwanted::Unwanted;

/// With so many neighbours that are proven to push, a new one is to announce.
const FEEDERS_ENOUGH: usize = 2;

/// What stands between this peer and its neighbours.
#[derive(Debug)]
pub(super) struct Tree {
    neighbours: BTreeMap<LinkId, Neighbour>,
    unwanted: Unwanted,
    asked: Asked,
    lateness: Lateness,
    /// How much of each group had to be asked for, lately.
    lacks: PerGroup<u8>,
    /// While the application is behind, nothing is asked for: so many bytes were taken meanwhile.
    behind: Option<usize>,
    /// While we doze, nothing is gathered.
    dozing: bool,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            neighbours: BTreeMap::new(),
            unwanted: Unwanted::default(),
            asked: Asked::default(),
            lateness: Lateness::default(),
            lacks: PerGroup::all(0),
            behind: None,
            dozing: false,
        }
    }

    /// A link became active: it gets our own documents that no neighbour has taken, and the ids of what it
    /// may have missed.
    pub(super) fn neighbour_up(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        missed: &[DocumentId],
        untaken: impl Iterator<Item = SignedDocument>,
    ) {
        let mut neighbour = Neighbour::new(cx.now);
        neighbour.set_unbatched(self.dozing, cx.now);
        for id in missed {
            neighbour.owe(*id, cx.now);
        }
        let feeds = |other: &&Neighbour| other.is_feeding() && !other.proven().is_empty();
        if self.neighbours.values().filter(feeds).count() >= FEEDERS_ENOUGH {
            neighbour.feeding.prune();
        }
        for document in untaken {
            push(cx, link, &mut neighbour, Parcel::new(&document, 0));
        }
        self.neighbours.insert(link, neighbour);
    }

    /// A link is gone.
    pub(super) fn neighbour_down(&mut self, link: LinkId, now: Time) {
        let Some(gone) = self.neighbours.remove(&link) else { return };
        self.replace(gone.proven());
        for id in self.asked.remove_all_of(link) {
            self.ask_now(&id, now);
        }
    }

    /// Another announcer of this document is gone, or does not have it any more.
    fn ask_now(&mut self, id: &DocumentId, now: Time) {
        for neighbour in self.neighbours.values_mut() {
            neighbour.promises.ask_now(id, now);
        }
    }

    pub(super) fn neighbour(&self, link: LinkId) -> Option<&Neighbour> {
        self.neighbours.get(&link)
    }

    /// A neighbour sent a document: whatever becomes of it, its promise is kept.
    pub(super) fn sent(&mut self, link: LinkId, id: &DocumentId, now: Time) -> Sent {
        self.asked.remove_of(link, id);
        let neighbour = self.neighbours.get_mut(&link);
        neighbour.map_or_else(Sent::default, |neighbour| neighbour.promises.sent(id, now))
    }

    /// Passes on a verified document to all neighbours. Whether it was pushed to any.
    pub(super) fn spread(&mut self, cx: &mut Cx, accepted: &Accepted) -> bool {
        let Accepted { document, hops, from, .. } = accepted;
        let (id, group) = (document.id(), Group::of(&document.author()));
        self.asked.remove(&id);
        let mut parcel = None;
        for (link, neighbour) in &mut self.neighbours {
            // A neighbour that announced it has it.
            let has = neighbour.promises.settled(&id);
            if has || from.is_some_and(|(from, _)| from == *link) {
                continue;
            }
            // Our own goes to all that we believe: no other peer decides whether it is heard of.
            let ours = from.is_none() && !cx.is_suspect(*link);
            if ours || neighbour.feeding.pushed().contains(group) {
                let parcel =
                    parcel.get_or_insert_with(|| Parcel::new(document.signed(), *hops)).clone();
                push(cx, *link, neighbour, parcel);
            } else {
                neighbour.owe(id, cx.now);
            }
        }
        parcel.is_some()
    }

    /// Passes on a verified document to these and no others. Whether it was pushed to any.
    pub(super) fn route(
        &mut self,
        cx: &mut Cx,
        accepted: &Accepted,
        steps: &BTreeMap<LinkId, Step>,
    ) -> bool {
        let id = accepted.document.id();
        self.asked.remove(&id);
        let mut have = BTreeSet::new();
        for (link, neighbour) in &mut self.neighbours {
            if neighbour.promises.settled(&id) {
                have.insert(*link);
            }
        }
        // A neighbour that announced it has it; but it may not have sent it up.
        let lacks = |(link, step): &(&LinkId, &Step)| {
            matches!(step, Step::Push(Way::Up(_))) || !have.contains(*link)
        };
        let steps: BTreeMap<LinkId, Step> =
            steps.iter().filter(lacks).map(|(link, step)| (*link, *step)).collect();
        self.send(cx, accepted.document.signed(), (accepted.hops, accepted.also.as_ref()), &steps);
        steps.values().any(|step| !matches!(step, Step::Announce))
    }

    /// Passes on a document that is here to some more.
    pub(super) fn pass(
        &mut self,
        cx: &mut Cx,
        id: DocumentId,
        steps: &BTreeMap<LinkId, Step>,
        also: Option<&DocumentKeys>,
    ) {
        let Some(kept) = cx.store.get(&id) else { return };
        let (document, hops) = (kept.signed().clone(), kept.hops());
        self.send(cx, &document, (hops, also), steps);
    }

    fn send(
        &mut self,
        cx: &mut Cx,
        document: &SignedDocument,
        (hops, also): (u8, Option<&DocumentKeys>),
        steps: &BTreeMap<LinkId, Step>,
    ) {
        let mut parcels: BTreeMap<Way, Parcel> = BTreeMap::new();
        for (link, step) in steps {
            let Some(neighbour) = self.neighbours.get_mut(link) else { continue };
            match step {
                Step::Push(way) => {
                    let parcel = parcels.entry(*way);
                    let parcel = parcel
                        .or_insert_with(|| Parcel::routed(document, (hops, *way), also.cloned()));
                    push(cx, *link, neighbour, parcel.clone());
                }
                Step::Announce => neighbour.owe(document.id(), cx.now),
                Step::Plain => push(cx, *link, neighbour, Parcel::new(document, hops)),
            }
        }
    }

    /// A neighbour has brought a document that it was to pass to us.
    pub(super) fn received_routed(&mut self, link: LinkId) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.received += 1;
        }
    }

    /// What was refused may be wanted after all.
    pub(super) fn reconsider(&mut self) {
        self.unwanted.clear();
    }

    /// A neighbour announces documents; `believed`: we rely on it. Gives those that we have.
    ///
    /// # Errors
    /// [`Misbehaviour::AnnouncementFlood`], [`Misbehaviour::Oversize`].
    pub(super) fn announced(
        &mut self,
        link: LinkId,
        ids: &[DocumentId],
        believed: bool,
        store: &Recent,
        now: Time,
    ) -> Result<Vec<DocumentId>, Misbehaviour> {
        if ids.len() > limits::IDS_PER_FRAME {
            return Err(Misbehaviour::Oversize);
        }
        // Without one that pushes there is nothing to wait for.
        let fed = self.neighbours.values().any(Neighbour::is_feeding);
        let wait = if fed { self.lateness.wait() } else { Duration::ZERO };
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return Ok(Vec::new()) };
        if !neighbour.may_announce(ids.len(), now) {
            return Err(Misbehaviour::AnnouncementFlood);
        }
        let mut ours = Vec::new();
        for id in ids {
            if store.has_seen(id) {
                ours.push(*id);
            } else if believed && !self.unwanted.contains(id) {
                neighbour.promise(*id, wait, now);
            }
        }
        Ok(ours)
    }

    /// A neighbour asks for documents. About what we never had nothing is said.
    ///
    /// # Errors
    /// [`Misbehaviour::RequestFlood`], [`Misbehaviour::Oversize`].
    pub(super) fn grafted(
        &mut self,
        link: LinkId,
        ids: &[DocumentId],
        store: &Recent,
    ) -> Result<(), Misbehaviour> {
        if ids.len() > limits::IDS_PER_FRAME {
            return Err(Misbehaviour::Oversize);
        }
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return Ok(()) };
        for id in ids.iter().filter(|id| store.has_seen(id)) {
            neighbour.serving.request(*id, store.get(id).is_some())?;
        }
        Ok(())
    }

    /// A neighbour does not have these any more: others are asked, and it is not to blame.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`], [`Misbehaviour::Oversize`].
    pub(super) fn gone(
        &mut self,
        link: LinkId,
        ids: &[DocumentId],
        now: Time,
    ) -> Result<(), Misbehaviour> {
        if ids.len() > limits::IDS_PER_FRAME {
            return Err(Misbehaviour::Oversize);
        }
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return Ok(()) };
        for id in neighbour.promises.gone(ids, now)? {
            if self.asked.remove_of(link, &id) {
                self.ask_now(&id, now);
            }
        }
        Ok(())
    }

    /// A neighbour says of which groups to push to it.
    pub(super) fn feed(&mut self, link: LinkId, groups: u64) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.feeding.set_pushed(Groups::from_bits(groups));
        }
    }

    /// A neighbour is in the middle of sending something.
    pub(super) fn progress(&mut self, link: LinkId, now: Time) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.promises.progress(now);
        }
    }

    /// Moves what the neighbour asked for into its lane, as far as there is room, and tells it what is
    /// gone.
    pub(super) fn serve(&mut self, cx: &mut Cx, link: LinkId, routes: &Routes) {
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        let Some(state) = cx.links.get_mut(link) else { return };
        while state.lanes.has_room()
            && let Some(id) = neighbour.serving.requested()
        {
            match cx.store.get(&id) {
                Some(kept) if state.lanes.push(answer(kept, routes, state.has_trees)) => {
                    neighbour.serving.served();
                }
                Some(_) => break,
                None => neighbour.serving.not_served(),
            }
        }
        if let Some(gone) = neighbour.serving.tell_gone() {
            cx.send(link, gone);
        }
    }

    /// Whether the neighbour waits for documents that it asked for.
    pub(super) fn has_requests(&self, link: LinkId) -> bool {
        self.neighbours.get(&link).is_some_and(|neighbour| neighbour.serving.requested().is_some())
    }

    /// The application fell behind, or caught up.
    pub(super) fn set_behind(&mut self, behind: bool, now: Time) {
        if self.behind.is_some() && !behind {
            for neighbour in self.neighbours.values_mut() {
                neighbour.promises.progress(now);
            }
        }
        self.behind = behind.then(|| self.behind.unwrap_or_default());
    }

    /// Whether the application is behind.
    pub(super) const fn is_behind(&self) -> bool {
        self.behind.is_some()
    }

    /// Whether there is room for a document from `link`. While the application is behind there is for
    /// some, whatever the number of links; what has none is fetched later.
    pub(super) fn has_room(&mut self, link: LinkId, bytes: usize, now: Time) -> bool {
        let Some(taken) = &mut self.behind else { return true };
        *taken = taken.saturating_add(bytes);
        let room = *taken <= limits::BEHIND_BYTES;
        if !room && let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.promises.schedule_compare(now);
        }
        room
    }

    /// A neighbour lacks some of these.
    pub(super) fn announce_missing(&mut self, link: LinkId, ids: &[DocumentId], now: Time) {
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        for id in ids {
            neighbour.owe(*id, now);
        }
    }

    /// Something of what a neighbour has may have escaped us.
    pub(super) fn schedule_compare(&mut self, link: LinkId, now: Time) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.promises.schedule_compare(now);
        }
    }

    /// A neighbour is not relied on any more.
    pub(super) fn distrust(&mut self, link: LinkId) {
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        let proven = neighbour.proven();
        neighbour.feeding.prune();
        neighbour.feeding.set_pushed(Groups::NONE);
        self.replace(proven);
    }

    /// We begin or cease to doze.
    pub(super) fn set_dozing(&mut self, dozing: bool, now: Time) {
        self.dozing = dozing;
        for neighbour in self.neighbours.values_mut() {
            neighbour.set_unbatched(dozing, now);
        }
    }

    /// A neighbour begins or ceases to doze: then it is to announce and not to push, if others are there
    /// to serve us. We go on pushing to it.
    pub(super) fn neighbour_dozes(&mut self, link: LinkId, dozing: bool) {
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        let proven = neighbour.proven();
        neighbour.dozing = dozing;
        if dozing
            && self.neighbours.values().any(|neighbour| !neighbour.dozing)
            && let Some(neighbour) = self.neighbours.get_mut(&link)
        {
            neighbour.feeding.prune();
            self.replace(proven);
        }
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, cx: &mut Cx) {
        let now = cx.now;
        // Neighbours that are awake, and have answered before, are asked first.
        let mut order: Vec<(bool, LinkId)> =
            self.neighbours.iter().map(|(link, other)| (other.is_last_choice(), *link)).collect();
        order.sort_unstable();
        let heard =
            self.neighbours.iter().map(|(link, other)| (*link, other.promises.progressed()));
        self.asked.note_heard(heard, self.lateness.wait());
        for (_, link) in order {
            let Some(neighbour) = self.neighbours.get_mut(&link) else { continue };
            if let Some(state) = cx.links.get_mut(link) {
                state.relied_on = neighbour.proven().len();
            }
            if let Some(frame) = neighbour.feeding.tell(now) {
                cx.send(link, frame);
            }
            let unread = cx.links.get(link).is_some_and(|link| link.work.has_waiting());
            let ready = cx.links.get(link).is_some_and(|link| link.lanes.has_control_room());
            if !ready {
                neighbour.hold_announcements(now);
            } else if let Some(frame) = neighbour.announce(now) {
                cx.send(link, frame);
            }
            if self.behind.is_some() {
                continue;
            }
            if neighbour.promises.compares(now) {
                cx.notify(Notice::Compare { link, part: Part::Next });
            }
            if let Some(broken) = neighbour.promises.broken(unread, now) {
                for id in broken {
                    self.asked.remove_of(link, &id);
                }
                if !neighbour.dozing {
                    cx.charge(link, Misbehaviour::BrokenPromise);
                }
            }
            if let Some(ids) = neighbour.promises.ask(link, &mut self.asked, &cx.store, now) {
                cx.counters.grafted += ids.len() as u64;
                cx.send(link, DocumentFrame::Graft(ids));
            }
        }
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Time> {
        let behind = self.behind.is_some();
        self.neighbours.values().filter_map(|neighbour| neighbour.deadline(behind)).min()
    }
}

/// A document for a neighbour that asked for it, sent as it came to us.
fn answer(kept: &Kept, routes: &Routes, has_trees: bool) -> Parcel {
    match routes.also(&kept.signed().id()).filter(|_| has_trees) {
        Some(also) => Parcel::routed(kept.signed(), (kept.hops(), Way::Aside), also.cloned()),
        None => Parcel::new(kept.signed(), kept.hops()),
    }
}

/// Queues a document for a neighbour; if its lane is full, it is announced instead.
fn push(cx: &mut Cx, link: LinkId, neighbour: &mut Neighbour, parcel: Parcel) {
    let Some(state) = cx.links.get_mut(link) else { return };
    let id = parcel.id();
    if state.lanes.push(parcel) {
        cx.links.touch(link);
    } else {
        neighbour.owe(id, cx.now);
    }
}

#[cfg(test)]
mod tests;
