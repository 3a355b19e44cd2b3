//! What stands in the table of documents: a signed document, or the trace of one.

use taiinet_document::{
    Content, Document, DocumentId, Key, Map, Mark, PeerSet, Sharing, SignedDocument, Timestamp,
    Writers,
};
use taiinet_identity::PeerId;
use taiinet_query::Attributes;

use crate::layout::Spot;

const SIGNED: u8 = 0;
const TRACE: u8 = 1;

/// A row of the table of documents.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record {
    Document(Box<Signed>),
    Trace(Trace),
}

/// A document with its bytes, whose signature was checked before they were stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Signed {
    pub(crate) signed: SignedDocument,
    pub(crate) document: Document,
}

/// What is left of a version that is not kept, but goes on replacing the older ones: it has expired, it was deleted
/// by its id, or no query wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) author: PeerId,
    pub(crate) mark: Mark,
    pub(crate) key: Key,
}

impl Record {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Document(document) => encode_signed(&document.signed),
            Self::Trace(Trace { author, mark, key }) => {
                let mut bytes = vec![TRACE];
                bytes.extend_from_slice(author.as_bytes());
                put_mark(&mut bytes, mark);
                bytes.extend_from_slice(&(key.name().len() as u16).to_be_bytes());
                bytes.extend_from_slice(key.name().as_bytes());
                put_sharing(&mut bytes, key.sharing());
                bytes
            }
        }
    }

    /// None for bytes that are no row.
    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        let (&kind, bytes) = row.split_first()?;
        match kind {
            SIGNED => {
                let signed: SignedDocument = postcard::from_bytes(bytes).ok()?;
                let document = signed.decode().ok()?;
                Some(Self::Document(Box::new(Signed { signed, document })))
            }
            TRACE => {
                let mut bytes = bytes;
                let author = PeerId::from_bytes(take(&mut bytes)?);
                let mark = take_mark(&mut bytes)?;
                let length = usize::from(u16::from_be_bytes(take(&mut bytes)?));
                let (name, rest) = bytes.split_at_checked(length)?;
                let name = core::str::from_utf8(name).ok()?;
                let key = match take_sharing(rest)? {
                    Sharing::Own => Key::new(name),
                    Sharing::Shared(writers) => Key::shared(name, writers),
                    Sharing::Of(owner) => Key::of(name, owner),
                };
                Some(Self::Trace(Trace { author, mark, key }))
            }
            _ => None,
        }
    }

    pub(crate) const fn author(&self) -> PeerId {
        match self {
            Self::Document(document) => document.signed.author(),
            Self::Trace(trace) => trace.author,
        }
    }

    pub(crate) const fn mark(&self) -> Mark {
        match self {
            Self::Document(document) => document.mark(),
            Self::Trace(trace) => trace.mark,
        }
    }

    pub(crate) fn spot(&self) -> Spot {
        Spot::of(&self.mark())
    }

    pub(crate) const fn key(&self) -> Option<&Key> {
        match self {
            Self::Document(document) => document.document.key.as_ref(),
            Self::Trace(trace) => Some(&trace.key),
        }
    }

    /// What it leaves behind where older versions must not come back; none if it has no key.
    pub(crate) fn trace(&self) -> Option<Self> {
        let key = self.key()?.clone();
        Some(Self::Trace(Trace { author: self.author(), mark: self.mark(), key }))
    }

    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Trace(_) => Kind::Trace,
            Self::Document(document) => match document.document.content {
                Content::Deleted(_) => Kind::Deletion,
                _ => Kind::Live,
            },
        }
    }
}

/// Whether a row is a trace.
pub(crate) fn is_trace(row: &[u8]) -> bool {
    row.first() == Some(&TRACE)
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Live,
    Deletion,
    Trace,
}

impl Signed {
    pub(crate) const fn mark(&self) -> Mark {
        Mark { created_at: self.document.created_at, id: self.signed.id() }
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.document.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// As queries see it; none for what has no fields.
    pub(crate) fn subject(&self) -> Option<(Attributes<'_>, &Map)> {
        let attributes = Attributes {
            id: Some(self.signed.id()),
            author: self.signed.author(),
            owner: self.owner(),
            key: self.document.key.as_ref().map(Key::name),
            created_at: self.document.created_at,
        };
        Some((attributes, self.document.content.fields()?))
    }

    fn owner(&self) -> PeerId {
        let author = self.signed.author();
        self.document.key.as_ref().map_or(author, |key| key.owner(author))
    }

    /// As on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = encode_signed(&self.signed);
        bytes.remove(0);
        bytes
    }
}

/// A document in clear has one encoding, so this never fails.
fn encode_signed(signed: &SignedDocument) -> Vec<u8> {
    let mut row = Vec::with_capacity(signed.size() + 4);
    row.push(SIGNED);
    postcard::to_extend(signed, row).unwrap_or_default()
}

/// The newest version of an author under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) author: PeerId,
    pub(crate) mark: Mark,
    pub(crate) sharing: Sharing,
}

impl Head {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.author.as_bytes().to_vec();
        put_mark(&mut bytes, &self.mark);
        put_sharing(&mut bytes, &self.sharing);
        bytes
    }

    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let author = PeerId::from_bytes(take(&mut bytes)?);
        let mark = take_mark(&mut bytes)?;
        Some(Self { author, mark, sharing: take_sharing(bytes)? })
    }

    /// Under this name.
    pub(crate) fn key(&self, name: &str) -> Key {
        match &self.sharing {
            Sharing::Own => Key::new(name),
            Sharing::Shared(writers) => Key::shared(name, writers.clone()),
            Sharing::Of(owner) => Key::of(name, *owner),
        }
    }
}

fn put_mark(bytes: &mut Vec<u8>, mark: &Mark) {
    bytes.extend_from_slice(&mark.created_at.as_millis().to_be_bytes());
    bytes.extend_from_slice(mark.id.as_bytes());
}

fn take_mark(bytes: &mut &[u8]) -> Option<Mark> {
    let created_at = Timestamp::from_millis(u64::from_be_bytes(take(bytes)?));
    Some(Mark { created_at, id: DocumentId::from_bytes(take(bytes)?) })
}

/// Up to the end.
fn put_sharing(bytes: &mut Vec<u8>, sharing: &Sharing) {
    match sharing {
        Sharing::Own => bytes.push(0),
        Sharing::Shared(Writers::Anyone) => bytes.push(1),
        Sharing::Shared(Writers::Peers(peers)) => {
            bytes.push(2);
            peers.iter().for_each(|peer| bytes.extend_from_slice(peer.as_bytes()));
        }
        Sharing::Of(owner) => {
            bytes.push(3);
            bytes.extend_from_slice(owner.as_bytes());
        }
    }
}

fn take_sharing(mut bytes: &[u8]) -> Option<Sharing> {
    let [kind] = take(&mut bytes)?;
    let mut peers = Vec::new();
    while !bytes.is_empty() {
        peers.push(PeerId::from_bytes(take(&mut bytes)?));
    }
    match (kind, peers.as_slice()) {
        (0, []) => Some(Sharing::Own),
        (1, []) => Some(Sharing::Shared(Writers::Anyone)),
        (2, _) => Some(Sharing::Shared(Writers::Peers(PeerSet::new(peers).ok()?))),
        (3, [owner]) => Some(Sharing::Of(*owner)),
        _ => None,
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests;
