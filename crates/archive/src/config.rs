//! What an archive keeps, and for how long.

use core::time::Duration;
use std::collections::BTreeSet;

use taiinet_document::{Network, Timestamp};
use taiinet_identity::PeerId;
use taiinet_query::{Path, Query};

/// What an archive keeps, and for how long.
#[derive(Debug, Clone)]
pub struct Config {
    /// The network whose documents it keeps.
    pub network: Network,
    /// It keeps what one of these matches; what is sealed, by its public fields.
    pub queries: Vec<Query>,
    /// The fields that it has indexes of, at most [`INDEXED`](crate::limits::INDEXED). Queries and orders by other
    /// fields read one document after another.
    pub indexed: Vec<Path>,
    /// About how many bytes it may take on its disk. Past that, the oldest documents leave.
    pub quota: Option<u64>,
    /// How many of them are one author's. Where room is needed, who has more loses its oldest documents first.
    pub share: Option<u64>,
    /// How old documents may become.
    pub keep: Option<Duration>,
    /// How old a document may be when it comes. Once what a deletion is about is older than this, the deletion leaves
    /// as well; without it, deletions that do not expire stay for ever.
    pub max_backdate: Option<Duration>,
    /// Authors whose documents may be older when they come.
    pub importers: BTreeSet<PeerId>,
    /// How many changed rows of indexes are gathered in memory before they are merged into the store; a document has
    /// about four, and a row takes about 150 bytes. Fewer take less memory, and more of the disk's time.
    pub gathered_rows: usize,
}

impl Config {
    /// Everything that a query matches, for ever.
    pub fn new(network: Network, queries: Vec<Query>) -> Self {
        Self {
            network,
            queries,
            indexed: Vec::new(),
            quota: None,
            share: None,
            keep: None,
            max_backdate: None,
            importers: BTreeSet::new(),
            gathered_rows: 200_000,
        }
    }

    /// How far back documents of this author may come, if there is a bound.
    fn backdate(&self, author: PeerId) -> Option<Duration> {
        let importer = self.importers.contains(&author);
        let backdate = self.max_backdate.filter(|_| !importer);
        [backdate, self.keep].into_iter().flatten().min()
    }

    /// The time of the oldest documents that this author may still bring.
    pub(crate) fn oldest(&self, author: PeerId, now: Timestamp) -> Timestamp {
        before(now, self.backdate(author))
    }

    /// The time of the oldest documents that anybody may still bring.
    pub(crate) fn reaches_back(&self, now: Timestamp) -> Timestamp {
        let backdate = self.max_backdate.filter(|_| self.importers.is_empty());
        before(now, [backdate, self.keep].into_iter().flatten().min())
    }

    /// The time of the oldest documents that are not too old to be kept.
    pub(crate) fn keeps_since(&self, now: Timestamp) -> Timestamp {
        before(now, self.keep)
    }

    /// From when on nothing of this author can come that is as old as this, if that ever is.
    pub(crate) fn past(&self, author: PeerId, created_at: Timestamp) -> Option<Timestamp> {
        let back = millis(self.backdate(author)?);
        Some(Timestamp::from_millis(created_at.as_millis().saturating_add(back).saturating_add(1)))
    }

    /// When documents of this time become too old.
    pub(crate) fn kept_until(&self, created_at: Timestamp) -> Option<Timestamp> {
        let keep = millis(self.keep?);
        Some(Timestamp::from_millis(created_at.as_millis().saturating_add(keep).saturating_add(1)))
    }

    /// What the rows of the other tables depend on, beside the documents.
    pub(crate) fn shape(&self) -> Vec<u8> {
        let mut text = format!("{:?} {:?} {:?}", self.max_backdate, self.keep, self.share);
        for field in &self.indexed {
            text = format!("{text} {:?}", field.as_str());
        }
        for importer in &self.importers {
            text = format!("{text} {importer}");
        }
        blake3::hash(text.as_bytes()).as_bytes().to_vec()
    }
}

/// So long before now; without a bound, the beginning of time.
fn before(now: Timestamp, back: Option<Duration>) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_sub(back.map_or(u64::MAX, millis)))
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
