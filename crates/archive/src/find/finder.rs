//! Which way a page is filled.

use core::iter;
use std::collections::BTreeSet;

use taiinet_document::Timestamp;

use super::{
    fill::{Filled, first_of_all},
    judge::Judge,
    page::{Ask, Page},
    plan::{self, Access, Plan},
    stream::{self, Stream},
    window::Window,
    work::Work,
};
use crate::{
    archive::Archive,
    layout::Spot,
    limits,
    store::{Direction, Store, StoreError},
};

/// So few candidates that they are looked at without further thought.
const FEW: usize = 256;
/// How many rows of an index are looked at to guess how many it has.
const REACH: usize = 64;
/// The most rows of indexes that are read to save reading documents.
const ROWS: usize = 16 * 1024;
/// Reading a document takes as long as reading so many rows of an index.
const DOCUMENT_ROWS: usize = 8;

pub(super) struct Finder<'a, S> {
    archive: &'a Archive<S>,
    ask: &'a Ask,
    window: Window,
    judge: Judge<'a, S>,
    work: Work,
    limit: usize,
}

impl<'a, S: Store> Finder<'a, S> {
    pub(super) fn new(archive: &'a Archive<S>, ask: &'a Ask, budget: u64, now: Timestamp) -> Self {
        let window = Window::of(ask);
        Self {
            archive,
            ask,
            window,
            judge: Judge::new(archive, ask, window, now),
            work: Work::new(budget),
            limit: ask.limit.clamp(1, limits::PAGE_DOCUMENTS),
        }
    }

    pub(super) fn find(mut self) -> Result<Page, StoreError> {
        let Filled { documents, rest, unjudged, .. } = self.fill()?;
        Ok(Page { documents, rest, work: self.work.spent(), unjudged })
    }

    fn fill(&mut self) -> Result<Filled, StoreError> {
        let Plan { streams, others } = plan::plan(self.archive, self.ask)?;
        let Some(access) = self.sparsest(streams)? else { return self.without_order(&others) };
        let by_time = self.ask.sort.fields().is_empty();
        let mut stream = self.open(&access)?;
        let mut page = Filled::new(self.ask, self.limit);
        // Other indexes may lead to so few documents that it is quicker to look at these. If that cannot be said at
        // once it is seen how quickly the page fills, for counting them takes its time as well.
        for most in [FEW, self.worth_it()] {
            if let Some(fewest) = self.fewest(&others, most.min(self.work.affordable()))? {
                if by_time
                    && let Some(spots) = self.common(fewest, others.iter().chain([&access]))?
                {
                    let mut page = Filled::new(self.ask, self.limit);
                    let mut stream = self.open(&Access::Spots(spots))?;
                    page.fill(&mut stream, &self.judge, &mut self.work, |_, _| true)?;
                    return Ok(page);
                }
                if !by_time
                    && let few = self.open(fewest)?
                    && let Some(page) =
                        first_of_all(few, self.ask, self.limit, &self.judge, &mut self.work)?
                {
                    return Ok(page);
                }
            }
            let (is_last, limit, worth_it) = (most != FEW, self.limit, self.worth_it());
            let goes_well = |seen: usize, found: usize| {
                // What it would take to fill the page at this rate.
                let left = (limit - found.min(limit)).saturating_mul(seen) / found.max(1);
                seen < FEW / 2 || left.saturating_mul(DOCUMENT_ROWS) <= worth_it
            };
            let goes_on = |seen, found| is_last || others.is_empty() || goes_well(seen, found);
            if page.fill(&mut stream, &self.judge, &mut self.work, goes_on)? {
                break;
            }
        }
        Ok(page)
    }

    /// No index leads to the wanted order.
    fn without_order(&mut self, among: &[Access]) -> Result<Filled, StoreError> {
        let most = self.worth_it().min(self.work.affordable());
        let fewest = match among {
            [only] => Some(only),
            several => self.fewest(several, most)?.or(several.first()),
        };
        let page = match fewest {
            Some(access) => {
                let all = self.open(access)?;
                first_of_all(all, self.ask, self.limit, &self.judge, &mut self.work)?
            }
            None => None,
        };
        Ok(page.unwrap_or_default())
    }

    fn open(&self, access: &Access) -> Result<Stream<'a, S>, StoreError> {
        Stream::open(self.archive, access, self.ask, self.window)
    }

    /// Of several indexes the one that has the fewest documents, as far as a few rows can tell: those of it that
    /// reach the furthest.
    fn sparsest(&mut self, among: Vec<Access>) -> Result<Option<Access>, StoreError> {
        let mut sparsest: Option<(u64, Access)> = None;
        let is_only = among.len() == 1;
        for access in among {
            let reach = match is_only {
                true => None,
                false => stream::reach(&mut self.open(&access)?, REACH, &mut self.work)?,
            };
            let reach = reach.unwrap_or(u64::MAX);
            if sparsest.as_ref().is_none_or(|(furthest, _)| reach > *furthest) {
                sparsest = Some((reach, access));
            }
        }
        Ok(sparsest.map(|(_, access)| access))
    }

    /// How many rows may be read to find out which documents to look at: as many as it takes to look at documents one
    /// after another until the page is full, if so many match and are spread evenly.
    fn worth_it(&self) -> usize {
        let all = usize::try_from(self.archive.totals.documents).unwrap_or(usize::MAX);
        let even = all.saturating_mul(self.limit).saturating_mul(DOCUMENT_ROWS).isqrt();
        even.clamp(FEW, ROWS)
    }

    /// The index with the fewest rows, if one has less than so many.
    fn fewest<'b>(
        &mut self,
        among: &'b [Access],
        most: usize,
    ) -> Result<Option<&'b Access>, StoreError> {
        let mut cap = FEW;
        loop {
            let cap_now = cap.min(most);
            let mut fewest: Option<(usize, &Access)> = None;
            for access in among {
                let cap = fewest.map_or(cap_now, |(count, _)| count);
                let mut stream = self.open(access)?;
                if let Some(count) = stream::count(&mut stream, cap, &mut self.work)? {
                    fewest = Some((count, access));
                }
            }
            if fewest.is_some() || cap_now == most {
                return Ok(fewest.map(|(_, access)| access));
            }
            cap *= 8;
        }
    }

    /// The documents that several indexes lead to, as far as these are small, in the order of time. None if the work
    /// was spent.
    fn common<'b>(
        &mut self,
        fewest: &Access,
        others: impl Iterator<Item = &'b Access>,
    ) -> Result<Option<Vec<Spot>>, StoreError> {
        let Some(mut common) = self.spots(fewest, usize::MAX)? else { return Ok(None) };
        for other in others {
            if core::ptr::eq(other, fewest) || common.len() <= self.limit {
                continue;
            }
            // Not more than looking at the documents would take.
            let most = common.len().saturating_mul(DOCUMENT_ROWS).min(self.work.affordable());
            if let Some(spots) = self.spots(other, most)? {
                common = common.intersection(&spots).copied().collect();
            }
        }
        Ok(Some(match self.window.direction {
            Direction::Forward => common.into_iter().collect(),
            Direction::Backward => common.into_iter().rev().collect(),
        }))
    }

    /// Where an index leads, if it has no more than so many rows, and there is work for them.
    fn spots(
        &mut self,
        access: &Access,
        most: usize,
    ) -> Result<Option<BTreeSet<Spot>>, StoreError> {
        if matches!(access, Access::Time) {
            return Ok(None);
        }
        let mut stream = self.open(access)?;
        let (mut spots, mut rows) = (BTreeSet::new(), 0);
        while let Some(candidate) = stream.next()? {
            self.work.row();
            rows += 1;
            if rows > most || self.work.is_spent() {
                return Ok(None);
            }
            spots.extend(iter::once(candidate.spot).filter(|spot| self.window.contains(*spot)));
        }
        Ok(Some(spots))
    }
}
