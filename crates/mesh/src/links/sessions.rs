//! Sessions on links that are not DTLS: made before either end greets, and around all that is said after.

use std::borrow::Cow;

use super::protection::Received;
use crate::{ChannelBinding, Disconnect, Lane, LinkFailure, LinkId, Misbehaviour, Output, cx::Cx};

impl Cx {
    /// The channel of a link is open: greets, or makes a session on it first.
    pub(crate) fn opened(&mut self, link: LinkId, binding: ChannelBinding) {
        let Some(state) = self.links.get_mut(link) else { return };
        match state.protection.opened(&mut self.rng) {
            None => self.greet(link, binding),
            Some(Ok(first)) => {
                state.secures(self.now);
                self.send_in_clear(link, first);
            }
            Some(Err(bad)) => {
                let cause = LinkFailure::Transport(bad.to_string());
                self.close(link, Disconnect::Link(cause));
            }
        }
    }

    /// What a message holds; none if it was about the session.
    ///
    /// # Errors
    /// [`Misbehaviour::BadSession`]
    pub(crate) fn open_message<'a>(
        &mut self,
        link: LinkId,
        message: &'a [u8],
    ) -> Result<Option<Cow<'a, [u8]>>, Misbehaviour> {
        let Some(state) = self.links.get_mut(link) else { return Ok(None) };
        let ours = |dialled: &str| self.topology.is_ours(dialled);
        let received = state.protection.receive(message, ours, &mut self.rng);
        match received.map_err(|_| Misbehaviour::BadSession)? {
            Received::Message(message) => return Ok(Some(message)),
            Received::Ready(binding, answer) => {
                if let Some(answer) = answer {
                    self.send_in_clear(link, answer);
                }
                self.greet(link, binding);
            }
            Received::Declined(declined) => self.close(link, Disconnect::Refused(declined.reason)),
            Received::Decline(declined) => {
                self.send_in_clear(link, declined.encode());
                self.close(link, Disconnect::Refused(declined.reason));
            }
        }
        Ok(None)
    }

    /// Sends a message that makes a session, or says that there is none.
    fn send_in_clear(&mut self, link: LinkId, bytes: Vec<u8>) {
        let Some(state) = self.links.get_mut(link) else { return };
        state.lanes.carries_message(bytes.len());
        self.out.push_back(Output::Send { link, lane: Lane::Control, bytes });
    }
}
