//! The desk and the other signallers.

use core::net::IpAddr;

use taiinet_identity::PeerId;
use taiinet_mesh::{LinkId, Time};

use super::{Desk, DeskOutput};
use crate::{pool::PoolOutput, refused::Refused};

impl Desk {
    /// Another signaller has opened a connection to our pool. Gives its name; none if there is no
    /// pool: then close it.
    pub fn accept(&mut self, from: IpAddr, now: Time) -> Option<LinkId> {
        let range = self.config.prefixes.ranges(from).narrow();
        let link = self.pool.as_mut()?.accept(range.addr(), now);
        self.drain_pool(now);
        link
    }

    pub(super) fn tick_pool(&mut self, now: Time) {
        let Some(pool) = &mut self.pool else { return };
        pool.handle_timeout(now);
        if pool.is_to_tell_all(now) {
            for presence in self.clients.presences() {
                pool.joined(presence, now);
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
                PoolOutput::Undeliverable { network, from, to } => {
                    if let Some(client) = self.clients.of_peer(&(network, from)) {
                        self.unreachable(client, to);
                    }
                }
                PoolOutput::Forged { network, from } => {
                    if let Some(client) = self.clients.of_peer(&(network, from)) {
                        self.refuse(client, Refused::Signature, now);
                    }
                }
            }
        }
    }

    pub(super) fn count_of_pool(&mut self, refused: Refused) {
        *self.counters.refused_of_pool.entry(refused).or_default() += 1;
    }
}
