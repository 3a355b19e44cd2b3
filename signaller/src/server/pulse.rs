//! Whether a server is well, for whoever would start it again if not.

use super::{clock::Clock, desk_task::DeskHandle};
use crate::limits;

/// Whether a server is well.
#[derive(Debug, Clone)]
pub struct Pulse {
    pub(super) desk: DeskHandle,
    pub(super) clock: Clock,
}

impl Pulse {
    /// Whether its desk has said lately how it is.
    pub fn is_well(&self) -> bool {
        self.clock.now().since(self.desk.picture().taken_at) < limits::STALLED
    }
}
