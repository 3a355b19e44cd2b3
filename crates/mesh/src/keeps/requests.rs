//! What archives are asked to keep for us, and who was asked.
//!
//! A request goes to one archive, with credit for it; what that refuses goes to the next, and the whole of it if the
//! archive is lost, or is too slow. It is over when all is kept, when no archive among the neighbours is left to be
//! asked, or when there is no more time.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::SignedDocument;
use taiinet_identity::PeerId;

use crate::{
    KeepId, LinkId, Misbehaviour, Time, limits,
    links::{Link, Links},
    wire::{Keep, Outcome},
};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Requests {
    last: u32,
    last_number: u32,
    open: BTreeMap<KeepId, Request>,
    /// What was sent and not answered, also of those that are over.
    awaited: BTreeMap<(LinkId, u32), Sent>,
}

#[derive(Debug)]
struct Request {
    documents: Vec<SignedDocument>,
    /// What became of each, as far as an archive has said.
    outcomes: Vec<Option<Outcome>>,
    /// The archives that were asked.
    asked: BTreeSet<PeerId>,
    /// The one that is asked now, and until when it may take.
    asking: Option<(LinkId, u32, Time)>,
    ends_at: Time,
}

/// These documents of a request.
#[derive(Debug)]
struct Sent {
    keep: KeepId,
    which: Vec<usize>,
}

impl Request {
    /// The documents that are to be offered to another archive.
    fn unsettled(&self) -> Vec<usize> {
        let outcomes = self.outcomes.iter().enumerate();
        let open = outcomes.filter(|(_, outcome)| !outcome.is_some_and(Outcome::is_settled));
        open.map(|(index, _)| index).collect()
    }

    fn may_ask(&self, link: &Link) -> bool {
        link.is_archive && link.is_active() && !self.asked.contains(&link.peer)
    }

    /// An archive says what became of one. What another says that is of no use hides no reason.
    fn says(&mut self, index: usize, outcome: Outcome) {
        let Some(known) = self.outcomes.get_mut(index) else { return };
        let says_more = match known {
            None | Some(Outcome::Unwanted) => true,
            Some(known) => outcome.is_settled() && !known.is_settled(),
        };
        if says_more {
            *known = Some(outcome);
        }
    }
}

impl Requests {
    /// Another one; none if there are too many.
    pub(super) fn begin(
        &mut self,
        documents: Vec<SignedDocument>,
        ends_at: Time,
    ) -> Option<KeepId> {
        if self.open.len() >= limits::KEEPS {
            return None;
        }
        self.last = self.last.wrapping_add(1);
        let keep = KeepId(self.last);
        let outcomes = vec![None; documents.len()];
        let asked = BTreeSet::new();
        self.open.insert(keep, Request { documents, outcomes, asked, asking: None, ends_at });
        Some(keep)
    }

    /// All that are not over, the oldest first.
    pub(super) fn all(&self) -> Vec<KeepId> {
        self.open.keys().copied().collect()
    }

    pub(super) fn end(&mut self, keep: KeepId) {
        self.open.remove(&keep);
    }

    /// What came of a request, if it is over.
    pub(super) fn over(
        &mut self,
        keep: KeepId,
        links: &Links,
        now: Time,
    ) -> Option<Option<Vec<Outcome>>> {
        let request = self.open.get_mut(&keep)?;
        if request.asking.is_some_and(|(.., until)| until <= now) {
            request.asking = None;
        }
        let answered: Option<Vec<Outcome>> = request.outcomes.iter().copied().collect();
        let has_others = request.asking.is_some() || links.iter().any(|link| request.may_ask(link));
        let is_settled = request.unsettled().is_empty();
        let is_over = is_settled || request.ends_at <= now || answered.is_some() && !has_others;
        if !is_over {
            return None;
        }
        self.open.remove(&keep);
        Some(answered)
    }

    /// What is to be sent now for a request, and to whom: of the archives that have not been asked, the one that has
    /// least to do.
    pub(super) fn ask(&mut self, keep: KeepId, links: &Links, now: Time) -> Option<(LinkId, Keep)> {
        let request = self.open.get_mut(&keep)?;
        if request.asking.is_some() {
            return None;
        }
        let awaited = |link| self.awaited.range((link, 0)..=(link, u32::MAX)).count();
        let archives = links.iter().filter(|link| request.may_ask(link));
        let archives = archives.map(|link| (awaited(link.id), link.id, link.peer));
        let least = archives.min().filter(|(awaited, ..)| *awaited < limits::KEEPS_AWAITED);
        let (_, link, peer) = least?;
        self.last_number = self.last_number.wrapping_add(1);
        let (number, which) = (self.last_number, request.unsettled());
        let documents = which.iter().filter_map(|index| request.documents.get(*index));
        let frame = Keep { request: number, documents: documents.cloned().collect() };
        request.asked.insert(peer);
        request.asking = Some((link, number, now.after(limits::KEEP_TIMEOUT)));
        self.awaited.insert((link, number), Sent { keep, which });
        Some((link, frame))
    }

    /// An archive has answered, if only when another was asked already.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if that was not asked of it, or of more or fewer documents.
    pub(super) fn answered(
        &mut self,
        link: LinkId,
        number: u32,
        outcomes: &[Outcome],
    ) -> Result<(), Misbehaviour> {
        let sent = self.awaited.remove(&(link, number)).ok_or(Misbehaviour::Unasked)?;
        let request = self.open.get_mut(&sent.keep);
        let is_whole = outcomes.len() == sent.which.len();
        if let Some(request) = request {
            let is_asked = |(at, of, _): &mut (LinkId, u32, Time)| (*at, *of) == (link, number);
            request.asking.take_if(is_asked);
            for (index, outcome) in sent.which.iter().zip(outcomes).filter(|_| is_whole) {
                request.says(*index, *outcome);
            }
        }
        if is_whole { Ok(()) } else { Err(Misbehaviour::Unasked) }
    }

    /// A link is gone. What it was asked is asked of another archive, or of this one when it is there again.
    pub(super) fn link_down(&mut self, link: LinkId, peer: &PeerId) {
        self.awaited.retain(|(at, _), _| *at != link);
        for request in self.open.values_mut() {
            if request.asking.take_if(|(at, ..)| *at == link).is_some() {
                request.asked.remove(peer);
            }
        }
    }

    /// When one has lasted long enough, or another archive is to be asked.
    pub(super) fn deadline(&self) -> Option<Time> {
        let due = |request: &Request| match request.asking {
            Some((.., until)) => until.min(request.ends_at),
            None => request.ends_at,
        };
        self.open.values().map(due).min()
    }
}
