//! Searches: one page of what a query matches, in an order, for a bounded amount of work.
//!
//! ```text
//! plan: by which index ─▶ candidates, one after another ─▶ judge: the query itself, what hides it ─▶ page
//! ```
//!
//! There are two ways. Where an index gives candidates in the wanted order, documents are put on the page as they are
//! found, and a page can end anywhere: its cursor says where the next goes on. Where none does, all candidates are
//! looked at and the first of them kept; that is done only if there are few, or if there is no other way.

mod judge;
mod page;
mod plan;
mod stream;
mod work;

use std::collections::BTreeMap;

use taiinet_document::Timestamp;
use taiinet_query::sort::Place;

use crate::{
    archive::Archive,
    error::ArchiveError,
    layout::Spot,
    limits,
    store::{Store, StoreError},
};

use judge::{Judge, Verdict};
pub use page::{Ask, Page, Rest};
use plan::{Access, Plan};
use stream::{Candidate, Stream};
use work::Work;

impl<S: Store> Archive<S> {
    /// The next page of what a query matches and what is not expired, deleted or superseded.
    ///
    /// `budget` is in units of [`taiinet_query::Fuel`], about half a nanosecond each; a page takes no more, except
    /// that each makes some way: it looks at one document at least. Between two pages documents may come and go.
    /// Those that stay are found once and only once.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn find(&self, ask: &Ask, budget: u64, now: Timestamp) -> Result<Page, ArchiveError> {
        let mut finder = Finder {
            archive: self,
            judge: Judge::new(self, ask, now),
            ask,
            work: Work::new(budget),
            limit: ask.limit.clamp(1, limits::PAGE_DOCUMENTS),
            unjudged: 0,
        };
        let (documents, rest) = finder.find()?;
        let Finder { work, unjudged, .. } = finder;
        Ok(Page { documents, rest, work: work.spent(), unjudged })
    }
}

struct Finder<'a, S> {
    archive: &'a Archive<S>,
    ask: &'a Ask,
    judge: Judge<'a, S>,
    work: Work,
    limit: usize,
    unjudged: usize,
}

type Found = (Vec<Vec<u8>>, Rest);

/// How many candidates are looked at before it is asked whether another index has fewer.
const PATIENCE: usize = 512;
/// How many rows of an index are looked at to guess how many it has.
const REACH: usize = 64;

impl<S: Store> Finder<'_, S> {
    fn find(&mut self) -> Result<Found, StoreError> {
        let Plan { streams, others } = plan::plan(self.archive, self.ask)?;
        let Some(stream) = self.sparsest(streams)? else {
            let most = self.worth_it();
            let few = self.fewest(&others, most)?.or(others.first());
            let found = few.map(|few| self.gather(few)).transpose()?.flatten();
            return Ok(found.unwrap_or((Vec::new(), Rest::TooCostly)));
        };
        // Another index may have so few that it is quicker to look at all of them.
        for (most, patience) in [(64, PATIENCE), (self.worth_it(), usize::MAX)] {
            let most = most.min(self.work.affordable());
            if let Some(few) = self.fewest(&others, most)?
                && let Some(found) = self.gather(few)?
            {
                return Ok(found);
            }
            let patience = if others.is_empty() { usize::MAX } else { patience };
            if let Some(found) = self.stream(&stream, patience)? {
                return Ok(found);
            }
        }
        Ok((Vec::new(), Rest::TooCostly))
    }

    /// Of several indexes the one that has the fewest documents, as far as a few rows can tell.
    fn sparsest(&mut self, among: Vec<Access>) -> Result<Option<Access>, StoreError> {
        let mut sparsest: Option<(u64, Access)> = None;
        let is_only = among.len() == 1;
        for access in among {
            let reach = match is_only {
                true => None,
                false => stream::reach(self.archive, &access, self.ask, REACH, &mut self.work)?,
            };
            let reach = reach.unwrap_or(u64::MAX);
            if sparsest.as_ref().is_none_or(|(furthest, _)| reach > *furthest) {
                sparsest = Some((reach, access));
            }
        }
        Ok(sparsest.map(|(_, access)| access))
    }

    /// Up to how many candidates it is quicker to look at all of them than to walk until a page is full, if they are
    /// spread evenly.
    fn worth_it(&self) -> usize {
        let all = usize::try_from(self.archive.totals.documents).unwrap_or(usize::MAX);
        all.saturating_mul(self.limit).isqrt().clamp(64, 8192)
    }

    /// The index with the fewest candidates, if one has less than so many.
    fn fewest<'b>(
        &mut self,
        among: &'b [Access],
        most: usize,
    ) -> Result<Option<&'b Access>, StoreError> {
        let mut cap = 64;
        loop {
            let cap_now = cap.min(most);
            let mut fewest: Option<(usize, &Access)> = None;
            for access in among {
                let cap = fewest.map_or(cap_now, |(count, _)| count);
                let count = stream::count(self.archive, access, self.ask, cap, &mut self.work)?;
                if let Some(count) = count.filter(|count| *count < cap) {
                    fewest = Some((count, access));
                }
            }
            if fewest.is_some() || cap_now == most {
                return Ok(fewest.map(|(_, access)| access));
            }
            cap *= 8;
        }
    }

    /// Candidates that come in the wanted order. None if patience ended.
    fn stream(
        &mut self,
        access: &Access,
        patience: usize,
    ) -> Result<Option<Found>, StoreError> {
        let mut stream = Stream::open(self.archive, access, self.ask)?;
        let (mut documents, mut bytes) = (Vec::<Vec<u8>>::new(), 0_usize);
        let mut last = None;
        let mut seen = 0_usize;
        let more = |last: Option<Place>, documents| {
            let last = last.or_else(|| self.ask.after.clone());
            Ok(Some((documents, last.map_or(Rest::TooCostly, Rest::More))))
        };
        while let Some(candidate) = stream.next()? {
            if seen >= patience && documents.len() < self.limit / 2 {
                return Ok(None);
            }
            if seen > 0 && self.work.is_spent() {
                return more(last, documents);
            }
            self.work.row();
            let cursor = candidate.cursor(&self.ask.sort);
            match self.judge.judge(candidate, seen == 0, &mut self.work)? {
                Verdict::Yes { place, document } => {
                    bytes = bytes.saturating_add(document.len());
                    if bytes > self.ask.bytes && !documents.is_empty() {
                        return more(last, documents);
                    }
                    documents.push(document);
                    last = Some(place);
                    if documents.len() == self.limit {
                        return more(last, documents);
                    }
                }
                Verdict::No => last = Some(cursor),
                Verdict::OutOfWork => return more(last, documents),
                Verdict::Unjudged => {
                    self.unjudged += 1;
                    last = Some(cursor);
                }
            }
            seen += 1;
        }
        Ok(Some((documents, Rest::Finished)))
    }

    /// Candidates in any order. None if the work was spent before all were looked at.
    fn gather(&mut self, access: &Access) -> Result<Option<Found>, StoreError> {
        let mut stream = Stream::open(self.archive, access, self.ask)?;
        let mut first = BTreeMap::<Place, Spot>::new();
        let (mut is_more, mut unjudged) = (false, 0);
        while let Some(candidate) = stream.next()? {
            if self.work.is_spent() {
                return Ok(None);
            }
            self.work.row();
            let spot = candidate.spot;
            match self.judge.judge(Candidate { value: None, ..candidate }, false, &mut self.work)? {
                Verdict::Yes { place, .. } => {
                    first.insert(place, spot);
                    if first.len() > self.limit {
                        first.pop_last();
                        is_more = true;
                    }
                }
                Verdict::No => {}
                Verdict::OutOfWork => return Ok(None),
                Verdict::Unjudged => unjudged += 1,
            }
        }
        let (mut documents, mut bytes) = (Vec::<Vec<u8>>::new(), 0_usize);
        let mut last = None;
        for (place, spot) in first {
            let Some(document) = self.judge.document(spot)? else { continue };
            bytes = bytes.saturating_add(document.len());
            if bytes > self.ask.bytes && !documents.is_empty() {
                is_more = true;
                break;
            }
            documents.push(document);
            last = Some(place);
        }
        self.unjudged += unjudged;
        let rest = match last.filter(|_| is_more) {
            Some(last) => Rest::More(last),
            None => Rest::Finished,
        };
        Ok(Some((documents, rest)))
    }
}

#[cfg(test)]
mod tests;
