//! The peers that a client is told of.

use std::collections::BTreeSet;

use rand_core::Rng as _;
use taiinet_document::Network;
use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::{
    Time, limits as mesh_limits,
    wire::{FromSignaller, Presence},
};
use taiinet_query::RoutingKey;

use super::{Desk, costs};
use crate::{ClientId, limits, refused::Refused};

impl Desk {
    pub(super) fn introduce(&mut self, id: ClientId, want: u8, now: Time) -> Result<(), Refused> {
        let Some((network, asker)) = self.asks_for_others(id, now)? else { return Ok(()) };
        let want = usize::from(want).min(mesh_limits::PRESENCES_PER_FRAME);
        let mut presences = self.clients.some_of(&network, id, want, &mut self.rng, now);
        presences.extend(self.some_of_pool(&network, &asker, want, now));
        self.sample(&mut presences, want);
        self.counters.introductions += presences.len() as u64;
        let retry_after_ms = 0;
        self.say(id, &FromSignaller::Introduced { presences, retry_after_ms });
        Ok(())
    }

    /// A client asks for others that want the same; from now on it is one of those for them.
    pub(super) fn introduce_for(
        &mut self,
        id: ClientId,
        (want, key): (u8, RoutingKey),
        now: Time,
    ) -> Result<(), Refused> {
        let Some((network, _)) = self.asks_for_others(id, now)? else { return Ok(()) };
        let want = usize::from(want).min(limits::TOLD_OF_A_KEY);
        self.clients.names(id, &network, key);
        let presences =
            self.clients.some_that_named(&network, &key, (id, want), &mut self.rng, now);
        self.counters.introductions += presences.len() as u64;
        self.say(id, &FromSignaller::IntroducedFor { key, presences });
        Ok(())
    }

    /// A client that has joined asks for an introduction, within its budgets. Gives its network, and who it is.
    fn asks_for_others(
        &mut self,
        id: ClientId,
        now: Time,
    ) -> Result<Option<(Network, PeerId)>, Refused> {
        let Some(client) = self.clients.get_mut(id) else { return Ok(None) };
        let presence = client.presence().ok_or(Refused::OutOfTurn)?;
        let asker = (presence.network.clone(), presence.signer());
        if !client.allowance.introductions.take(1, now) {
            return Err(Refused::TooOften);
        }
        self.clients.spend(id, costs::INTRODUCE, now)?;
        Ok(Some(asker))
    }

    /// Clients of other signallers.
    fn some_of_pool(
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
    fn sample(&mut self, presences: &mut Vec<Signed<Presence>>, want: usize) {
        let mut seen = BTreeSet::new();
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
