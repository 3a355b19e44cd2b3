//! Which way a page is filled.

use core::iter;
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
            if let Some(few) = self.fewest(&others, Some(&access), most)? {
                let mut few = self.open(&Access::Spots(few))?;
                if by_time {
                    let mut page = Filled::new(self.ask, self.limit);
                    page.fill(&mut few, &self.judge, &mut self.work, |_, _| true)?;
                    return Ok(page);
                }
                if let Some(page) =
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
        let few = match among {
            [_] => None,
            several => self.fewest(several, None, self.worth_it())?.map(Access::Spots),
        };
        let page = match few.as_ref().or(among.first()) {
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

    /// Where the index with the fewest rows leads, if it has no more than so many, and of that what others lead to as
    /// well, as far as these are small; in the order of time.
    fn fewest(
        &mut self,
        among: &[Access],
        beside: Option<&Access>,
        most: usize,
    ) -> Result<Option<Vec<Spot>>, StoreError> {
        let most = most.min(self.work.affordable());
        let mut cap = FEW;
        let mut fewest = None;
        while fewest.is_none() {
            for (number, access) in among.iter().enumerate() {
                let cap =
                    fewest.as_ref().map_or(cap.min(most), |(_, spots): &(_, Vec<_>)| spots.len());
                fewest = self.spots(access, cap)?.map(|spots| (number, spots)).or(fewest);
            }
            if cap >= most {
                break;
            }
            cap *= 8;
        }
        let Some((number, mut spots)) = fewest else { return Ok(None) };
        let others = among.iter().enumerate().filter(|(other, _)| *other != number);
        for other in others.map(|(_, other)| other).chain(beside) {
            // Not more than looking at the documents would take.
            let most = spots.len().saturating_mul(DOCUMENT_ROWS).min(self.work.affordable());
            if spots.len() > self.limit
                && let Some(others) = self.spots(other, most)?
            {
                spots.retain(|spot| others.binary_search(spot).is_ok());
            }
        }
        if self.window.direction == Direction::Backward {
            spots.reverse();
        }
        Ok(Some(spots))
    }

    /// Where an index leads, by ascending time, if it has no more than so many rows, and there is work for them.
    fn spots(&mut self, access: &Access, most: usize) -> Result<Option<Vec<Spot>>, StoreError> {
        if matches!(access, Access::Time | Access::Sorted { .. }) {
            return Ok(None);
        }
        let mut stream = self.open(access)?;
        let (mut spots, mut rows) = (Vec::new(), 0);
        while let Some(candidate) = stream.next()? {
            self.work.row();
            rows += 1;
            if rows > most || self.work.is_spent() {
                return Ok(None);
            }
            spots.extend(iter::once(candidate.spot).filter(|spot| self.window.contains(*spot)));
        }
        spots.sort_unstable();
        spots.dedup();
        Ok(Some(spots))
    }
}
