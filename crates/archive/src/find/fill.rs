//! Putting documents on a page.

use std::collections::BTreeMap;

use taiinet_query::sort::Place;

use super::{
    judge::{Judge, Verdict},
    page::{Ask, Rest},
    stream::{Candidate, Stream},
    work::Work,
};
use crate::store::{Store, StoreError};

/// A page that is being filled.
pub(super) struct Filled {
    pub(super) documents: Vec<Vec<u8>>,
    /// As if it ended here.
    pub(super) rest: Rest,
    pub(super) unjudged: usize,
    seen: usize,
    limit: usize,
    /// How many bytes there may still be.
    bytes: usize,
}

impl Default for Filled {
    fn default() -> Self {
        let (documents, rest) = (Vec::new(), Rest::TooCostly);
        Self { documents, rest, unjudged: 0, seen: 0, limit: 0, bytes: 0 }
    }
}

impl Filled {
    pub(super) fn new(ask: &Ask, limit: usize) -> Self {
        let rest = ask.after.clone().map_or(Rest::TooCostly, Rest::More);
        Self { rest, limit, bytes: ask.bytes, ..Self::default() }
    }

    /// Whether there is room for another.
    fn has_room(&self, document: &[u8]) -> bool {
        self.documents.len() < self.limit
            && (self.documents.is_empty() || document.len() <= self.bytes)
    }

    fn push(&mut self, document: Vec<u8>, place: Place) {
        self.bytes = self.bytes.saturating_sub(document.len());
        self.documents.push(document);
        self.rest = Rest::More(place);
    }

    /// Takes candidates that come in the wanted order, until the page is full or the work is spent. It also ends, and
    /// says false, where `goes_on` does, of how many were seen and found; then it can be called again.
    pub(super) fn fill<S: Store>(
        &mut self,
        stream: &mut Stream<'_, S>,
        judge: &Judge<'_, S>,
        work: &mut Work,
        goes_on: impl Fn(usize, usize) -> bool,
    ) -> Result<bool, StoreError> {
        while self.documents.len() < self.limit {
            if !goes_on(self.seen, self.documents.len()) {
                return Ok(false);
            }
            let is_first = self.seen == 0;
            if !is_first && work.is_spent() {
                return Ok(true);
            }
            let Some(candidate) = stream.next()? else {
                self.rest = Rest::Finished;
                return Ok(true);
            };
            work.row();
            let cursor = candidate.cursor(judge.sort());
            match judge.judge(candidate, is_first, work)? {
                Verdict::Yes { place, document } if self.has_room(&document) => {
                    self.push(document, place);
                }
                Verdict::Yes { .. } | Verdict::OutOfWork => return Ok(true),
                Verdict::No => self.rest = Rest::More(cursor),
                Verdict::Unjudged => {
                    self.unjudged += 1;
                    self.rest = Rest::More(cursor);
                }
            }
            self.seen += 1;
        }
        Ok(true)
    }
}

/// The first of candidates that come in any order. None if the work was spent before all were looked at.
pub(super) fn first_of_all<S: Store>(
    mut stream: Stream<'_, S>,
    ask: &Ask,
    limit: usize,
    judge: &Judge<'_, S>,
    work: &mut Work,
) -> Result<Option<Filled>, StoreError> {
    let mut first = BTreeMap::new();
    let mut is_more = false;
    while let Some(candidate) = stream.next()? {
        if work.is_spent() {
            return Ok(None);
        }
        work.row();
        let spot = candidate.spot;
        match judge.judge(Candidate { value: None, ..candidate }, false, work)? {
            Verdict::Yes { place, .. } => {
                first.insert(place, spot);
                if first.len() > limit {
                    first.pop_last();
                    is_more = true;
                }
            }
            Verdict::No => {}
            Verdict::OutOfWork | Verdict::Unjudged => return Ok(None),
        }
    }
    let mut page = Filled::new(ask, limit);
    for (place, spot) in first {
        let Some(document) = judge.document(spot)? else { continue };
        if !page.has_room(&document) {
            is_more = true;
            break;
        }
        page.push(document, place);
    }
    if !is_more {
        page.rest = Rest::Finished;
    }
    Ok(Some(page))
}
