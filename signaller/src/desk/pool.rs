//! The desk and the other signallers.

use core::net::IpAddr;

use rand_core::Rng as _;
use taiinet_document::Network;
use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::{
    LinkId, Time,
    frame::{Astray, FromSignaller, Presence, Signal, codec},
    limits as mesh_limits,
};

use super::{
    ClientId, Desk, DeskOutput, Refused,
    client::{Stage, prefix},
};
use crate::pool::PoolOutput;

impl Desk {
    /// Another signaller has opened a connection to our pool. Gives its name; none if there is no
    /// pool: then close it.
    pub fn accept(&mut self, from: IpAddr, now: Time) -> Option<LinkId> {
        let link = self.pool.as_mut()?.accept(prefix(from), now);
        self.drain_pool(now);
        link
    }

    pub(super) fn tick_pool(&mut self, now: Time) {
        let Some(pool) = &mut self.pool else { return };
        pool.handle_timeout(now);
        if pool.is_to_tell_all(now) {
            for client in self.clients.values() {
                if let Stage::Joined { presence, .. } = &client.stage {
                    pool.joined(presence, now);
                }
            }
        }
        self.drain_pool(now);
    }

    pub(super) fn drain_pool(&mut self, now: Time) {
        loop {
            let Some(pool) = &mut self.pool else { return };
            let counters = &mut self.counters.refused_of_pool;
            let refused = |why| *counters.entry(why).or_default() += 1;
            let admission = self.admission.as_ref();
            let admits = |member: &PeerId| admission.is_none_or(|list| list.admits_member(member));
            let Some(output) = pool.poll_output(admits, refused, now) else { return };
            match output {
                PoolOutput::Dial { link, url } => {
                    self.outputs.push_back(DeskOutput::Dial { link, url });
                }
                PoolOutput::Send { link, bytes } => {
                    self.outputs.push_back(DeskOutput::SendTo { link, bytes });
                }
                PoolOutput::Close { link } => {
                    self.outputs.push_back(DeskOutput::CloseLink { link });
                }
                PoolOutput::Signal { from, signal } => self.relayed(from, signal, now),
                PoolOutput::Astray { from: member, astray } => {
                    let Astray { network, from, to } = astray.clone();
                    if !pool.went_astray(member, astray, now) {
                        *counters.entry(Refused::FalseName).or_default() += 1;
                        continue;
                    }
                    if let Some(client) = self.by_peer.get(&(network, from)).copied() {
                        self.counters.unreachable += 1;
                        self.say(client, &FromSignaller::Unreachable(to));
                    }
                }
            }
        }
    }

    /// Passes a signal of a client on to the signaller that has its recipient; whether there is one,
    /// with room for it. It is verified before, or its recipient's signaller would blame us.
    pub(super) fn relay(
        &mut self,
        network: &Network,
        to: &PeerId,
        signal: Signed<Signal>,
        now: Time,
    ) -> Result<bool, Refused> {
        let Some(pool) = &mut self.pool else { return Ok(false) };
        let Some(place) = pool.place_of(network, to, now) else { return Ok(false) };
        let signal = signal.verify().map_err(|_| Refused::Signature)?;
        let relayed = pool.relay(place, &signal, now);
        self.counters.relayed += u64::from(relayed);
        Ok(relayed)
    }

    /// Another signaller passes on a signal of its client.
    fn relayed(&mut self, from: PeerId, signal: Signed<Signal>, now: Time) {
        if let Err(why) = self.take_relayed(from, signal, now) {
            *self.counters.refused_of_pool.entry(why).or_default() += 1;
        }
    }

    /// All that is cheap comes before the signature.
    fn take_relayed(
        &mut self,
        from: PeerId,
        signal: Signed<Signal>,
        now: Time,
    ) -> Result<(), Refused> {
        let Some(pool) = &mut self.pool else { return Ok(()) };
        let body = pool.check(from, &signal, now)?;
        let key = (body.network, body.to);
        let sender = signal.signer();
        let passed = if self.by_peer.contains_key(&key) {
            let signal = pool.verify(signal, now)?;
            let message = codec::encode(&FromSignaller::Signal(signal.signed().clone()));
            self.hand_over(&key, body.sealed.len(), message, now)
        } else {
            false
        };
        if !passed && let Some(pool) = &mut self.pool {
            pool.astray(from, Astray { network: key.0, from: sender, to: key.1 }, now);
        }
        Ok(())
    }

    /// Clients of other signallers.
    pub(super) fn some_of_pool(
        &mut self,
        network: &Network,
        asker: &PeerId,
        want: usize,
        now: Time,
    ) -> Vec<Signed<Presence>> {
        let Some(pool) = &self.pool else { return Vec::new() };
        let mut from = [0; PeerId::LEN];
        self.rng.fill_bytes(&mut from);
        pool.some_of(network, asker, PeerId::from_bytes(from), want, now)
    }

    /// Keeps some at random, one for each peer.
    pub(super) fn sample(&mut self, presences: &mut Vec<Signed<Presence>>, want: usize) {
        let mut seen = std::collections::BTreeSet::new();
        presences.retain(|presence| seen.insert(presence.signer()));
        for index in 0..presences.len().min(want) {
            let rest = (presences.len() - index) as u64;
            let other = index + usize::try_from(self.rng.next_u64() % rest).unwrap_or(0);
            presences.swap(index, other);
        }
        presences.truncate(want);
    }

    /// Tells a client of other signallers that it may turn to.
    pub(super) fn tell_of_others(&mut self, client: ClientId, now: Time) {
        let Some(pool) = &self.pool else { return };
        let mut others = pool.signallers(now);
        self.sample(&mut others, mesh_limits::SIGNALLERS_TOLD);
        if !others.is_empty() {
            self.say(client, &FromSignaller::Signallers(others));
        }
    }
}
