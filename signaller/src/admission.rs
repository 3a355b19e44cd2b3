//! Which peers may join, besides the desk's own rules.

use core::fmt;

use taiinet_document::Network;
use taiinet_identity::PeerId;

/// Decides which peers may join. It is asked for each join and renewal, before the signature is checked, so it
/// is to be quick; it must not count on the name being proven, only refuse it.
pub trait Admission: fmt::Debug + Send {
    /// Whether this peer may join this network here.
    fn admits(&self, peer: &PeerId, network: &Network) -> bool;

    /// Whether this signaller may be of our pool, as far as that is not configured otherwise.
    fn admits_member(&self, _member: &PeerId) -> bool {
        true
    }
}
