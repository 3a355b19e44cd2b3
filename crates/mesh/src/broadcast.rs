//! Documents through the mesh: eager pushes along a tree, announcements on the other links.
//!
//! After Plumtree (Leitão, Pereira, Rodrigues: "Epidemic Broadcast Trees", SRDS 2007). A new link is
//! *eager*. Who gets a second copy prunes the link it came over: it turns *lazy*, and carries
//! announcements ([`crate::frame::Frame::Have`]) instead. Who misses an announced document grafts
//! the announcer: it sends the document, and the link is eager again. So the first copies draw a
//! tree, and the announcements mend it.

mod neighbour;
mod outbox;
mod recent;

use core::time::Duration;
use std::{collections::BTreeMap, sync::Arc};

use taiinet_document::{DocumentId, VerifiedDocument};

pub(crate) use neighbour::Neighbour;
pub(crate) use outbox::Outbox;
pub(crate) use recent::Recent;

use crate::{LinkId, Misbehaviour, Time, frame::Frame, limits, link::lanes::Parcel, rng::Rng};

/// What is to be done on a link.
#[derive(Debug)]
pub(crate) enum Act {
    /// Queue this document; if its lane is full, [`Broadcast::owe`] its id.
    Push { link: LinkId, parcel: Parcel },
    /// Queue this control frame.
    Control { link: LinkId, frame: Frame },
    /// It announced documents and did not send them.
    Broken { link: LinkId },
    /// Something of what it has escaped us: compare.
    Compare { link: LinkId },
}

/// What the documents' way through this peer consists of.
#[derive(Debug)]
pub(crate) struct Broadcast {
    neighbours: BTreeMap<LinkId, Neighbour>,
    pub(crate) recent: Recent,
    pub(crate) outbox: Outbox,
    /// Which neighbour was asked for a document, and when.
    asked: BTreeMap<DocumentId, (LinkId, Time)>,
    /// While the application is behind, nothing is acknowledged and nothing asked for: so many bytes
    /// were taken meanwhile.
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

impl Broadcast {
    pub(crate) fn new(mut rng: Rng, store_bytes: usize) -> Self {
        Self {
            neighbours: BTreeMap::new(),
            recent: Recent::new(store_bytes),
            outbox: Outbox::default(),
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
    pub(crate) fn won(&mut self, link: LinkId, missed: Vec<DocumentId>, now: Time) -> Vec<Act> {
        let mut neighbour = Neighbour::new(now);
        neighbour.set_prompt(self.dozing, now);
        for id in missed {
            if !self.outbox.contains(&id) {
                neighbour.owe(id, now);
            }
        }
        self.neighbours.insert(link, neighbour);
        let untaken = self.outbox.documents();
        untaken.map(|document| Act::Push { link, parcel: Parcel::new(&document, 0) }).collect()
    }

    /// A link is gone.
    pub(crate) fn lost(&mut self, link: LinkId, now: Time) {
        self.neighbours.remove(&link);
        let orphans: Vec<DocumentId> =
            self.asked.iter().filter(|(_, (asked, _))| *asked == link).map(|(id, _)| *id).collect();
        for id in orphans {
            self.asked.remove(&id);
            for neighbour in self.neighbours.values_mut() {
                neighbour.hurry(&id, now);
            }
        }
    }

    pub(crate) fn neighbour(&self, link: LinkId) -> Option<&Neighbour> {
        self.neighbours.get(&link)
    }

    pub(crate) fn neighbour_mut(&mut self, link: LinkId) -> Option<&mut Neighbour> {
        self.neighbours.get_mut(&link)
    }

    /// Passes on a verified document, received from `from` or (none) our own.
    pub(crate) fn spread(
        &mut self,
        document: &Arc<VerifiedDocument>,
        hops: u8,
        from: Option<LinkId>,
        now: Time,
    ) -> Vec<Act> {
        let id = document.id();
        self.asked.remove(&id);
        let mut acts = Vec::with_capacity(self.neighbours.len());
        let mut parcel = None;
        for (link, neighbour) in &mut self.neighbours {
            // Who announced it has it.
            let has = neighbour.fulfilled(&id, now);
            if has || from == Some(*link) {
                continue;
            }
            // What a dozer writes itself it does not only announce: it may be late to answer.
            if neighbour.eager || ((self.dozing || self.leaving) && from.is_none()) {
                let parcel = parcel.get_or_insert_with(|| Parcel::new(document, hops)).clone();
                acts.push(Act::Push { link: *link, parcel });
            } else {
                neighbour.owe(id, now);
            }
        }
        acts
    }

    /// A document could not be queued: announce it instead.
    pub(crate) fn owe(&mut self, link: LinkId, id: DocumentId, now: Time) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.owe(id, now);
        }
    }

    /// Another copy of a document came over `link`: prune it, unless we asked for the copy.
    pub(crate) fn duplicate(&mut self, link: LinkId, id: &DocumentId, now: Time) -> Option<Frame> {
        let neighbour = self.neighbours.get_mut(&link)?;
        neighbour.duplicates += 1;
        let asked = neighbour.fulfilled(id, now);
        // Not after the first copy at once: of two documents on their way around one ring, each would
        // cut it in another place, and a part of it would be cut off.
        let prunes = !asked && self.rng.below(limits::COPIES_BEFORE_PRUNE) == 0;
        if prunes { neighbour.prune(now) } else { None }
    }

    /// A neighbour announces documents; `believed`: we rely on it. Gives those of our own that it
    /// thereby says it has taken.
    ///
    /// # Errors
    /// [`Misbehaviour::AnnouncementFlood`], [`Misbehaviour::Oversize`].
    pub(crate) fn announced(
        &mut self,
        link: LinkId,
        ids: &[DocumentId],
        believed: bool,
        now: Time,
    ) -> Result<Vec<DocumentId>, Misbehaviour> {
        if ids.len() > limits::IDS_PER_FRAME {
            return Err(Misbehaviour::Oversize);
        }
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return Ok(Vec::new()) };
        if !neighbour.may_announce(ids.len(), now) {
            return Err(Misbehaviour::AnnouncementFlood);
        }
        let mut taken = Vec::new();
        for id in ids {
            if self.recent.has_seen(id) {
                if self.outbox.contains(id) {
                    taken.push(*id);
                }
            } else if believed {
                neighbour.promise(*id, self.patience, now);
            }
        }
        Ok(taken)
    }

    /// A neighbour asks for documents, and to be pushed what comes.
    ///
    /// # Errors
    /// [`Misbehaviour::RequestFlood`], [`Misbehaviour::Oversize`].
    pub(crate) fn grafted(&mut self, link: LinkId, ids: &[DocumentId]) -> Result<(), Misbehaviour> {
        if ids.len() > limits::IDS_PER_FRAME {
            return Err(Misbehaviour::Oversize);
        }
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return Ok(()) };
        neighbour.graft();
        for id in ids {
            if self.recent.get(id).is_some() {
                neighbour.request(*id)?;
            }
        }
        Ok(())
    }

    /// The next document that the neighbour asked for; take it off with
    /// [`Self::served`].
    pub(crate) fn requested(&mut self, link: LinkId) -> Option<Parcel> {
        let neighbour = self.neighbours.get_mut(&link)?;
        loop {
            let id = neighbour.requested()?;
            if let Some((document, hops)) = self.recent.get(&id) {
                return Some(Parcel::new(&document, hops));
            }
            neighbour.served();
        }
    }

    /// Whether the neighbour waits for documents that it asked for.
    pub(crate) fn has_requests(&self, link: LinkId) -> bool {
        self.neighbours.get(&link).is_some_and(|neighbour| neighbour.requested().is_some())
    }

    pub(crate) fn served(&mut self, link: LinkId) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.served();
        }
    }

    /// The application fell behind, or caught up.
    pub(crate) fn set_behind(&mut self, behind: bool, now: Time) {
        if self.behind.is_some() && !behind {
            for neighbour in self.neighbours.values_mut() {
                neighbour.progress(now);
            }
        }
        self.behind = behind.then(|| self.behind.unwrap_or_default());
    }

    /// Whether there is room for a document from `link`. While the application is behind there is for
    /// some, whatever the number of links; what has none is fetched later.
    pub(crate) fn has_room(&mut self, link: LinkId, bytes: usize, now: Time) -> bool {
        let Some(taken) = &mut self.behind else { return true };
        *taken = taken.saturating_add(bytes);
        let room = *taken <= limits::BEHIND_BYTES;
        if !room && let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.misses(now);
        }
        room
    }

    /// A neighbour lacks these.
    pub(crate) fn lacks(&mut self, link: LinkId, ids: Vec<DocumentId>, now: Time) {
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        neighbour.lacks(&ids, now);
    }

    /// A neighbour is not relied on any more.
    pub(crate) fn distrust(&mut self, link: LinkId, now: Time) -> Option<Frame> {
        self.neighbours.get_mut(&link)?.prune(now)
    }

    /// From now on nothing can be asked for.
    pub(crate) const fn leave(&mut self) {
        self.leaving = true;
    }

    /// We begin or cease to doze.
    pub(crate) fn set_dozing(&mut self, dozing: bool, now: Time) {
        self.dozing = dozing;
        for neighbour in self.neighbours.values_mut() {
            neighbour.set_prompt(dozing, now);
        }
    }

    /// A neighbour begins or ceases to doze. Gives what it is to be told: to announce and not to push,
    /// if others are there to serve us. We go on pushing to it.
    pub(crate) fn neighbour_dozes(&mut self, link: LinkId, dozing: bool) -> Option<Frame> {
        self.neighbours.get_mut(&link)?.dozing = dozing;
        (dozing && self.has_wakeful()).then_some(Frame::Prune)
    }

    fn has_wakeful(&self) -> bool {
        self.neighbours.values().any(|neighbour| !neighbour.dozing)
    }

    /// Does what is due. `ready` says whether a link's control lane has room for announcements.
    pub(crate) fn tick(&mut self, now: Time, ready: impl Fn(LinkId) -> bool) -> Vec<Act> {
        let mut acts = Vec::new();
        let wakeful = self.has_wakeful();
        // Who is awake is asked first.
        let mut order: Vec<(bool, LinkId)> =
            self.neighbours.iter().map(|(link, neighbour)| (neighbour.dozing, *link)).collect();
        order.sort_unstable();
        for (dozing, link) in order {
            let Some(neighbour) = self.neighbours.get_mut(&link) else { continue };
            if !ready(link) {
                neighbour.hold_announcements(now);
            } else if let Some(frame) = neighbour.announce(now) {
                acts.push(Act::Control { link, frame });
            }
            if self.behind.is_some() {
                continue;
            }
            if neighbour.compares(now) {
                acts.push(Act::Compare { link });
            }
            if let Some(frame) = neighbour.acknowledge(now) {
                acts.push(Act::Control { link, frame });
            }
            if let Some(broken) = neighbour.broken(now) {
                for id in broken {
                    // Meanwhile another may have been asked for it.
                    if self.asked.get(&id).is_some_and(|(asked, _)| *asked == link) {
                        self.asked.remove(&id);
                    }
                }
                if !dozing {
                    acts.push(Act::Broken { link });
                }
            }
            if let Some(frame) = neighbour.ask(link, &mut self.asked, &self.recent, now) {
                acts.push(Act::Control { link, frame });
                if dozing && wakeful {
                    acts.push(Act::Control { link, frame: Frame::Prune });
                }
                self.patience = patience(&mut self.rng);
            }
        }
        acts
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let neighbours = self
            .neighbours
            .values()
            .filter_map(|neighbour| neighbour.deadline(self.behind.is_some()));
        neighbours.chain(self.recent.deadline()).chain(self.outbox.deadline()).min()
    }
}

fn patience(rng: &mut Rng) -> Duration {
    let spread = usize::try_from(limits::GRAFT_SPREAD.as_millis()).unwrap_or_default();
    limits::GRAFT_AFTER + Duration::from_millis(rng.below(spread) as u64)
}

#[cfg(test)]
mod tests;
