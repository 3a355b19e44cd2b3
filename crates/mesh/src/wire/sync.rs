//! Frames by which neighbours find out what one of them lacks.

use serde::{Deserialize, Serialize};
use taiinet_document::Timestamp;

/// How neighbours compare what they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncFrame {
    /// What I have; announce what I lack of it.
    Compare(Compare),
}

/// What the sender has of a past time, now and then, so that what went astray is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compare {
    /// Its beginning.
    pub since: Timestamp,
    /// As in [`super::Neighbour`]; they end where the time does.
    pub digests: Vec<u64>,
}
