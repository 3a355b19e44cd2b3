//! Frames of the views: peers that others tell of, and links that can go.

use serde::{Deserialize, Serialize};
use taiinet_identity::Signed;

use super::presence::Presence;

/// What neighbours tell each other of other peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ViewFrame {
    /// Some peers of mine; tell me some of yours.
    Shuffle(Vec<Signed<Presence>>),
    /// Some peers of mine, in answer.
    ShuffleReply(Vec<Signed<Presence>>),
    /// Whether I have more links than I need: where both ends have, one link less does no harm, and
    /// leaves room for newcomers.
    Surplus(bool),
}
