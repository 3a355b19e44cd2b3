//! What protects the messages of a link: the channel itself, or a session made on it.

use std::borrow::Cow;

use super::session::{self, Answer, BadSession, Declined, Dialler, Opening, Purpose, Session};
use crate::{
    ChannelBinding,
    rng::Rng,
    wire::{RefusalReason, VERSION},
};

/// What protects a link's messages.
#[derive(Debug)]
pub(crate) enum Protection {
    /// DTLS: nothing is to be done here.
    Channel,
    /// A session that is to be opened when the channel is; to this address.
    ToOpen(Purpose, String),
    /// One that we have opened: the answer is awaited.
    Opening(Dialler),
    /// One that the other end is to open.
    Awaited(Purpose),
    /// One that stands.
    Session(Session),
    /// None, and there will be none.
    Failed,
}

/// What became of a message from the other end.
#[derive(Debug)]
pub(crate) enum Received<'a> {
    /// It holds this.
    Message(Cow<'a, [u8]>),
    /// It makes the session: greet, over this binding, but first send the answer, if there is one.
    Ready(ChannelBinding, Option<Vec<u8>>),
    /// The other end makes none.
    Declined(Declined),
    /// We make none: tell the other end.
    Decline(Declined),
}

impl Protection {
    /// The channel is open: gives the first message of a session, if we are to open one.
    pub(crate) fn opened(&mut self, rng: &mut Rng) -> Option<Result<Vec<u8>, BadSession>> {
        let Self::ToOpen(purpose, dialled) = self else { return None };
        let opening = Opening { version: VERSION, dialled: core::mem::take(dialled) };
        let opened = Dialler::new(*purpose, &opening, rng.nonce());
        Some(opened.map(|(dialler, first)| {
            *self = Self::Opening(dialler);
            first
        }))
    }

    /// Whether the channel is open and its session is not.
    pub(crate) const fn is_opening(&self) -> bool {
        matches!(self, Self::Opening(_) | Self::Awaited(_))
    }

    /// Takes a message. An end that dials us must have dialled an address that is `ours`.
    ///
    /// # Errors
    /// [`BadSession`]
    pub(crate) fn receive<'a>(
        &mut self,
        message: &'a [u8],
        ours: impl Fn(&str) -> bool,
        rng: &mut Rng,
    ) -> Result<Received<'a>, BadSession> {
        match self {
            Self::Channel => return Ok(Received::Message(message.into())),
            Self::Session(session) => {
                return session.open(message).map(|opened| Received::Message(opened.into()));
            }
            _ => {}
        }
        match core::mem::replace(self, Self::Failed) {
            Self::Opening(dialler) => match dialler.answered(message)? {
                Answer::Session(session) => Ok(self.ready(session, None)),
                Answer::Declined(declined) => Ok(Received::Declined(declined)),
            },
            Self::Awaited(purpose) => {
                let Opening { dialled, .. } = session::opening(message)?;
                if purpose == Purpose::Pool && !ours(&dialled) {
                    let reason = RefusalReason::Address;
                    return Ok(Received::Decline(Declined { reason, retry_after_ms: 0 }));
                }
                let (session, answer) = session::accept(purpose, message, rng.nonce())?;
                Ok(self.ready(session, Some(answer)))
            }
            _ => Err(BadSession::Message),
        }
    }

    fn ready(&mut self, session: Session, answer: Option<Vec<u8>>) -> Received<'static> {
        let binding = ChannelBinding::from_bytes(*session.hash());
        *self = Self::Session(session);
        Received::Ready(binding, answer)
    }

    /// Seals a message; none while there is no session to seal it in.
    pub(crate) fn seal(&mut self, message: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::Channel => Some(message),
            Self::Session(session) => session.seal(&message).ok(),
            Self::ToOpen(..) | Self::Opening(_) | Self::Awaited(_) | Self::Failed => None,
        }
    }
}
