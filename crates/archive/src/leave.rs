//! What leaves: because its time has come, or because there is no room.

use taiinet_document::Timestamp;
use taiinet_identity::PeerId;

use crate::{
    archive::{Archive, damaged, decode, is_live},
    entries::remains,
    error::ArchiveError,
    layout::{self, Spot},
    limits, meta,
    record::Record,
    store::{Direction, Span, Store, StoreError, Table},
};

/// How many of the authors that have about as much are compared.
const COMPARED: usize = 64;

impl<S: Store> Archive<S> {
    /// Takes out what has expired, what has become too old, and deletions that nothing can come for any more; up to
    /// so many. Returns how many there were; if as many as allowed, there may be more.
    ///
    /// Nothing that has expired is ever found, whether it was taken out or not.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub fn expire(&mut self, now: Timestamp, most: usize) -> Result<usize, ArchiveError> {
        self.change(|archive| {
            let to = Some(layout::time(Timestamp::from_millis(now.as_millis().saturating_add(1))));
            let span = Span { from: Vec::new(), to: to.map(|to| to.to_vec()) };
            let mut due = Vec::new();
            let mut walk = archive.tables.walk(Table::Expiry, span, Direction::Forward);
            while due.len() < most
                && let Some((key, _)) = walk.next()?
            {
                due.push(Spot::ending(&key).ok_or_else(|| damaged("an expiry"))?);
            }
            for spot in &due {
                let record = archive.record(*spot)?.ok_or_else(|| damaged("an expiry"))?;
                let remains =
                    is_live(&record).then(|| remains(&record, &archive.config, now)).flatten();
                archive.replace(Some(&record), remains.as_ref())?;
            }
            Ok(due.len())
        })
    }

    /// Takes out the oldest of the author that is furthest over its share, while there is too much; where none is, the
    /// oldest of all.
    pub(crate) fn make_room(&mut self) -> Result<(), StoreError> {
        let Some(quota) = self.config.quota else { return Ok(()) };
        if self.totals.footprint <= quota {
            return Ok(());
        }
        let enough = quota - quota / 64;
        for _ in 0..limits::EVICTIONS {
            if self.totals.footprint <= enough {
                break;
            }
            let heaviest = self.heaviest()?;
            let oldest = match &heaviest {
                Some(author) => self.oldest_of(author)?,
                None => self.oldest()?,
            };
            let Some(oldest) = oldest else { break };
            let floor = oldest.mark().created_at.as_millis().saturating_add(1);
            let floor = Timestamp::from_millis(floor);
            self.replace(Some(&oldest), None)?;
            match heaviest {
                Some(author) => {
                    let key = meta::floor_key(&author);
                    if self.tables.get(Table::Meta, &key)?.is_none() {
                        self.totals.floors = self.totals.floors.saturating_add(1);
                    }
                    self.tables.put(Table::Meta, key, layout::time(floor).to_vec());
                }
                None => self.totals.floor = self.totals.floor.max(floor),
            }
        }
        Ok(())
    }

    /// The author that is furthest over its share.
    fn heaviest(&self) -> Result<Option<PeerId>, StoreError> {
        if self.config.share.is_none() {
            return Ok(None);
        }
        let mut walk = self.tables.walk(Table::Heavy, Span::all(), Direction::Backward);
        let mut heaviest = None;
        let mut class = None;
        for _ in 0..COMPARED {
            let Some((key, _)) = walk.next()? else { break };
            let Some((weight, author)) = key.split_first() else { break };
            if class.is_some_and(|class| class != *weight) {
                break;
            }
            class = Some(*weight);
            let author = <[u8; PeerId::LEN]>::try_from(author).map(PeerId::from_bytes);
            let author = author.map_err(|_| damaged("an author"))?;
            heaviest = heaviest.max(Some((self.usage(&author)?.bytes, author)));
        }
        Ok(heaviest.map(|(_, author)| author))
    }

    fn oldest_of(&self, author: &PeerId) -> Result<Option<Record>, StoreError> {
        let span = Span::prefix(&layout::author_prefix(author));
        let mut walk = self.tables.walk(Table::Author, span, Direction::Forward);
        while let Some((key, _)) = walk.next()? {
            let spot = Spot::ending(&key).ok_or_else(|| damaged("an author"))?;
            let record = self.record(spot)?;
            if record.as_ref().is_some_and(|record| record.author() == *author) {
                return Ok(record);
            }
        }
        Ok(None)
    }

    fn oldest(&self) -> Result<Option<Record>, StoreError> {
        let mut walk = self.tables.walk(Table::Document, Span::all(), Direction::Forward);
        let Some((key, row)) = walk.next()? else { return Ok(None) };
        let spot = Spot::ending(&key).ok_or_else(|| damaged("a document"))?;
        decode(&row, spot).map(Some)
    }
}
