//! What links are relayed.

use taiinet_mesh::limits::{CIRCUIT_WINDOW, CIRCUITS};
use taiinet_signaller::Relaying;

use super::Settings;

/// As many as a peer asks for.
pub(super) const LINKS_PER_PEER: u8 = CIRCUITS as u8;
/// Each link begins with so many.
const LEAST_BYTES: u32 = CIRCUIT_WINDOW as u32;

impl Settings {
    pub(super) fn check_relaying(&self) -> Result<(), String> {
        if self.max_relayed_links == 0 || self.max_relayed_links_per_peer == 0 {
            return Err(
                "max-relayed-links, max-relayed-links-per-peer: it takes at least one; to relay \
                        none, leave out relay"
                    .to_owned(),
            );
        }
        if self.max_relayed_bytes.min(self.max_relayed_bytes_per_peer) < LEAST_BYTES {
            return Err(format!(
                "max-relayed-bytes, max-relayed-bytes-per-peer: at least {LEAST_BYTES} a second; to relay \
                 none, leave out relay"
            ));
        }
        Ok(())
    }

    pub(super) fn relaying(&self) -> Option<Relaying> {
        self.relay.then(|| Relaying {
            circuits: self.max_relayed_links,
            circuits_per_peer: self.max_relayed_links_per_peer.into(),
            bytes_per_peer: self.max_relayed_bytes_per_peer,
            bytes_per_second: self.max_relayed_bytes,
        })
    }
}
