//! What peers say to each other by way of a signaller.

use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::{
    Time,
    wire::{FromSignaller, Signal, Undeliverable, codec},
};

use super::{Desk, costs};
use crate::{ClientId, refused::Refused};

impl Desk {
    /// Passes a signal on, unopened and as it came.
    ///
    /// Its signature is for the recipient to check, which trusts no signaller. Here it is enough that
    /// it bears the name that was proven on this connection: by a join that is signed over this
    /// connection's session. A client that signs falsely in its own name does no harm: the
    /// recipient drops that and holds it against no signaller. What the recipient *would* hold
    /// against us, because every peer can see it, is caught here.
    ///
    /// Where another signaller stands between, there is no such proof: what we pass on to the pool
    /// and what the pool passes on to us is verified each time ([`Self::relay`], [`Self::relayed`]).
    pub(super) fn signal(
        &mut self,
        id: ClientId,
        signal: Signed<Signal>,
        message: Vec<u8>,
        now: Time,
    ) -> Result<(), Refused> {
        let Some(client) = self.clients.get_mut(id) else { return Ok(()) };
        let presence = client.presence().ok_or(Refused::OutOfTurn)?;
        let (peer, network) = (presence.signer(), presence.network.clone());
        if !client.allowance.signals.take(1, now) {
            return Err(Refused::TooOften);
        }
        let body = Signal::peek(&signal).map_err(|_| Refused::Undecodable)?;
        if signal.signer() != peer || body.network != network {
            return Err(Refused::FalseName);
        }
        if !client.allowance.to.take(body.to, now) {
            return Err(Refused::TooOften);
        }
        let (key, bytes) = ((network, body.to), body.sealed.len());
        let passed = if let Some(recipient) = self.clients.of_peer(&key) {
            self.clients.spend(id, costs::frame(message.len()), now)?;
            // A signal is the same message to a signaller and from one.
            self.hand_over(recipient, bytes, message, now)
        } else {
            self.relay(id, body, signal, now)?
        };
        if !passed {
            self.unreachable(id, key.1);
        }
        Ok(())
    }

    /// Tells a client that a signal of it does not reach its recipient.
    pub(super) fn unreachable(&mut self, sender: ClientId, to: PeerId) {
        self.counters.unreachable += 1;
        self.say(sender, &FromSignaller::Unreachable(to));
    }

    /// Gives a signal of so many sealed bytes to its recipient, if that has room for it.
    fn hand_over(
        &mut self,
        recipient: ClientId,
        bytes: usize,
        message: Vec<u8>,
        now: Time,
    ) -> bool {
        let Some(client) = self.clients.get_mut(recipient) else { return false };
        if !client.take_room(bytes, now) {
            self.count(Refused::TooOften);
            return false;
        }
        self.counters.signals += 1;
        self.outputs.say(recipient, message);
        true
    }

    /// Passes a signal of a client on to the signaller that has its recipient; whether there is one. It
    /// is verified before it goes, or its recipient's signaller would blame us: that is charged here, and
    /// done when it is its turn.
    fn relay(
        &mut self,
        id: ClientId,
        body: Signal,
        signal: Signed<Signal>,
        now: Time,
    ) -> Result<bool, Refused> {
        let Some(pool) = &mut self.pool else { return Ok(false) };
        let Some(place) = pool.place_of(&body.network, &body.to, now) else { return Ok(false) };
        if pool.has_passed(signal.signer(), &body) {
            // The first one went its way.
            self.count(Refused::Replayed);
            return Ok(true);
        }
        self.clients.spend(id, costs::VERIFY, now)?;
        if let Some(client) = self.clients.get_mut(id) {
            pool.relay(place, client.ranges, body, signal, now);
        }
        Ok(true)
    }

    /// Another signaller passes on a signal of its client. If the client has a use for that, it is told
    /// of a signal that reaches no client.
    pub(super) fn relayed(&mut self, member: PeerId, signal: Signed<Signal>, now: Time) {
        let Ok(body) = Signal::peek(&signal) else {
            self.count_of_pool(Refused::Undecodable);
            return;
        };
        let undeliverable =
            Undeliverable { network: body.network.clone(), from: signal.signer(), to: body.to };
        let passed = self.take_relayed(member, &body, signal, now);
        if let Err(why) = passed {
            self.count_of_pool(why);
        }
        if passed == Err(Refused::Signature)
            && let Some(pool) = &mut self.pool
        {
            pool.forges(member, now);
        }
        // News of a client may be slower than its signals, and others may have taken its room.
        let is_told = matches!(passed, Ok(false) | Err(Refused::FalseName | Refused::TooOften));
        if is_told && let Some(pool) = &mut self.pool {
            pool.undeliverable(member, undeliverable, now);
        }
    }

    /// Whether it found its recipient. All that is cheap comes before the signature, and so does the
    /// budget for those.
    fn take_relayed(
        &mut self,
        member: PeerId,
        body: &Signal,
        signal: Signed<Signal>,
        now: Time,
    ) -> Result<bool, Refused> {
        let Some(pool) = &mut self.pool else { return Ok(false) };
        pool.check(member, signal.signer(), body, now)?;
        let (key, bytes) = ((body.network.clone(), body.to), body.sealed.len());
        let Some(recipient) = self.clients.of_peer(&key) else { return Ok(false) };
        let has_room =
            self.clients.get_mut(recipient).is_some_and(|client| client.has_room(bytes, now));
        if !has_room {
            self.count(Refused::TooOften);
            return Ok(false);
        }
        let Some(pool) = &mut self.pool else { return Ok(false) };
        pool.charge(member, signal.signer(), body.to, now)?;
        let signal = pool.verify(signal, now)?;
        let message = codec::encode(&FromSignaller::Signal(signal.signed().clone()));
        Ok(self.hand_over(recipient, bytes, message, now))
    }
}
