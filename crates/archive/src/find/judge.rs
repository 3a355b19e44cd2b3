//! Whether a candidate is what was looked for.

use taiinet_document::{Sharing, Timestamp, Versions};
use taiinet_query::sort::{Direction, Place, Sort};

use super::{page::Ask, stream::Candidate, window::Window, work::Work};
use crate::{
    archive::{Archive, decode},
    entries::PLACE_TAIL,
    layout::Spot,
    record::{Kind, Record, Signed},
    store::{Store, StoreError, Table},
};

pub(super) struct Judge<'a, S> {
    archive: &'a Archive<S>,
    ask: &'a Ask,
    window: Window,
    now: Timestamp,
}

pub(super) enum Verdict {
    Yes {
        place: Place,
        document: Vec<u8>,
    },
    No,
    /// Less work was left than it takes.
    OutOfWork,
    /// It takes more than there was in all.
    Unjudged,
}

impl<'a, S: Store> Judge<'a, S> {
    pub(super) const fn new(
        archive: &'a Archive<S>,
        ask: &'a Ask,
        window: Window,
        now: Timestamp,
    ) -> Self {
        Self { archive, ask, window, now }
    }

    pub(super) const fn sort(&self) -> &Sort {
        &self.ask.sort
    }

    /// The first candidate of a page is judged with whatever work that takes, within a bound.
    pub(super) fn judge(
        &self,
        candidate: Candidate,
        is_first: bool,
        work: &mut Work,
    ) -> Result<Verdict, StoreError> {
        let Candidate { spot, row, value } = candidate;
        if !self.window.contains(spot) {
            return Ok(Verdict::No);
        }
        let row = match row {
            Some(row) => Some(row),
            None => {
                work.elsewhere();
                self.archive.tables.get(Table::Document, spot.as_bytes())?
            }
        };
        let Some(row) = row else { return Ok(Verdict::No) };
        if !is_first && work.is_spent() {
            return Ok(Verdict::OutOfWork);
        }
        work.document(row.len());
        let record = decode(&row, spot)?;
        let Record::Document(document) = &record else { return Ok(Verdict::No) };
        if record.kind() != Kind::Live || document.is_expired(self.now) {
            return Ok(Verdict::No);
        }
        let Some((attributes, fields)) = document.subject() else { return Ok(Verdict::No) };
        let fuel = work.fuel(is_first);
        let judged = self.ask.query.matches_within(attributes, fields, &fuel).and_then(|matches| {
            matches.then(|| self.ask.sort.place_within(attributes, fields, &fuel)).transpose()
        });
        let place = match judged {
            Ok(place) => {
                work.used(is_first, &fuel);
                place
            }
            Err(_) if is_first => {
                work.exhaust();
                return Ok(Verdict::Unjudged);
            }
            Err(_) => return Ok(Verdict::OutOfWork),
        };
        let Some(place) = place else { return Ok(Verdict::No) };
        if self.ask.after.as_ref().is_some_and(|after| place <= *after) {
            return Ok(Verdict::No);
        }
        // It stands under other values as well, and is found where it is sorted.
        if value.is_some_and(|value| !self.stands_at(&place, &value)) {
            return Ok(Verdict::No);
        }
        if !self.counts(document, work)? {
            return Ok(Verdict::No);
        }
        let document = row.get(1..).unwrap_or_default().to_vec();
        Ok(Verdict::Yes { place, document })
    }

    /// What was judged before.
    pub(super) fn document(&self, spot: Spot) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.archive.tables.get(Table::Document, spot.as_bytes())?;
        Ok(row.and_then(|row| Some(row.get(1..)?.to_vec())))
    }

    fn stands_at(&self, place: &Place, value: &[u8]) -> bool {
        let end = place.as_bytes().len().saturating_sub(PLACE_TAIL);
        let by = place.as_bytes().get(..end).unwrap_or_default();
        match self.ask.sort.fields().first() {
            Some((_, Direction::Descending)) => {
                by.iter().map(|byte| !byte).eq(value.iter().copied())
            }
            _ => by == value,
        }
    }

    /// Whether no other version counts in its place.
    fn counts(&self, document: &Signed, work: &mut Work) -> Result<bool, StoreError> {
        let Some(key) = &document.document.key else { return Ok(true) };
        // Of one's own versions only the newest is there.
        if *key.sharing() == Sharing::Own {
            return Ok(true);
        }
        let author = document.signed.author();
        let mut versions = Versions::default();
        for head in self.archive.heads(&key.owner(author), key.name())? {
            work.row();
            versions.insert(head.author, head.mark, &head.key(key.name()));
        }
        let mark = document.mark();
        Ok(versions.current().any(|current| current == mark))
    }
}
