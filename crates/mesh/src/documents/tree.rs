//! The way of documents through the mesh: eager pushes along a tree, announcements on the other links.
//!
//! After Plumtree (Leitão, Pereira, Rodrigues: "Epidemic Broadcast Trees", SRDS 2007). A new link is
//! *eager*. Who gets a second copy prunes the link it came over: it turns *lazy*, and carries
//! announcements ([`DocumentFrame::Have`]) instead. Who misses an announced document grafts
//! the announcer: it sends the document, and the link is eager again. So the first copies draw a
//! tree, and the announcements mend it.

mod neighbour;

use core::time::Duration;
use std::{collections::BTreeMap, sync::Arc};

use taiinet_document::{DocumentId, VerifiedDocument};

use crate::{
    LinkId, Misbehaviour, Time,
    cx::Cx,
    documents::Recent,
    limits,
    links::Parcel,
    notice::{Accepted, Notice},
    rng::Rng,
    wire::DocumentFrame,
};
use neighbour::Neighbour;

/// What stands between this peer and its neighbours.
#[derive(Debug)]
pub(super) struct Tree {
    neighbours: BTreeMap<LinkId, Neighbour>,
    /// Which neighbour was asked for a document, and when.
    asked: BTreeMap<DocumentId, (LinkId, Time)>,
    /// While the application is behind, nothing is asked for: so many bytes were taken meanwhile.
    behind: Option<usize>,
    /// While we doze, nothing is gathered.
    dozing: bool,
    /// We are about to leave: what we still say cannot be asked for.
    leaving: bool,
    rng: Rng,
    /// How long this peer waits for an announced document to be pushed. It differs from peer to
    /// peer and from time to time: where a whole part of the tree was cut off, the first of it that
    /// grafts serves the others, and no second edge is made.
    patience: Duration,
}

impl Tree {
    pub(super) fn new(mut rng: Rng) -> Self {
        Self {
            neighbours: BTreeMap::new(),
            asked: BTreeMap::new(),
            behind: None,
            dozing: false,
            leaving: false,
            patience: patience(&mut rng),
            rng,
        }
    }

    /// A link became active: it gets our own documents that nobody has taken, and the ids of what it
    /// may have missed.
    pub(super) fn neighbour_up(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        missed: &[DocumentId],
        untaken: impl Iterator<Item = Arc<VerifiedDocument>>,
    ) {
        let mut neighbour = Neighbour::new(cx.now);
        neighbour.set_unbatched(self.dozing, cx.now);
        for id in missed {
            neighbour.owe(*id, cx.now);
        }
        self.neighbours.insert(link, neighbour);
        for document in untaken {
            self.push(cx, link, Parcel::new(&document, 0));
        }
    }

    /// A link is gone.
    pub(super) fn neighbour_down(&mut self, link: LinkId, now: Time) {
        self.neighbours.remove(&link);
        let orphans: Vec<DocumentId> =
            self.asked.iter().filter(|(_, (asked, _))| *asked == link).map(|(id, _)| *id).collect();
        for id in orphans {
            self.asked.remove(&id);
            for neighbour in self.neighbours.values_mut() {
                neighbour.ask_now(&id, now);
            }
        }
    }

    pub(super) fn neighbour(&self, link: LinkId) -> Option<&Neighbour> {
        self.neighbours.get(&link)
    }

    /// Passes on a verified document to those that want it.
    pub(super) fn spread(
        &mut self,
        cx: &mut Cx,
        accepted: &Accepted,
        wants: impl Fn(LinkId) -> bool,
    ) {
        let Accepted { document, hops, from } = accepted;
        let id = document.id();
        self.asked.remove(&id);
        let mut parcel = None;
        for (link, neighbour) in &mut self.neighbours {
            // Who announced it has it.
            let has = neighbour.fulfilled(&id, cx.now);
            if has || from.is_some_and(|(from, _)| from == *link) || !wants(*link) {
                continue;
            }
            // What a dozer writes itself it does not only announce: it may be late to answer.
            if neighbour.eager || ((self.dozing || self.leaving) && from.is_none()) {
                let parcel = parcel.get_or_insert_with(|| Parcel::new(document, *hops)).clone();
                push(cx, *link, neighbour, parcel);
            } else {
                neighbour.owe(id, cx.now);
            }
        }
    }

    fn push(&mut self, cx: &mut Cx, link: LinkId, parcel: Parcel) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            push(cx, link, neighbour, parcel);
        }
    }

    /// A first copy of a document came over `link`.
    pub(super) fn received(&mut self, link: LinkId) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.received += 1;
        }
    }

    /// Another copy of a document came over `link`: prune it, unless we asked for the copy.
    pub(super) fn duplicate(&mut self, cx: &mut Cx, link: LinkId, id: &DocumentId) {
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        neighbour.duplicates += 1;
        let asked = neighbour.fulfilled(id, cx.now);
        // Not after the first copy at once: of two documents on their way around one ring, each would
        // cut it in another place, and a part of it would be cut off.
        let prunes = !asked && self.rng.below(limits::COPIES_BEFORE_PRUNE) == 0;
        if prunes && let Some(prune) = neighbour.prune(cx.now) {
            cx.send(link, prune);
        }
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
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return Ok(Vec::new()) };
        if !neighbour.may_announce(ids.len(), now) {
            return Err(Misbehaviour::AnnouncementFlood);
        }
        let mut ours = Vec::new();
        for id in ids {
            if store.has_seen(id) {
                ours.push(*id);
            } else if believed {
                neighbour.promise(*id, self.patience, now);
            }
        }
        Ok(ours)
    }

    /// A neighbour asks for documents, and to be pushed what comes.
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
        neighbour.graft();
        for id in ids {
            if store.get(id).is_some() {
                neighbour.request(*id)?;
            }
        }
        Ok(())
    }

    /// A neighbour gets what comes from another sooner: announce to it.
    pub(super) fn pruned(&mut self, link: LinkId) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.eager = false;
        }
    }

    /// A neighbour is in the middle of sending something.
    pub(super) fn progress(&mut self, link: LinkId, now: Time) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.progress(now);
        }
    }

    /// Moves what the neighbour asked for into its lane, as far as there is room.
    pub(super) fn serve(&mut self, cx: &mut Cx, link: LinkId) {
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        let Some(state) = cx.links.get_mut(link) else { return };
        while state.lanes.has_room()
            && let Some(id) = neighbour.requested()
        {
            if let Some((document, hops)) = cx.store.get(&id)
                && !state.lanes.push(Parcel::new(&document, hops))
            {
                return;
            }
            neighbour.served();
        }
    }

    /// Whether the neighbour waits for documents that it asked for.
    pub(super) fn has_requests(&self, link: LinkId) -> bool {
        self.neighbours.get(&link).is_some_and(|neighbour| neighbour.requested().is_some())
    }

    /// The application fell behind, or caught up.
    pub(super) fn set_behind(&mut self, behind: bool, now: Time) {
        if self.behind.is_some() && !behind {
            for neighbour in self.neighbours.values_mut() {
                neighbour.progress(now);
            }
        }
        self.behind = behind.then(|| self.behind.unwrap_or_default());
    }

    /// Whether there is room for a document from `link`. While the application is behind there is for
    /// some, whatever the number of links; what has none is fetched later.
    pub(super) fn has_room(&mut self, link: LinkId, bytes: usize, now: Time) -> bool {
        let Some(taken) = &mut self.behind else { return true };
        *taken = taken.saturating_add(bytes);
        let room = *taken <= limits::BEHIND_BYTES;
        if !room && let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.schedule_compare(now);
        }
        room
    }

    /// A neighbour lacks these.
    pub(super) fn announce_missing(&mut self, link: LinkId, ids: &[DocumentId], now: Time) {
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        neighbour.announce_missing(ids, now);
    }

    /// A neighbour is not relied on any more.
    pub(super) fn distrust(&mut self, cx: &mut Cx, link: LinkId) {
        let neighbour = self.neighbours.get_mut(&link);
        if let Some(prune) = neighbour.and_then(|neighbour| neighbour.prune(cx.now)) {
            cx.send(link, prune);
        }
    }

    /// From now on nothing can be asked for.
    pub(super) const fn leave(&mut self) {
        self.leaving = true;
    }

    /// We begin or cease to doze.
    pub(super) fn set_dozing(&mut self, dozing: bool, now: Time) {
        self.dozing = dozing;
        for neighbour in self.neighbours.values_mut() {
            neighbour.set_unbatched(dozing, now);
        }
    }

    /// A neighbour begins or ceases to doze. It is told to announce and not to push, if others are
    /// there to serve us. We go on pushing to it.
    pub(super) fn neighbour_dozes(&mut self, cx: &mut Cx, link: LinkId, dozing: bool) {
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        neighbour.dozing = dozing;
        if dozing && self.has_wakeful() {
            cx.send(link, DocumentFrame::Prune);
        }
    }

    fn has_wakeful(&self) -> bool {
        self.neighbours.values().any(|neighbour| !neighbour.dozing)
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, cx: &mut Cx) {
        let now = cx.now;
        let wakeful = self.has_wakeful();
        // Who is awake is asked first.
        let mut order: Vec<(bool, LinkId)> =
            self.neighbours.iter().map(|(link, neighbour)| (neighbour.dozing, *link)).collect();
        order.sort_unstable();
        for (dozing, link) in order {
            let Some(neighbour) = self.neighbours.get_mut(&link) else { continue };
            let ready = cx.links.get(link).is_some_and(|link| link.lanes.has_control_room());
            if !ready {
                neighbour.hold_announcements(now);
            } else if let Some(frame) = neighbour.announce(now) {
                cx.send(link, frame);
            }
            if self.behind.is_some() {
                continue;
            }
            if neighbour.compares(now) {
                cx.notify(Notice::Compare(link));
            }
            if let Some(broken) = neighbour.broken(now) {
                for id in broken {
                    // Meanwhile another may have been asked for it.
                    if self.asked.get(&id).is_some_and(|(asked, _)| *asked == link) {
                        self.asked.remove(&id);
                    }
                }
                if !dozing {
                    cx.charge(link, Misbehaviour::BrokenPromise);
                }
            }
            if let Some(ids) = neighbour.ask(link, &mut self.asked, &cx.store, now) {
                cx.counters.grafted += ids.len() as u64;
                cx.send(link, DocumentFrame::Graft(ids));
                if dozing && wakeful {
                    cx.send(link, DocumentFrame::Prune);
                }
                self.patience = patience(&mut self.rng);
            }
        }
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Time> {
        let behind = self.behind.is_some();
        self.neighbours.values().filter_map(|neighbour| neighbour.deadline(behind)).min()
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

fn patience(rng: &mut Rng) -> Duration {
    let spread = usize::try_from(limits::GRAFT_SPREAD.as_millis()).unwrap_or_default();
    limits::GRAFT_AFTER + Duration::from_millis(rng.below(spread) as u64)
}

#[cfg(test)]
mod tests;
