//! Offer, answer and candidates (RFC 9429), of which the other end's may come in any order.

use std::{mem, net::SocketAddr, sync::Arc, vec};

use taiinet_mesh::{ChannelBinding, LinkFailure, Negotiation, description::Admission};
use webrtc::peer_connection::{PeerConnection, RTCIceCandidateInit, RTCSessionDescription};

use super::connection::broken;
use crate::turn::Named;

/// One end of a negotiation.
pub(super) struct Negotiator {
    peer: Arc<dyn PeerConnection>,
    local: String,
    remote: Option<String>,
    /// Candidates that came before the description they belong to.
    early: Vec<String>,
    /// Addresses of the other end that were not asked for yet.
    named: Vec<Named>,
    /// What may still come of the other end.
    admission: Admission,
}

impl Negotiator {
    /// Makes our description: the answer if there is an `offer`, else the offer.
    pub(super) async fn start(
        peer: Arc<dyn PeerConnection>,
        offer: Option<String>,
    ) -> Result<(Self, String), LinkFailure> {
        let mut admission = Admission::default();
        let (ours, remote) = match offer {
            None => (peer.create_offer(None).await.map_err(broken)?, None),
            Some(offer) => {
                let offer = admission.description(&offer).map_err(broken)?;
                let theirs = RTCSessionDescription::offer(offer.clone()).map_err(broken)?;
                peer.set_remote_description(theirs).await.map_err(broken)?;
                (peer.create_answer(None).await.map_err(broken)?, Some(offer))
            }
        };
        let local = ours.sdp.clone();
        peer.set_local_description(ours).await.map_err(broken)?;
        let named = remote.as_deref().map(in_description).unwrap_or_default();
        let negotiator =
            Self { peer, local: local.clone(), remote, early: Vec::new(), named, admission };
        Ok((negotiator, local))
    }

    /// Takes a part from the other end.
    pub(super) async fn take(&mut self, part: Negotiation) -> Result<(), LinkFailure> {
        match part {
            Negotiation::Description(_) if self.remote.is_some() => {
                Err(broken("a second description"))
            }
            Negotiation::Description(answer) => {
                let answer = self.admission.description(&answer).map_err(broken)?;
                let theirs = RTCSessionDescription::answer(answer.clone()).map_err(broken)?;
                self.peer.set_remote_description(theirs).await.map_err(broken)?;
                self.named.extend(in_description(&answer));
                self.remote = Some(answer);
                for candidate in mem::take(&mut self.early) {
                    self.add(candidate).await;
                }
                Ok(())
            }
            Negotiation::Candidate(candidate) => {
                if let Err(error) = self.admission.candidate(&candidate) {
                    tracing::debug!(%error, "a candidate is left out");
                    return Ok(());
                }
                self.named.extend(named(&candidate));
                if self.remote.is_some() {
                    self.add(candidate).await;
                } else {
                    self.early.push(candidate);
                }
                Ok(())
            }
        }
    }

    /// Whether the other end's description is there.
    pub(super) const fn knows_other_end(&self) -> bool {
        self.remote.is_some()
    }

    /// Addresses that the other end named, each once.
    pub(super) fn named(&mut self) -> vec::IntoIter<Named> {
        mem::take(&mut self.named).into_iter()
    }

    /// What both ends know of this connection; none if they cannot know it.
    pub(super) fn binding(&self) -> Option<ChannelBinding> {
        ChannelBinding::of_descriptions(&self.local, self.remote.as_deref()?)
    }

    async fn add(&self, candidate: String) {
        let init = RTCIceCandidateInit { candidate, ..Default::default() };
        if let Err(error) = self.peer.add_ice_candidate(init).await {
            tracing::debug!(%error, "a candidate cannot be used");
        }
    }
}

/// The addresses of the candidates that a description holds.
fn in_description(text: &str) -> Vec<Named> {
    text.lines().filter_map(|line| named(line.strip_prefix("a=")?)).collect()
}

fn named(candidate: &str) -> Option<Named> {
    let is_relayed = candidate.contains(" typ relay");
    Some(Named { address: address(candidate)?, is_relayed })
}

/// A candidate's address, if it is no name.
pub(super) fn address(candidate: &str) -> Option<SocketAddr> {
    let mut words = candidate.strip_prefix("candidate:").unwrap_or(candidate).split(' ').skip(4);
    let ip = words.next()?.parse().ok()?;
    Some(SocketAddr::new(ip, words.next()?.parse().ok()?))
}
