//! The one way in.

use taiinet_document::{
    Content, Deletion, DocumentId, Key, Mark, Timestamp, VerifiedDocument, Versions,
    limits::VERSION_AUTHORS,
};
use taiinet_identity::PeerId;

use crate::{
    admission::{Admission, Refusal},
    archive::{Archive, is_live},
    entries::remains,
    error::ArchiveError,
    layout::{self, Spot},
    limits,
    record::{Head, Record, Signed, Trace},
    store::{Direction, Span, Store, StoreError, Table},
};

impl<S: Store> Archive<S> {
    /// Takes a document, if it is wanted and newer than what is there, and takes out what it replaces or deletes.
    /// Searches see that at once; it is durable after the next [`commit`](Self::commit).
    ///
    /// In whatever order documents come, what is found in the end is the same, as long as there is room. So a
    /// deletion of what is not there waits for it, and of a version that is not kept a trace is, so that older
    /// versions do not come back.
    ///
    /// # Errors
    /// [`ArchiveError::CommitFirst`]; [`ArchiveError::Store`], also where the last commit failed.
    pub fn admit(
        &mut self,
        document: &VerifiedDocument,
        now: Timestamp,
    ) -> Result<Admission, ArchiveError> {
        if let Some(refusal) = self.refuses(document, now)? {
            // What would not be taken any more may have been when it was younger.
            let is_there = matches!(refusal, Refusal::TooOld { .. })
                && matches!(self.record(Spot::of(&document.into()))?, Some(Record::Document(_)));
            return Ok(if is_there { Admission::Known } else { Admission::Refused(refusal) });
        }
        self.change(|archive| {
            let admission = archive.put(document, now)?;
            archive.make_room()?;
            let spot = Spot::of(&document.into());
            let is_there = || archive.tables.get(Table::Document, spot.as_bytes());
            match admission {
                Admission::Stored if archive.config.quota.is_some() && is_there()?.is_none() => {
                    Ok(Admission::Refused(Refusal::Quota))
                }
                admission => Ok(admission),
            }
        })
    }

    /// What does not depend on other documents.
    fn refuses(
        &self,
        document: &VerifiedDocument,
        now: Timestamp,
    ) -> Result<Option<Refusal>, ArchiveError> {
        if document.network != self.config.network {
            return Ok(Some(Refusal::Network));
        }
        if matches!(document.content, Content::Subscription(_) | Content::Unknown(_)) {
            return Ok(Some(Refusal::Unwanted));
        }
        let created_at = document.created_at;
        let latest = now.as_millis().saturating_add(limits::SKEW_MILLIS).min(layout::TIME_END - 1);
        if created_at.as_millis() > latest {
            return Ok(Some(Refusal::Future));
        }
        if document.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Ok(Some(Refusal::Expired));
        }
        let author = document.author();
        let oldest = self.config.oldest(author, now).max(self.floor_of(&author)?);
        Ok((created_at < oldest).then_some(Refusal::TooOld { oldest }))
    }

    fn put(
        &mut self,
        document: &VerifiedDocument,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        let (author, mark) = (document.author(), Mark::from(document));
        let deleted_by = match &document.content {
            // A deletion is not deleted.
            Content::Deleted(_) => None,
            _ => self.deletion_of(&author, &mark)?,
        };
        match self.record(Spot::of(&mark))? {
            Some(Record::Document(_)) => return Ok(Admission::Known),
            Some(Record::Trace(_)) => {
                let unwanted = Admission::Refused(Refusal::Unwanted);
                return Ok(deleted_by.map_or(unwanted, |by| Admission::Superseded { by }));
            }
            None => {}
        }
        let is_wanted = self.wants(document);
        let record = if is_wanted && deleted_by.is_none() {
            let (signed, document) = (document.signed().clone(), document.document().clone());
            Record::Document(Box::new(Signed { signed, document }))
        } else {
            let absent = match deleted_by {
                Some(by) => Admission::Superseded { by },
                None => Admission::Refused(Refusal::Unwanted),
            };
            // Of what has no key nothing has to be kept.
            let Some(key) = document.key.clone() else { return Ok(absent) };
            if deleted_by.is_none() && !self.concerns(&author, &key) {
                return Ok(absent);
            }
            Record::Trace(Trace { author, mark, key })
        };
        let superseded = match &document.key {
            Some(key) => match self.put_version(&record, key)? {
                Ok(by) => by,
                Err(by) => return Ok(Admission::Superseded { by }),
            },
            None => {
                self.replace(None, Some(&record))?;
                None
            }
        };
        if let Content::Deleted(Deletion::Documents(ids)) = &document.content {
            for id in ids.iter() {
                self.delete(&author, id, &mark, now)?;
            }
        }
        Ok(match (deleted_by.or(superseded), is_wanted) {
            (Some(by), _) => Admission::Superseded { by },
            (None, true) => Admission::Stored,
            (None, false) => Admission::Refused(Refusal::Unwanted),
        })
    }

    /// Whether a query matches it, or could match what it deletes.
    fn wants(&self, document: &VerifiedDocument) -> bool {
        match (&document.content, &document.key) {
            (Content::Deleted(Deletion::Documents(victims)), _) => {
                let author = document.author();
                self.config.queries.iter().any(|query| {
                    query.authors().is_none_or(|authors| authors.contains(&author))
                        && query.ids().is_none_or(|ids| victims.iter().any(|id| ids.contains(id)))
                })
            }
            (Content::Deleted(Deletion::Key), Some(key)) => self.concerns(&document.author(), key),
            _ => self.config.queries.iter().any(|query| query.matches_document(document)),
        }
    }

    /// Whether a query could match a version under this key.
    fn concerns(&self, author: &PeerId, key: &Key) -> bool {
        let name = key.name();
        self.config.queries.iter().any(|query| {
            let is_one = |authors: Vec<PeerId>| {
                authors.contains(author) || authors.contains(&key.owner(*author))
            };
            query.authors().is_none_or(is_one)
                && query.document_keys().is_none_or(|names| names.iter().any(|n| n == name))
        })
    }

    /// A deletion that is there of a document by its id.
    fn deletion_of(&self, author: &PeerId, mark: &Mark) -> Result<Option<DocumentId>, StoreError> {
        if self.totals.deletions == 0 {
            return Ok(None);
        }
        let span = Span::prefix(&layout::grave_prefix(author, &mark.id));
        // The latest, for what is later than a deletion is not deleted by it.
        let mut walk = self.tables.walk(Table::Grave, span, Direction::Backward);
        let Some((key, _)) = walk.next()? else { return Ok(None) };
        let deletion = Spot::ending(&key).map(|spot| self.record(spot)).transpose()?.flatten();
        let deletion = deletion.map(|deletion| deletion.mark());
        Ok(deletion.filter(|deletion| deletion > mark).map(|deletion| deletion.id))
    }

    /// The versions that are known under a key.
    pub(crate) fn heads(&self, owner: &PeerId, name: &str) -> Result<Vec<Head>, StoreError> {
        let span = Span::prefix(&layout::head_prefix(owner, name));
        let mut walk = self.tables.walk(Table::Head, span, Direction::Forward);
        let mut heads = Vec::new();
        while let Some((_, row)) = walk.next()? {
            heads.push(Head::decode(&row).ok_or_else(|| crate::archive::damaged("a version"))?);
        }
        Ok(heads)
    }

    /// Puts a version beside those that are there, or refuses it with the one that has taken its place for good. If
    /// it is kept, but another one counts, says which.
    fn put_version(
        &mut self,
        record: &Record,
        key: &Key,
    ) -> Result<Result<Option<DocumentId>, DocumentId>, StoreError> {
        let (author, mark) = (record.author(), record.mark());
        let owner = key.owner(author);
        let heads = self.heads(&owner, key.name())?;
        // What is older than its author's newest, or than the owner's, never counts again.
        let newer =
            |head: &&Head| head.mark > mark && (head.author == author || head.author == owner);
        if let Some(newer) = heads.iter().filter(newer).max_by_key(|head| head.mark) {
            return Ok(Err(newer.mark.id));
        }
        let (mut dropped, mut others): (Vec<Head>, Vec<Head>) = heads
            .into_iter()
            .partition(|head| head.author == author || author == owner && head.mark < mark);
        if author != owner
            && others.iter().filter(|head| head.author != owner).count() >= VERSION_AUTHORS
        {
            let strangers = others.iter().filter(|head| head.author != owner);
            let Some(oldest) = strangers.min_by_key(|head| head.mark).cloned() else {
                return Ok(Ok(None));
            };
            if oldest.mark > mark {
                return Ok(Err(oldest.mark.id));
            }
            others.retain(|head| head.author != oldest.author);
            dropped.push(oldest);
        }
        for head in dropped {
            let old = self.record(Spot::of(&head.mark))?;
            self.replace(old.as_ref(), None)?;
        }
        self.replace(None, Some(record))?;
        let mut versions = Versions::default();
        for head in &others {
            versions.insert(head.author, head.mark, &head.key(key.name()));
        }
        versions.insert(author, mark, key);
        Ok(Ok(versions.replaced_by(author, mark, key).map(|newer| newer.id)))
    }

    /// Takes a document out, by its id and its author.
    fn delete(
        &mut self,
        author: &PeerId,
        id: &DocumentId,
        deletion: &Mark,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(spot) = self.spot(id)? else { return Ok(()) };
        let Some(victim) = self.record(spot)? else { return Ok(()) };
        let mark = victim.mark();
        if victim.author() == *author && mark.id == *id && mark < *deletion && is_live(&victim) {
            let remains = remains(&victim, &self.config, now);
            self.replace(Some(&victim), remains.as_ref())?;
        }
        Ok(())
    }
}
