//! Searches: ours begun and answered, others' answered.

mod searches;

use std::sync::Arc;

use taiinet_document::{Content, SignedDocument, VerifiedDocument};
use taiinet_query::{OutOfFuel, SharedQuery};

use crate::{
    FindId, LinkId, Misbehaviour, Output, Time, TooManyFinds,
    cx::Cx,
    documents::{Rules, admit},
    interest::Interest,
    limits,
    notice::Notice,
    wire::{Find, FindFrame, Found, Rest},
};
use searches::{Answer, Searches};

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
        limit: u16,
        interest: &Interest,
    ) -> Result<FindId, TooManyFinds> {
        let find = self.searches.begin(query, limit, cx.now)?;
        for document in self.searches.own(find, &cx.store, cx.now) {
            self.found(cx, find, document, interest);
        }
        // A neighbour that dozes is asked if there is no other.
        let asked = |wakeful| cx.links.named(|link| link.is_active() && link.dozing != wakeful);
        let wakeful = asked(true);
        let links = if wakeful.is_empty() { asked(false) } else { wakeful };
        self.finish(cx);
        for link in links {
            self.ask(cx, find, link);
        }
        Ok(find)
    }

    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: FindFrame,
        interest: &Interest,
    ) -> Result<(), Misbehaviour> {
        match frame {
            FindFrame::Find(find) => answer(cx, link, &find),
            FindFrame::Found(found) => self.answered(cx, link, found, interest),
        }
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice) {
        match notice {
            // A new neighbour is asked what is being looked for.
            Notice::NeighbourUp(up) => {
                for find in self.searches.running() {
                    self.ask(cx, find, up.link);
                }
            }
            Notice::LinkDown(down) => {
                self.searches.link_down(down.link);
                self.finish(cx);
            }
            _ => {}
        }
    }

    /// Ends the searches that are over.
    pub(crate) fn tick(&mut self, cx: &mut Cx) {
        self.finish(cx);
    }

    /// When a search has lasted long enough.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.searches.deadline()
    }

    /// Ends all searches, because we leave.
    pub(crate) fn end(&mut self, cx: &mut Cx) {
        for find in self.searches.running() {
            if self.searches.end(find) {
                cx.out.push_back(Output::FindDone { find, complete: false });
            }
        }
    }

    fn ask(&mut self, cx: &mut Cx, find: FindId, link: LinkId) {
        let Some(state) = cx.links.get_mut(link) else { return };
        if let Some(question) = self.searches.ask(find, link, &mut state.budgets, cx.now) {
            cx.send(link, FindFrame::Find(question));
        }
    }

    /// A neighbour answers. We asked: what it takes to check an answer is bounded by what was asked for, and
    /// costs its link nothing. What nobody asked for is an offence.
    fn answered(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        answer: Found,
        interest: &Interest,
    ) -> Result<(), Misbehaviour> {
        let Found { request, documents, rest } = answer;
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        let bytes = documents.iter().map(SignedDocument::size).sum();
        state.budgets.answer(documents.len(), bytes)?;
        let mut documents = documents.into_iter();
        let result =
            documents.try_for_each(|document| self.brings(cx, link, request, document, interest));
        match rest {
            Rest::Follows => {}
            Rest::Nothing => self.searches.answered(link, request, true),
            Rest::LeftOut => self.searches.answered(link, request, false),
        }
        self.finish(cx);
        result
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
        let unwanted = cx.reputation.is_listed_by_hand(&document.author(), cx.now);
        let wanted = self.searches.brings(link, request, &id, bytes)?;
        let Some(find) = wanted else { return Ok(()) };
        if unwanted {
            return Ok(());
        }
        let ours = cx.store.get(&id).and_then(|kept| kept.decode().ok());
        let document = match ours {
            Some(ours) => Arc::new(ours),
            None => admit(cx, document, Rules::Found)?,
        };
        if matches!(document.content(), Content::Unknown(_)) {
            // A neighbour of a later version sees what matches, and we cannot.
            cx.counters.unknown += 1;
            return Ok(());
        }
        match self.searches.matches(find, link, &document) {
            // The neighbour has not heard yet that its author has written a newer one.
            Ok(true) if cx.store.is_replaced(&document) => {}
            Ok(true) => self.found(cx, find, document, interest),
            Ok(false) => return Err(Misbehaviour::Unasked),
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
        let opened_size = opened.as_ref().map_or(0, |opened| opened.heap_size());
        if self.searches.found(find, document.id(), document.heap_size() + opened_size) {
            cx.out.push_back(Output::Found { find, document, opened });
        }
    }

    fn finish(&mut self, cx: &mut Cx) {
        for (find, complete) in self.searches.over(cx.now) {
            cx.out.push_back(Output::FindDone { find, complete });
        }
    }
}

/// A neighbour looks for something.
fn answer(cx: &mut Cx, link: LinkId, asked: &Find) -> Result<(), Misbehaviour> {
    let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
    let Answer { documents, complete, fuel } =
        searches::answer(asked, &mut state.budgets, &cx.store, cx.now)?;
    // What has no room is left out: live documents are worth more.
    let all = documents.into_iter().all(|document| state.lanes.found(asked.request, Ok(document)));
    let rest = if complete && all { Rest::Nothing } else { Rest::LeftOut };
    let _ = state.lanes.found(asked.request, Err(rest));
    cx.links.touch(link);
    cx.spend(link, units(fuel));
    Ok(())
}

/// What fuel costs a link.
const fn units(fuel: u64) -> u64 {
    fuel.div_ceil(limits::FUEL_PER_UNIT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use taiinet_document::Timestamp;

    use super::*;
    use crate::testing::{self, document, identity, work_left};

    #[test]
    fn a_link_that_asks_pays_for_what_its_query_takes() {
        let mut cx = testing::cx();
        let link = testing::neighbour(&mut cx, &identity(1));
        for nonce in 0..20 {
            let (document, now) = (document(&identity(2), nonce, 1000), cx.now);
            cx.store.insert(&document, 0, now);
        }
        let mut costs = |query: &str| {
            let (query, since) = (query.to_owned(), Timestamp::default());
            let find = Find { request: 1, query, limit: 100, since };
            let before = work_left(&cx, link);
            answer(&mut cx, link, &find).unwrap();
            before - work_left(&cx, link)
        };
        let cheap = costs("{}");
        let expensive = costs(r#"{"text": {"$regex": "(x?){30}x{10}$"}}"#);
        assert!(cheap > 0 && expensive > 20 * cheap, "{cheap}, {expensive}");
        assert!(expensive <= units(limits::FIND_FUEL) as i64, "{expensive}");
    }

    /// We asked: to verify and evaluate what came was once at the answerer's cost, and a few searches cut
    /// honest links.
    #[test]
    fn an_answer_to_what_we_asked_costs_its_link_nothing() {
        let mut cx = testing::cx();
        let link = testing::neighbour(&mut cx, &identity(1));
        let interest = Interest::new(&mut cx);
        let mut finds = Finds::default();
        // What it takes to evaluate this is much, too.
        let query: SharedQuery = r#"{"text": {"$regex": "(x?){30}x{10}$"}}"#.parse().unwrap();
        let find = finds.begin(&mut cx, query, 100, &interest).unwrap();
        let documents = (0..100).map(|nonce| document(&identity(2), nonce, 20).signed().clone());
        let found = Found { request: find.0, documents: documents.collect(), rest: Rest::Nothing };
        let before = work_left(&cx, link);
        finds.frame(&mut cx, link, FindFrame::Found(found), &interest).unwrap();
        assert_eq!(work_left(&cx, link), before);
        let found = cx.out.iter().filter(|output| matches!(output, Output::Found { .. })).count();
        assert_eq!(found, 100);
    }
}
