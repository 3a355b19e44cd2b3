//! What the archive says of itself.

use taiinet_document::Timestamp;
use taiinet_identity::PeerId;

use crate::record::Kind;

/// The version of the layout.
pub(crate) const FORMAT: &[u8] = b"format";
pub(crate) const FORMAT_VERSION: &[u8] = &[1];
/// The name of the network.
pub(crate) const NETWORK: &[u8] = b"network";
/// What the entries depend on: [`Config::shape`](crate::config::Config::shape). It is not there while they are made
/// again.
pub(crate) const SHAPE: &[u8] = b"shape";
/// What the archive was opened with last: [`Config::stored`](crate::Config::stored). Never in the journal.
pub(crate) const CONFIG: &[u8] = b"config";
/// [`Totals`].
pub(crate) const TOTALS: &[u8] = b"totals";

/// What the names of these begin with.
pub(crate) const FLOOR: &[u8] = b"floor ";

/// The time below which nothing of an author is taken.
pub(crate) fn floor_key(author: &PeerId) -> Vec<u8> {
    [FLOOR, author.as_bytes().as_slice()].concat()
}

/// How much there is in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) documents: u64,
    pub(crate) deletions: u64,
    pub(crate) traces: u64,
    /// Of the rows of documents, so about what was signed.
    pub(crate) row_bytes: u64,
    /// On the disk, about.
    pub(crate) footprint: u64,
    pub(crate) floor: Timestamp,
    /// Authors that have a floor of their own.
    pub(crate) floors: u64,
}

impl Totals {
    pub(crate) const fn add(&mut self, kind: Kind, row: usize, footprint: u64) {
        let count = self.count(kind);
        *count = count.saturating_add(1);
        self.row_bytes = self.row_bytes.saturating_add(row as u64);
        self.footprint = self.footprint.saturating_add(footprint);
    }

    pub(crate) const fn remove(&mut self, kind: Kind, row: usize, footprint: u64) {
        let count = self.count(kind);
        *count = count.saturating_sub(1);
        self.row_bytes = self.row_bytes.saturating_sub(row as u64);
        self.footprint = self.footprint.saturating_sub(footprint);
    }

    const fn count(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Live => &mut self.documents,
            Kind::Deletion => &mut self.deletions,
            Kind::Trace => &mut self.traces,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { documents, deletions, traces, row_bytes, footprint, floor, floors } = self;
        let floor = &floor.as_millis();
        [documents, deletions, traces, row_bytes, footprint, floor, floors]
            .into_iter()
            .flat_map(|number| number.to_be_bytes())
            .collect()
    }

    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        let (numbers, []) = row.as_chunks::<8>() else { return None };
        let numbers: Vec<u64> = numbers.iter().map(|number| u64::from_be_bytes(*number)).collect();
        let [documents, deletions, traces, row_bytes, footprint, floor, floors] = *numbers else {
            return None;
        };
        let floor = Timestamp::from_millis(floor);
        Some(Self { documents, deletions, traces, row_bytes, footprint, floor, floors })
    }
}
