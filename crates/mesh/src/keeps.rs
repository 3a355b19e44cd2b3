//! Documents of any age for archives to keep: ours offered to one, others' taken by the one behind us.

mod requests;

use core::time::Duration;
use std::collections::BTreeMap;

use taiinet_document::SignedDocument;

use crate::{
    KeepError, KeepId, LinkId, Misbehaviour, Output, Time,
    cx::Cx,
    documents::{Rules, admit},
    limits,
    notice::Notice,
    wire::{FindFrame, Keep, Outcome, Took},
};
use requests::Requests;

/// The room of what archives are asked to keep.
#[derive(Debug, Default)]
pub(crate) struct Keeps {
    /// Ours.
    requests: Requests,
    /// Others', which our archive has not answered: of each document what is clear without it.
    offered: BTreeMap<(LinkId, u32), Vec<Clear>>,
}

/// A document that a neighbour wants kept.
#[derive(Debug)]
enum Clear {
    /// Its author is listed by hand.
    Unwanted,
    /// The archive is asked; whether its author is one of those whose imports are free.
    Offered { imported: bool },
}

impl Keeps {
    /// Asks an archive, or waits for one.
    pub(crate) fn begin(
        &mut self,
        cx: &mut Cx,
        documents: Vec<SignedDocument>,
        wait: Duration,
    ) -> Result<KeepId, KeepError> {
        if !are_within_limits(&documents) {
            return Err(KeepError::TooLarge);
        }
        let keep = self.requests.begin(documents, cx.now.after(wait)).ok_or(KeepError::Busy)?;
        self.advance(cx);
        Ok(keep)
    }

    /// A neighbour wants documents kept. Each is paid for, and verified like any other; when they were published is
    /// the archive's to judge.
    pub(crate) fn asked(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        keep: Keep,
    ) -> Result<(), Misbehaviour> {
        let Keep { request, documents } = keep;
        if !are_within_limits(&documents) {
            return Err(Misbehaviour::KeepFlood);
        }
        if cx.config.archive.is_none() {
            let outcomes = vec![Outcome::Unwanted; documents.len()];
            cx.send(link, FindFrame::Took(Took { request, outcomes }));
            return Ok(());
        }
        let outstanding = self.offered.range((link, 0)..=(link, u32::MAX)).count();
        if outstanding >= limits::KEEPS_AWAITED || self.offered.contains_key(&(link, request)) {
            return Err(Misbehaviour::KeepFlood);
        }
        cx.spend(link, limits::KEEPING.saturating_mul(documents.len() as u64));
        let (mut clear, mut verified) = (Vec::new(), Vec::new());
        for document in documents {
            let author = document.author();
            if cx.reputation.is_listed_by_hand(&author, cx.now) {
                clear.push(Clear::Unwanted);
                continue;
            }
            // Decoded it may take a hundred times as much: the archive decodes one after the other.
            verified.push(admit(cx, document, Rules::Kept)?.to_bytes());
            clear.push(Clear::Offered { imported: cx.config.importers.contains(&author) });
        }
        self.offered.insert((link, request), clear);
        if verified.is_empty() {
            self.took(cx, link, request, Vec::new());
        } else {
            cx.out.push_back(Output::Offered { link, request, documents: verified });
        }
        Ok(())
    }

    /// Our archive answers.
    pub(crate) fn took(&mut self, cx: &mut Cx, link: LinkId, request: u32, outcomes: Vec<Outcome>) {
        let Some(clear) = self.offered.remove(&(link, request)) else { return };
        let mut answers = outcomes.into_iter();
        let mut free = 0;
        let outcomes = clear.into_iter().map(|clear| {
            let Clear::Offered { imported } = clear else { return Outcome::Unwanted };
            let outcome = answers.next().unwrap_or(Outcome::Refused);
            // Offered again it is not free: each could be offered for ever.
            free += u64::from(imported && outcome == Outcome::Stored);
            outcome
        });
        let outcomes = outcomes.collect();
        cx.links.refund(link, free * limits::KEEPING, cx.now);
        cx.send(link, FindFrame::Took(Took { request, outcomes }));
    }

    /// An archive says what became of documents of ours.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if it was not asked, or says it of more or fewer.
    pub(crate) fn answered(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        took: Took,
    ) -> Result<(), Misbehaviour> {
        let answered = self.requests.answered(link, took.request, &took.outcomes);
        self.advance(cx);
        answered
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice) {
        match notice {
            Notice::NeighbourUp(_) => self.advance(cx),
            Notice::LinkDown(down) => {
                self.offered.retain(|(link, _), _| *link != down.link);
                self.requests.link_down(down.link, &down.peer);
                self.advance(cx);
            }
            _ => {}
        }
    }

    /// Asks whose turn it is, and tells what is over.
    pub(crate) fn advance(&mut self, cx: &mut Cx) {
        for keep in self.requests.all() {
            if let Some(outcomes) = self.requests.over(keep, &cx.links, cx.now) {
                cx.out.push_back(Output::Took { keep, outcomes });
                continue;
            }
            let Some((link, frame)) = self.requests.ask(keep, &cx.links, cx.now) else { continue };
            if let Some(state) = cx.links.get_mut(link) {
                state.lanes.keep(frame);
                cx.links.touch(link);
            }
        }
        let has_archive = cx.links.active().any(|link| link.is_archive);
        let wants = !has_archive && !self.requests.all().is_empty();
        cx.view_changed |= wants && !cx.wants_archive;
        cx.wants_archive = wants;
    }

    /// When one of ours has lasted long enough, or another archive is to be asked.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.requests.deadline()
    }

    /// Nothing more comes, because we leave.
    pub(crate) fn end_all(&mut self, cx: &mut Cx) {
        for keep in self.requests.all() {
            self.requests.end(keep);
            cx.out.push_back(Output::Took { keep, outcomes: None });
        }
    }
}

/// Whether they go into one request: as many as there may be, or one of any size.
fn are_within_limits(documents: &[SignedDocument]) -> bool {
    let bytes: usize = documents.iter().map(SignedDocument::size).sum();
    documents.len() <= 1 || documents.len() <= limits::KEEP_DOCUMENTS && bytes <= limits::KEEP_BYTES
}

#[cfg(test)]
mod tests;
