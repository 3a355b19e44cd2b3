//! Searches: ours begun and answered, others' answered.

mod answers;
mod searches;

use std::sync::Arc;

use taiinet_document::{Content, SignedDocument, VerifiedDocument};
use taiinet_query::{OutOfFuel, SharedQuery, sort::Place};

use crate::{
    Answer, FindId, FindOptions, LinkId, Misbehaviour, Output, Question, Time, TooManyFinds,
    cx::Cx,
    documents::{Rules, admit},
    interest::Interest,
    limits,
    links::AnswerPart,
    notice::Notice,
    wire::{Find, FindFrame, Found, Rest},
};
use answers::{Page, Wish};
use searches::{Given, Hit, Searches};

/// The room of searches.
#[derive(Debug, Default)]
pub(crate) struct Finds {
    searches: Searches,
}

impl Finds {
    /// Looks here, and asks the neighbours.
    pub(crate) fn begin(
        &mut self,
        cx: &mut Cx,
        query: SharedQuery,
        options: FindOptions,
        interest: &Interest,
    ) -> Result<FindId, TooManyFinds> {
        let FindOptions { sort, after, limit, wait } = options;
        let bytes = limits::FOUND_BYTES;
        let wish = Wish { query, sort, after, limit: limit.into(), bytes };
        let find = self.searches.begin(wish, wait, cx.now)?;
        cx.notify(Notice::Searches);
        self.ask_all(cx, find);
        self.advance(cx, interest);
        Ok(find)
    }

    /// So many more are wanted of a search that has given some. Whether there is one of this name.
    pub(crate) fn go_on(
        &mut self,
        cx: &mut Cx,
        find: FindId,
        limit: u16,
        interest: &Interest,
    ) -> bool {
        if !self.searches.go_on(find, limit.into(), cx.now) {
            return false;
        }
        // One that was too slow is asked again, from here on.
        self.ask_all(cx, find);
        self.advance(cx, interest);
        true
    }

    /// No more of it is wanted.
    pub(crate) fn end(&mut self, find: FindId) {
        self.searches.end(find);
    }

    fn ask_all(&mut self, cx: &Cx, find: FindId) {
        let (asked, left_out) = cx.links.to_ask(cx.now);
        for link in asked {
            self.searches.source(find, link);
        }
        if left_out {
            self.searches.leave_out(find);
        }
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice, interest: &Interest) {
        match notice {
            // A new neighbour is asked what is being looked for.
            Notice::NeighbourUp(up) => {
                let rests = cx.links.promptness.rests(&up.peer, cx.now);
                for find in self.searches.running().into_iter().filter(|_| !rests) {
                    self.searches.source(find, up.link);
                }
                self.advance(cx, interest);
            }
            Notice::LinkDown(down) => {
                self.searches.link_down(down.link);
                self.advance(cx, interest);
            }
            Notice::NoArchive => self.advance(cx, interest),
            _ => {}
        }
    }

    /// Ends the searches that are over.
    pub(crate) fn tick(&mut self, cx: &mut Cx, interest: &Interest) {
        if cx.archive_until.is_some_and(|until| until <= cx.now) {
            cx.archive_until = None;
        }
        self.advance(cx, interest);
    }

    /// When a search has lasted long enough, or waited for an archive.
    pub(crate) fn deadline(&self, cx: &Cx) -> Option<Time> {
        self.searches.deadline().into_iter().chain(cx.archive_until).min()
    }

    /// Ends all searches, because we leave.
    pub(crate) fn end_all(&mut self, cx: &mut Cx) {
        for find in self.searches.running() {
            if self.searches.end(find) {
                let (complete, cursor, sources) = (false, None, 0);
                cx.out.push_back(Output::FindDone { find, complete, cursor, sources });
            }
        }
    }

    /// Asks whose turn it is, and gives what can be given.
    fn advance(&mut self, cx: &mut Cx, interest: &Interest) {
        for find in self.searches.active() {
            if let Some(wish) = self.searches.ask_own(find) {
                self.look_here(cx, find, &wish, interest);
            }
        }
        for (find, link) in self.searches.turns() {
            let Some(state) = cx.links.get_mut(link) else {
                self.searches.link_down(link);
                continue;
            };
            if let Some(question) = self.searches.ask(find, link, &mut state.budgets, cx.now) {
                cx.send(link, FindFrame::Find(question));
            }
        }
        let given = match cx.archive_until {
            Some(_) => self.searches.give_late(cx.now),
            None => self.searches.give(cx.now),
        };
        for (link, in_vain) in self.searches.waited() {
            let Some(peer) = cx.links.peer(link) else { continue };
            if in_vain {
                // Another archive may take the place of one.
                cx.view_changed |= cx.links.promptness.missed(peer, cx.now);
            } else {
                cx.links.promptness.answered(&peer);
            }
        }
        for Given { find, hits, complete, cursor, sources } in given {
            for Hit { document, opened } in hits {
                // Its author may have written a newer one since it was found.
                if !cx.store.is_replaced(&document) {
                    cx.out.push_back(Output::Found { find, document, opened });
                }
            }
            cx.out.push_back(Output::FindDone { find, complete, cursor, sources });
        }
    }

    fn look_here(&mut self, cx: &mut Cx, find: FindId, wish: &Wish, interest: &Interest) {
        let Page { documents, until, left_out, .. } = answers::look(&cx.store, wish, cx.now);
        for document in documents {
            let ours = cx.store.find(&document.id()).and_then(|kept| kept.decode().ok());
            if let Some(ours) = ours {
                self.found(cx, find, Arc::new(ours), interest);
            }
        }
        self.searches.own(find, until, left_out);
    }

    /// A neighbour answers. We asked: what it takes to check an answer is bounded by what was asked for, and
    /// costs its link nothing. What nobody asked for is an offence.
    pub(crate) fn answered(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        answer: Found,
        interest: &Interest,
    ) -> Result<(), Misbehaviour> {
        let Found { request, documents, rest, until } = answer;
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        let bytes = documents.iter().map(SignedDocument::size).sum();
        state.budgets.answer(documents.len(), bytes)?;
        let mut documents = documents.into_iter();
        let result =
            documents.try_for_each(|document| self.brings(cx, link, request, document, interest));
        let end = match rest {
            Rest::Follows => return result,
            Rest::Finished { left_out } => (None, left_out),
            Rest::More { left_out } => {
                let until = Place::from_bytes(&until).map_err(|_| Misbehaviour::Undecodable)?;
                (Some(until), left_out)
            }
        };
        let ended = self.searches.answered(link, request, end.0, end.1);
        self.advance(cx, interest);
        result.and(ended)
    }

    fn brings(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        request: u32,
        document: SignedDocument,
        interest: &Interest,
    ) -> Result<(), Misbehaviour> {
        let (id, bytes) = (document.id(), document.size());
        let Some(find) = self.searches.brings(link, request, bytes)? else { return Ok(()) };
        let unwanted = cx.reputation.is_listed_by_hand(&document.author(), cx.now);
        let ours = cx.store.decoded(&id);
        let document = match ours {
            Some(ours) => Arc::new(ours),
            None => admit(cx, document, Rules::Found)?,
        };
        if matches!(document.content(), Content::Unknown(_)) {
            // A neighbour of a later version sees what matches, and we cannot.
            cx.counters.unknown += 1;
            return Ok(());
        }
        match self.searches.check(find, link, &document)? {
            // The neighbour has not heard yet that its author has written a newer one.
            Ok(()) if unwanted || cx.store.is_replaced(&document) => {}
            Ok(()) => self.found(cx, find, document, interest),
            // It may match, but nobody is to make us find out.
            Err(OutOfFuel) => {}
        }
        Ok(())
    }

    fn found(
        &mut self,
        cx: &mut Cx,
        find: FindId,
        document: Arc<VerifiedDocument>,
        interest: &Interest,
    ) {
        let mut opened = None;
        if matches!(document.content(), Content::Sealed(_)) {
            if !self.searches.may_open(find, interest.key_count()) {
                cx.counters.unopened += 1;
                return;
            }
            opened = interest.open(&cx.identity, &document, None);
            let says = opened.as_ref().map(|opened| &opened.fields);
            if !says.is_some_and(|says| self.searches.matches_opened(find, &document, says)) {
                return;
            }
        }
        self.searches.found(find, Hit { document, opened });
    }
}

/// A neighbour looks for something.
pub(crate) fn answer(cx: &mut Cx, link: LinkId, asked: &Find) -> Result<(), Misbehaviour> {
    let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
    let room = state.lanes.room_for_found();
    let (request, wish) = (asked.request, Wish::asked(asked, &mut state.budgets, room, cx.now)?);
    if cx.config.archive.is_some() {
        let Wish { query, sort, after, limit, bytes } = wish;
        let question = Question { request, query, sort, after, limit, bytes };
        cx.out.push_back(Output::Asked { link, question });
    } else {
        give(cx, link, request, answers::look(&cx.store, &wish, cx.now));
    }
    Ok(())
}

/// An archive answers a neighbour.
pub(crate) fn archive_answers(cx: &mut Cx, link: LinkId, request: u32, answer: Answer) {
    let Answer { documents, until, left_out, work } = answer;
    let page = Page { documents, until, left_out, fuel: work };
    give(cx, link, request, page);
}

fn give(cx: &mut Cx, link: LinkId, request: u32, page: Page) {
    let Some(state) = cx.links.get_mut(link) else { return };
    let (end, fuel) = (page.end(), page.fuel);
    let parts = page.documents.into_iter().map(AnswerPart::Document).chain([end]);
    for part in parts {
        let _ = state.lanes.found(request, part);
    }
    cx.links.touch(link);
    cx.spend(link, units(fuel));
}

/// What fuel costs a link.
const fn units(fuel: u64) -> u64 {
    fuel.div_ceil(limits::FUEL_PER_UNIT)
}

#[cfg(test)]
mod tests;
