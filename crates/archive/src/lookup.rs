//! Documents by their names, and all of them one after another.

use taiinet_document::{DocumentId, Timestamp, Versions};
use taiinet_identity::PeerId;
use taiinet_query::sort::{Place, Sort};

use crate::{
    archive::{Archive, damaged, decode},
    error::ArchiveError,
    layout::Spot,
    record::{Kind, Record},
    store::{Direction, Span, Store, Table},
};

/// Some of all documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Signed documents as on the wire, in the order of time.
    pub documents: Vec<Vec<u8>>,
    /// Where it goes on; none if that was all.
    pub rest: Option<Place>,
}

impl<S: Store> Archive<S> {
    /// A document by its id, as on the wire, if it is there and has not expired; also a deletion, and a version that
    /// another one has replaced for now, for those who need to see why.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn get(&self, id: &DocumentId, now: Timestamp) -> Result<Option<Vec<u8>>, ArchiveError> {
        let Some(spot) = self.spot(id)? else { return Ok(None) };
        Ok(match self.record(spot)? {
            Some(Record::Document(document))
                if document.signed.id() == *id && !document.is_expired(now) =>
            {
                Some(document.bytes())
            }
            _ => None,
        })
    }

    /// The document under a key, as on the wire: its newest version, whoever of its writers wrote it. None if that is
    /// deleted or has expired.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn head(
        &self,
        owner: &PeerId,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, ArchiveError> {
        let mut versions = Versions::default();
        for head in self.heads(owner, key)? {
            versions.insert(head.author, head.mark, &head.key(key));
        }
        let Some(mark) = versions.document() else { return Ok(None) };
        Ok(match self.record(Spot::of(&mark))? {
            Some(record) if record.kind() != Kind::Live => None,
            Some(Record::Document(document)) if !document.is_expired(now) => Some(document.bytes()),
            _ => None,
        })
    }

    /// All that another archive needs to be like this one: documents that have not expired, also versions that others
    /// replace for now, and deletions. Up to so many, and so many bytes but one at least; `after` is the
    /// [`rest`](Export::rest) of the last time.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn export(
        &self,
        after: Option<&Place>,
        limit: usize,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Export, ArchiveError> {
        let oldest = Sort::oldest();
        let span = after.map_or(Span::all(), |place| {
            let (time, id) = oldest.moment(place);
            Span::all().after(Spot::new(time, &id).as_bytes(), Direction::Forward)
        });
        let mut walk = self.tables.walk(Table::Document, span, Direction::Forward);
        let (mut documents, mut size, mut last) = (Vec::<Vec<u8>>::new(), 0_usize, None);
        while let Some((key, row)) = walk.next()? {
            let spot = Spot::ending(&key).ok_or_else(|| damaged("a document"))?;
            let Record::Document(document) = decode(&row, spot)? else { continue };
            if document.is_expired(now) {
                continue;
            }
            size = size.saturating_add(row.len());
            if documents.len() >= limit.max(1) || size > bytes && !documents.is_empty() {
                return Ok(Export { documents, rest: last });
            }
            documents.push(document.bytes());
            last = Some(oldest.at(document.document.created_at, document.signed.id()));
        }
        Ok(Export { documents, rest: None })
    }
}
