//! The encrypted session of links that are not DTLS: of WebSockets, and of what a signaller
//! relays.
//!
//! It is `Noise_NN_25519_ChaChaPoly_SHA256` (The Noise Protocol Framework, revision 34) by the crate
//! `snow`, on the cryptography that everything else here stands on (`suite`):
//!
//! ```text
//! prologue   the purpose, so that a session for one is none for another
//! -> e       32 bytes, then an [`Opening`] in clear: the version, and the address that was dialled
//! <- e, ee   48 bytes; or a [`Declined`] in clear: the one thing that is said without a session
//! then       each message of the link is one transport message: 16 bytes longer
//! ```
//!
//! NN authenticates neither end. An attacker between two ends holds two sessions with two different
//! *hashes* ([`Session::hash`]): each covers the purpose, the opening and the fresh keys of both ends of
//! one session. What the ends sign to prove who they are covers the hash (section 11.2, "Channel
//! binding"), so a proof made on one of the two sessions is worth nothing on the other.
//!
//! Nothing is sent in clear but these two messages, and there is no other suite and no way to ask for
//! less.

mod suite;

use core::fmt;

use serde::{Deserialize, Serialize};
use snow::{Builder, HandshakeState, TransportState};

use crate::{
    limits,
    wire::{RefusalReason, codec},
};

/// A public key of X25519.
const KEY_BYTES: usize = 32;
/// What a transport message is longer than what it holds: Poly1305's tag.
pub const TAG_BYTES: usize = limits::WIRE_BYTES - limits::MESSAGE_BYTES;
/// The longest first message: a key, the longest [`Opening`], and room for what later versions add.
pub const OPENING_BYTES: usize = KEY_BYTES + 5 + limits::ADDRESS_BYTES + limits::HELLO_EXTRA_BYTES;
/// The answer to it: a key, and the tag of an empty payload.
pub const ANSWER_BYTES: usize = KEY_BYTES + TAG_BYTES;
/// The longest [`Declined`]; shorter than any answer.
const DECLINED_BYTES: usize = 8;

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A peer at its signaller.
    Client,
    /// A link between two signallers.
    Pool,
    /// A link between two peers that a signaller relays.
    Circuit,
}

impl Purpose {
    /// The prologue.
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Client => b"taiinet/1 session client",
            Self::Pool => b"taiinet/1 session pool",
            Self::Circuit => b"taiinet/1 session circuit",
        }
    }
}

/// What the end that dialled says with its first message, in clear; the session's hash covers it. What a
/// later version says more follows it, and is skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The version of the protocol that it speaks.
    pub version: u16,
    /// The address that it dialled, as it knows it: `wss://…`; of a circuit, nothing.
    pub dialled: String,
}

/// The answer of an end that opens no session: it is full, or about to stop. It is not signed, and
/// a carrier of the link could as well have cut it: it is worth a pause, of a bounded length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// Why the other end refuses.
    pub reason: RefusalReason,
    /// Do not try again before so many milliseconds.
    pub retry_after_ms: u32,
}

impl Declined {
    /// The message.
    pub fn encode(self) -> Vec<u8> {
        codec::encode(&self)
    }
}

/// The other end does not speak the session's protocol, or what it said was changed on its way. There
/// is no going on after any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSession {
    /// A first message that is too short or too long, or holds no opening.
    #[error("the first message does not open a session")]
    Opening,
    /// An answer that is none.
    #[error("the answer does not make a session")]
    Answer,
    /// A message over [`limits::WIRE_BYTES`], or below [`TAG_BYTES`].
    #[error("a message of this size is none of a session")]
    Size,
    /// A message that was not sealed by the other end, or not as the next one.
    #[error("a message does not open")]
    Message,
}

/// A session that was opened at this end and awaits the answer.
pub struct Dialler(Box<HandshakeState>);

/// What came of it.
#[derive(Debug)]
pub enum Answer {
    /// The session.
    Session(Session),
    /// The other end opens none now.
    Declined(Declined),
}

impl Dialler {
    /// Opens a session; gives the first message. `seed` is fresh randomness and used for nothing else.
    ///
    /// # Errors
    /// [`BadSession::Opening`] if the address is too long.
    pub fn new(
        purpose: Purpose,
        opening: &Opening,
        seed: [u8; 32],
    ) -> Result<(Self, Vec<u8>), BadSession> {
        if opening.dialled.len() > limits::ADDRESS_BYTES {
            return Err(BadSession::Opening);
        }
        let opening = codec::encode(opening);
        let mut message = vec![0; KEY_BYTES + opening.len() + TAG_BYTES];
        let mut state = builder(purpose, seed)
            .and_then(Builder::build_initiator)
            .map_err(|_| BadSession::Opening)?;
        let length =
            state.write_message(&opening, &mut message).map_err(|_| BadSession::Opening)?;
        message.truncate(length);
        Ok((Self(Box::new(state)), message))
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// [`BadSession::Answer`]
    pub fn answered(mut self, message: &[u8]) -> Result<Answer, BadSession> {
        if message.len() <= DECLINED_BYTES {
            let declined = codec::decode(message).map_err(|_| BadSession::Answer)?;
            return Ok(Answer::Declined(declined));
        }
        if message.len() != ANSWER_BYTES {
            return Err(BadSession::Answer);
        }
        // Nothing is in it; the buffer is for the tag's sake.
        let mut payload = [0; TAG_BYTES];
        self.0.read_message(message, &mut payload).map_err(|_| BadSession::Answer)?;
        Session::new(*self.0).map(Answer::Session)
    }
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialler")
    }
}

/// Reads what the other end says with its first message. This costs nothing: whether it is worth a
/// session is decided after.
///
/// # Errors
/// [`BadSession::Opening`]
pub fn opening(message: &[u8]) -> Result<Opening, BadSession> {
    let fits = (KEY_BYTES..=OPENING_BYTES).contains(&message.len());
    let payload = message.get(KEY_BYTES..).filter(|_| fits).ok_or(BadSession::Opening)?;
    let (opening, _later) =
        postcard::take_from_bytes::<Opening>(payload).map_err(|_| BadSession::Opening)?;
    let fits = opening.dialled.len() <= limits::ADDRESS_BYTES;
    if fits { Ok(opening) } else { Err(BadSession::Opening) }
}

/// Takes the first message of the end that dialled; gives the session, and the answer to send. `seed` is
/// fresh randomness and used for nothing else.
///
/// # Errors
/// [`BadSession::Opening`]
pub fn accept(
    purpose: Purpose,
    message: &[u8],
    seed: [u8; 32],
) -> Result<(Session, Vec<u8>), BadSession> {
    opening(message)?;
    let bad = |_| BadSession::Opening;
    let mut state = builder(purpose, seed).and_then(Builder::build_responder).map_err(bad)?;
    state.read_message(message, &mut [0; OPENING_BYTES]).map_err(bad)?;
    let mut answer = vec![0; ANSWER_BYTES];
    state.write_message(&[], &mut answer).map_err(bad)?;
    Ok((Session::new(state)?, answer))
}

fn builder(purpose: Purpose, seed: [u8; 32]) -> Result<Builder<'static>, snow::Error> {
    Builder::with_resolver(suite::params(), suite::resolver(seed)).prologue(purpose.label())
}

/// An open session, one end of it. What is sealed at one end opens at the other, whole and in order.
pub struct Session {
    state: Box<TransportState>,
    hash: [u8; 32],
}

impl Session {
    fn new(state: HandshakeState) -> Result<Self, BadSession> {
        let hash = state.get_handshake_hash().try_into().map_err(|_| BadSession::Answer)?;
        let state = state.into_transport_mode().map_err(|_| BadSession::Answer)?;
        Ok(Self { state: Box::new(state), hash })
    }

    /// What both ends of this session know it by, and no other session: it covers the purpose, the
    /// opening and both ends' fresh keys. It is no secret.
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Seals a message of at most [`limits::MESSAGE_BYTES`].
    ///
    /// # Errors
    /// [`BadSession::Size`]; [`BadSession::Message`] after 2^64 − 1 messages.
    pub fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, BadSession> {
        if message.len() > limits::MESSAGE_BYTES {
            return Err(BadSession::Size);
        }
        let mut sealed = vec![0; message.len() + TAG_BYTES];
        self.state.write_message(message, &mut sealed).map_err(|_| BadSession::Message)?;
        Ok(sealed)
    }

    /// Opens the next message.
    ///
    /// # Errors
    /// [`BadSession::Size`], [`BadSession::Message`].
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, BadSession> {
        if !(TAG_BYTES..=limits::WIRE_BYTES).contains(&sealed.len()) {
            return Err(BadSession::Size);
        }
        let mut message = vec![0; sealed.len() - TAG_BYTES];
        self.state.read_message(sealed, &mut message).map_err(|_| BadSession::Message)?;
        Ok(message)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.hash;
        write!(f, "Session({first:02x}{second:02x}…)")
    }
}

#[cfg(test)]
mod tests;
