//! Searches through the front door: ours begun and answered, others' answered.

use std::sync::Arc;

use taiinet_document::{Content, SignedDocument, VerifiedDocument};
use taiinet_query::{Attributes, SharedQuery};

use super::Peer;
use crate::{
    FindId, LinkId, Misbehaviour, Output, Time, TooManyFinds,
    finds::Search,
    frame::{self, Frame},
    limits,
};

impl Peer {
    pub(super) fn begin_find(
        &mut self,
        query: SharedQuery,
        limit: u16,
        now: Time,
    ) -> Result<FindId, TooManyFinds> {
        let find = self.finds.begin(query, limit, now)?;
        if self.left {
            self.end_finds();
            return Ok(find);
        }
        let search = self.finds.get(find);
        let own = search.map(|search| search.own(&self.broadcast.recent, now));
        for document in own.into_iter().flatten() {
            self.found(find, document);
        }
        // Who dozes is asked if nobody else is there.
        let asked = |wakeful: bool| {
            let links = self.links.values();
            let links = links.filter(move |link| link.is_active() && link.dozing != wakeful);
            links.map(|link| link.id).collect::<Vec<_>>()
        };
        let wakeful = asked(true);
        let links = if wakeful.is_empty() { asked(false) } else { wakeful };
        self.finish_finds(now);
        for link in links {
            self.ask(find, link, now);
        }
        self.hurry(now);
        Ok(find)
    }

    /// A new neighbour is asked what is being looked for.
    pub(super) fn ask_newcomer(&mut self, link: LinkId, now: Time) {
        for find in self.finds.running() {
            self.ask(find, link, now);
        }
    }

    fn ask(&mut self, find: FindId, link: LinkId, now: Time) {
        if let Some(question) = self.finds.ask(find, link, now) {
            self.control(link, &Frame::Find(question), now);
        }
    }

    /// A neighbour looks for something.
    pub(super) fn asked(
        &mut self,
        link: LinkId,
        asked: &frame::Find,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        let documents = self.finds.answer(link, asked, &self.broadcast.recent, now)?;
        let Some(state) = self.links.get_mut(&link) else { return Ok(()) };
        // What has no room is left out: live documents are worth more.
        for document in documents {
            if !state.lanes.found(asked.request, Some(document)) {
                break;
            }
        }
        let _ = state.lanes.found(asked.request, None);
        self.dirty.insert(link);
        Ok(())
    }

    /// A neighbour answers.
    pub(super) fn answers(
        &mut self,
        link: LinkId,
        answer: frame::Found,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        let mut documents = answer.documents.into_iter();
        let result =
            documents.try_for_each(|document| self.brings(link, answer.request, document, now));
        if answer.last {
            self.finds.answered(link, answer.request);
        }
        self.finish_finds(now);
        result
    }

    fn brings(
        &mut self,
        link: LinkId,
        request: u32,
        document: SignedDocument,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        let (id, bytes) = (document.id(), document.size());
        let unwanted = self.reputation.is_listed_by_hand(&document.author(), now);
        let wanted = self.finds.brings(link, request, &id, bytes)?;
        let Some((find, query)) = wanted.map(|(find, query)| (find, query.clone())) else {
            return Ok(());
        };
        if unwanted {
            return Ok(());
        }
        let document = match self.broadcast.recent.get(&id) {
            Some((ours, _)) => ours,
            None => {
                let inspected = Self::inspect(document)?;
                self.check_found(inspected.document(), now)?;
                Arc::new(self.verify(inspected)?)
            }
        };
        if !query.matches_document(&document) {
            return Err(Misbehaviour::Unasked);
        }
        self.found(find, document);
        Ok(())
    }

    fn found(&mut self, find: FindId, document: Arc<VerifiedDocument>) {
        let mut opened = None;
        if matches!(document.content(), Content::Sealed(_)) {
            if !self.finds.may_open(find, self.private.key_count()) {
                self.counters.unopened += 1;
                return;
            }
            opened = self.open(&document, None);
            let query = self.finds.get(find).map(Search::query);
            let matches = opened.as_ref().zip(query).is_some_and(|(opened, query)| {
                query.matches_fields(Attributes::of(&document), &opened.fields)
            });
            if !matches {
                return;
            }
        }
        if self.finds.found(find, document.id()) {
            self.outputs.push_back(Output::Found { find, document, opened });
        }
    }

    /// Ends the searches that are over.
    pub(super) fn finish_finds(&mut self, now: Time) {
        for (find, complete) in self.finds.over(now) {
            self.outputs.push_back(Output::FindDone { find, complete });
        }
    }

    /// Ends all searches, because we leave.
    pub(super) fn end_finds(&mut self) {
        for find in self.finds.running() {
            if self.finds.end(find) {
                self.outputs.push_back(Output::FindDone { find, complete: false });
            }
        }
    }

    /// A found document may be older than a live one.
    fn check_found(
        &self,
        document: &taiinet_document::Document,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        if document.network != self.config.network {
            return Err(Misbehaviour::WrongNetwork);
        }
        let expired = document.expires_at.is_some_and(|expires_at| now >= expires_at.into());
        if expired || Time::from(document.created_at) > now.after(limits::CLOCK_SKEW) {
            return Err(Misbehaviour::OutOfTime);
        }
        Ok(())
    }
}
