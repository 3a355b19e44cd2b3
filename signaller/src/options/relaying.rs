//! What links are relayed.

use taiinet_mesh::limits::{CIRCUIT_WINDOW, CIRCUITS, WIRE_BYTES};
use taiinet_signaller::Relaying;

use super::Settings;

/// As many as a peer asks for.
pub(super) const LINKS_PER_PEER: u8 = CIRCUITS as u8;
/// Messages of one link that may wait for a client: small ones, each counted as [`CIRCUIT_MESSAGE_BYTES`] of the
/// window.
///
/// [`CIRCUIT_MESSAGE_BYTES`]: taiinet_mesh::limits::CIRCUIT_MESSAGE_BYTES
const MESSAGES_PER_LINK: usize = CIRCUIT_WINDOW / taiinet_mesh::limits::CIRCUIT_MESSAGE_BYTES;
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
        // All of one client's links may say at once what the other ends let them: that is no slow reader.
        let links = usize::from(self.max_relayed_links_per_peer);
        let (bytes, messages) =
            (links * (CIRCUIT_WINDOW + 2 * WIRE_BYTES), links * MESSAGES_PER_LINK);
        if self.relay && (self.max_waiting_bytes < bytes || self.max_waiting_messages < messages) {
            return Err(format!(
                "max-waiting-bytes, max-waiting-messages: to relay {links} links of a client it takes at least \
                 {bytes} and {messages}"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_client_has_room_for_its_links() {
        let settings = Settings { relay: true, ..Settings::default() };
        assert_eq!(settings.check_relaying(), Ok(()));
        let few_bytes = Settings { max_waiting_bytes: 16_400, ..settings.clone() };
        let few_messages = Settings { max_waiting_messages: 16, ..settings.clone() };
        for tight in [few_bytes, few_messages] {
            assert!(tight.check_relaying().is_err());
            assert_eq!(Settings { relay: false, ..tight }.check_relaying(), Ok(()));
        }
    }
}
