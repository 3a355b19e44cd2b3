//! Which peers are to be linked.

use core::time::Duration;

use taiinet_identity::PeerId;

use crate::{Direct, SignallerAddress, Time, limits};

/// The shape of a network.
#[derive(Debug)]
pub(crate) enum Topology {
    /// Each is linked to a few others, to which signallers and neighbours introduce it.
    Partial,
    /// Each is linked to each, by its address: the pool of signallers.
    Full(Direct),
}

impl Topology {
    pub(crate) fn new(direct: Option<Direct>) -> Self {
        direct.map_or(Self::Partial, Self::Full)
    }

    const fn direct(&self) -> Option<&Direct> {
        match self {
            Self::Partial => None,
            Self::Full(direct) => Some(direct),
        }
    }

    /// What is said anew of a full mesh; where others reach us stays, since they were told.
    pub(crate) fn renew(&mut self, anew: Direct) {
        if let Self::Full(direct) = self {
            let address = direct.address.take();
            *direct = Direct { address, ..anew };
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Where others reach us.
    pub(crate) fn address(&self) -> Option<&str> {
        self.direct()?.address.as_deref()
    }

    /// Whether others may have dialled this address in order to reach us.
    pub(crate) fn is_ours(&self, dialled: &str) -> bool {
        let known = self.direct().and_then(|direct| direct.known_as.as_ref());
        let same = |ours: &String| SignallerAddress::is_same(ours, dialled);
        known.is_none_or(|known| known.iter().any(same))
    }

    /// The addresses to dial first.
    pub(crate) fn seeds(&self) -> &[SignallerAddress] {
        self.direct().map_or(&[], |direct| &direct.seeds)
    }

    /// Whether this one may be a neighbour.
    pub(crate) fn allows(&self, peer: &PeerId) -> bool {
        let allowed = self.direct().and_then(|direct| direct.allowed.as_ref());
        allowed.is_none_or(|allowed| allowed.contains(peer))
    }

    /// How often views are shuffled.
    pub(crate) const fn shuffle_every(&self) -> Duration {
        match self {
            Self::Partial => limits::SHUFFLE_EVERY,
            Self::Full(_) => limits::POOL_SHUFFLE_EVERY,
        }
    }

    /// From when on a peer that began then cares for documents.
    pub(crate) fn cares_since(&self, started: Time) -> Time {
        match self {
            Self::Partial => started.before(limits::START_MARGIN),
            // What the others have said before counts for a new member of the pool.
            Self::Full(_) => Time::default(),
        }
    }
}
