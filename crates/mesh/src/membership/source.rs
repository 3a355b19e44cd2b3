//! The sources that tell us of peers.

use taiinet_identity::PeerId;

use super::Topology;
use crate::links::Link;

/// What one source alone told has a share of the view; a source is no link, for
/// else each new link would begin with nothing against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A signaller of ours, or a neighbour of our own choice.
    Chosen(PeerId),
    /// Any neighbour that chose us: all of them are one source, since one that comes again under another
    /// key would be another.
    Stranger,
}

impl Source {
    /// The neighbour at the other end of a link.
    pub(crate) fn of(link: &Link, topology: &Topology) -> Self {
        // A member of a pool was let in by its key.
        if link.incoming && !topology.is_full() { Self::Stranger } else { Self::Chosen(link.peer) }
    }
}
