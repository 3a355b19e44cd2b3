//! A piece of a frame that is too large for a message.

use serde::{Deserialize, Serialize};

/// A piece of a larger frame; pieces of one frame follow one another, control frames may stand
/// between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// Whether this is the last piece.
    pub last: bool,
    /// The piece.
    #[serde(with = "taiinet_identity::bytes")]
    pub bytes: Vec<u8>,
}
