//! Offer, answer and candidates (RFC 9429), of which the other end's may come in any order.

use std::{mem, sync::Arc};

use taiinet_mesh::{ChannelBinding, LinkFailure, Negotiation, description::Admission};
use webrtc::peer_connection::{PeerConnection, RTCIceCandidateInit, RTCSessionDescription};

use super::connection::broken;

/// One end of a negotiation.
pub(super) struct Negotiator {
    peer: Arc<dyn PeerConnection>,
    local: String,
    remote: Option<String>,
    /// Candidates that came before the description they belong to.
    early: Vec<String>,
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
        Ok((Self { peer, local: local.clone(), remote, early: Vec::new(), admission }, local))
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
                self.remote = Some(answer);
                for candidate in mem::take(&mut self.early) {
                    self.add(candidate).await;
                }
                Ok(())
            }
            Negotiation::Candidate(candidate) => {
                if let Err(error) = self.admission.candidate(&candidate) {
                    tracing::debug!(%error, "a candidate is left out");
                } else if self.remote.is_some() {
                    self.add(candidate).await;
                } else {
                    self.early.push(candidate);
                }
                Ok(())
            }
        }
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
