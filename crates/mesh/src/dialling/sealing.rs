//! Signals: sealed and signed, checked, opened.
//!
//! A negotiation's parts are sealed to the other end (HPKE) and signed by this one, so that a signaller
//! or peer that carries them can neither read nor change nor invent them.

use taiinet_document::Network;
use taiinet_identity::{Identity, PeerId, Signed, Verified, seal};

use crate::{
    Misbehaviour, Time, limits,
    rng::Rng,
    wire::{Signal, SignalBody, SignalPart, codec},
};

/// What it takes to seal a signal.
#[derive(Debug)]
pub(crate) struct Sealer<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) network: &'a Network,
    pub(crate) rng: &'a mut Rng,
    pub(crate) now: Time,
}

impl Sealer<'_> {
    /// Seals and signs a part for `to`. None if `to` is not a usable key.
    pub(crate) fn seal(
        &mut self,
        to: PeerId,
        session: u64,
        part: SignalPart,
    ) -> Option<Signed<Signal>> {
        let body = codec::encode(&SignalBody { session, part });
        let info = info(self.network, &self.identity.peer_id(), &to);
        let sealed = seal(&to, &info, &body, self.rng.crypto()).ok()?;
        let sent_at = self.now.timestamp();
        let signal = Signal { network: self.network.clone(), to, sent_at, sealed };
        Some(Signed::new(self.identity, &signal))
    }
}

/// Checks a signal before it is opened or passed on.
///
/// # Errors
/// The [`Misbehaviour`] of the peer or signaller that passed it to us.
pub(crate) fn verify(
    signal: Signed<Signal>,
    network: &Network,
    now: Time,
) -> Result<Verified<Signal>, Misbehaviour> {
    let body = Signal::peek(&signal)?;
    if body.network != *network {
        return Err(Misbehaviour::WrongNetwork);
    }
    let sent_at = Time::from(body.sent_at);
    if sent_at > now.after(limits::CLOCK_SKEW)
        || now.since(sent_at) > limits::SIGNAL_LIFE + limits::CLOCK_SKEW
    {
        return Err(Misbehaviour::OutOfTime);
    }
    signal.verify().map_err(|_| Misbehaviour::InvalidSignature)
}

/// Opens a signal that is for us. None if it was not sealed to us by its signer, or is no body: that
/// is the signer's fault, not that of the peer that passed it on.
pub(crate) fn open(signal: &Verified<Signal>, identity: &Identity) -> Option<SignalBody> {
    let info = info(&signal.network, &signal.signer(), &signal.to);
    let plain = identity.open(&info, &signal.sealed).ok()?;
    let body: SignalBody = codec::decode(&plain).ok()?;
    let text = match &body.part {
        SignalPart::Offer(text) | SignalPart::Answer(text) | SignalPart::Candidate(text) => text,
        SignalPart::Refuse { .. } => return Some(body),
    };
    (text.len() <= limits::NEGOTIATION_BYTES).then_some(body)
}

/// HPKE's `info`: the purpose, the network, and both ends.
fn info(network: &Network, from: &PeerId, to: &PeerId) -> Vec<u8> {
    let mut info = b"taiinet/1 signal".to_vec();
    info.extend_from_slice(from.as_bytes());
    info.extend_from_slice(to.as_bytes());
    info.extend_from_slice(network.as_str().as_bytes());
    info
}

#[cfg(test)]
mod tests;
