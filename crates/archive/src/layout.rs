//! The rows of the tables, as bytes. Numbers are big-endian.
//!
//! | table | key | value |
//! |---|---|---|
//! | document | spot | 0 and the signed document as on the wire, or 1 and a [trace](crate::record::Trace) |
//! | journal | number of the commit, 8 | `tables/journal.rs` |
//! | meta | a name | what the archive says of itself |
//! | id | the first 16 bytes of the id | time, 6 |
//! | author | the first 8 bytes of the author, spot | |
//! | field | number of the field, 1; key of the value, as `taiinet_query::IndexKeys` has it; spot | |
//! | head | hash of the owner and the name of the key, 16; the first 16 bytes of the author | a [head](crate::record::Head) |
//! | grave | the first 16 bytes of the author, those of the document's id; spot of the deletion | |
//! | expiry | when it leaves, 6; spot | |
//! | usage | the author, 32 | bytes, 8; rows, 8 |
//! | heavy | about how many bytes, 1; the author, 32 | |
//!
//! A *spot* is where a document stands in the order of time: `created_at` in 6 bytes, and the first 16 of its id.
//! Where only the beginning of a name stands, the document itself says whether it is the one.

use taiinet_document::{DocumentId, Mark, ShortId, Timestamp};
use taiinet_identity::PeerId;

/// Milliseconds below 2⁴⁸, about the year 10,889.
pub(crate) const TIME_LEN: usize = 6;
const ID_LEN: usize = 16;
pub(crate) const SPOT_LEN: usize = TIME_LEN + ID_LEN;

/// The first time that has no bytes.
pub(crate) const TIME_END: u64 = 1 << (8 * TIME_LEN);

/// Where a document stands in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot([u8; SPOT_LEN]);

impl Spot {
    pub(crate) fn new(created_at: Timestamp, id: &DocumentId) -> Self {
        let mut spot = [0; SPOT_LEN];
        spot[..TIME_LEN].copy_from_slice(&time(created_at));
        spot[TIME_LEN..].copy_from_slice(&id16(id));
        Self(spot)
    }

    pub(crate) fn of(mark: &Mark) -> Self {
        Self::new(mark.created_at, &mark.id)
    }

    /// The end of a key.
    pub(crate) fn ending(key: &[u8]) -> Option<Self> {
        Some(Self(*key.last_chunk()?))
    }

    /// By the row of the id.
    pub(crate) fn by_id(time: &[u8], id: &DocumentId) -> Option<Self> {
        let time: [u8; TIME_LEN] = time.try_into().ok()?;
        Some(Self::new(read_time(time), id))
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; SPOT_LEN] {
        &self.0
    }

    pub(crate) fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }

    pub(crate) fn short_id(&self) -> ShortId {
        ShortId::from_bytes(*self.0.last_chunk().unwrap_or(&[0; ID_LEN]))
    }

    /// The first place that has these beginnings.
    pub(crate) fn mark(&self) -> Mark {
        let mut id = [0; 32];
        id[..ID_LEN].copy_from_slice(self.short_id().as_bytes());
        Mark { created_at: self.created_at(), id: DocumentId::from_bytes(id) }
    }

    pub(crate) fn created_at(&self) -> Timestamp {
        read_time(*self.0.first_chunk().unwrap_or(&[0; TIME_LEN]))
    }
}

/// The latest that there is for what is later.
pub(crate) fn time(time: Timestamp) -> [u8; TIME_LEN] {
    let [_, _, rest @ ..] = time.as_millis().min(TIME_END - 1).to_be_bytes();
    rest
}

pub(crate) fn read_time(time: [u8; TIME_LEN]) -> Timestamp {
    let [a, b, c, d, e, f] = time;
    Timestamp::from_millis(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

pub(crate) fn id16(id: &DocumentId) -> [u8; ID_LEN] {
    *id.as_bytes().first_chunk().unwrap_or(&[0; ID_LEN])
}

fn author16(author: &PeerId) -> [u8; 16] {
    *author.as_bytes().first_chunk().unwrap_or(&[0; 16])
}

/// All rows of an author begin so.
pub(crate) fn author_prefix(author: &PeerId) -> [u8; 8] {
    *author.as_bytes().first_chunk().unwrap_or(&[0; 8])
}

pub(crate) fn author_key(author: &PeerId, spot: Spot) -> Vec<u8> {
    [&author_prefix(author)[..], spot.as_bytes()].concat()
}

/// All rows of a value begin so, and of a field those of the empty value.
pub(crate) fn field_prefix(field: usize, value: &[u8]) -> Vec<u8> {
    [&[field as u8], value].concat()
}

pub(crate) fn field_key(field: usize, value: &[u8], spot: Spot) -> Vec<u8> {
    [&[field as u8], value, spot.as_bytes()].concat()
}

/// The value that such a key has.
pub(crate) fn field_value(key: &[u8]) -> Option<&[u8]> {
    key.get(1..key.len().checked_sub(SPOT_LEN)?)
}

/// All versions of a document begin so.
pub(crate) fn head_prefix(owner: &PeerId, name: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(owner.as_bytes()).update(name.as_bytes());
    *hasher.finalize().as_bytes().first_chunk().unwrap_or(&[0; 16])
}

pub(crate) fn head_key(owner: &PeerId, name: &str, author: &PeerId) -> Vec<u8> {
    [head_prefix(owner, name), author16(author)].concat()
}

/// All deletions of a document begin so.
pub(crate) fn grave_prefix(author: &PeerId, id: &DocumentId) -> [u8; 32] {
    let mut prefix = [0; 32];
    prefix[..16].copy_from_slice(&author16(author));
    prefix[16..].copy_from_slice(&id16(id));
    prefix
}

pub(crate) fn grave_key(author: &PeerId, id: &DocumentId, deletion: Spot) -> Vec<u8> {
    [&grave_prefix(author, id)[..], deletion.as_bytes()].concat()
}

pub(crate) fn expiry_key(leaves: Timestamp, spot: Spot) -> Vec<u8> {
    [&time(leaves)[..], spot.as_bytes()].concat()
}

pub(crate) fn heavy_key(bytes: u64, author: &PeerId) -> Vec<u8> {
    [&[weight(bytes)], &author.as_bytes()[..]].concat()
}

/// Four steps for each doubling, so that the row of an author seldom moves.
fn weight(bytes: u64) -> u8 {
    let bytes = bytes.max(4);
    let log = bytes.ilog2();
    (4 * log + ((bytes >> (log - 2)) & 3) as u32) as u8
}

#[cfg(test)]
mod tests;
