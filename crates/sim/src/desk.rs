//! A signaller of a world: its desk, its sockets, and what a hostile one does to its words.

use core::mem;
use std::collections::BTreeMap;

use taiinet_identity::Identity;
use taiinet_mesh::{LinkId, Time, wire::FromSignaller};
use taiinet_signaller::{ClientId, Desk, DeskConfig};

use crate::channel::EndId;

/// Changes what a signaller tells its clients: gets each frame, gives what goes out instead.
pub type Tamper = Box<dyn FnMut(FromSignaller) -> Vec<FromSignaller>>;

pub(crate) struct DeskNode {
    pub(crate) identity: Identity,
    config: DeskConfig,
    /// None while it is down.
    pub(crate) desk: Option<Desk>,
    pub(crate) clients: BTreeMap<ClientId, EndId>,
    /// Its sockets to others.
    pub(crate) links: BTreeMap<LinkId, EndId>,
    pub(crate) wake: Option<u64>,
    pub(crate) ticks: (u64, u32),
    pub(crate) tamper: Option<Tamper>,
    /// Whether it has ever said what its desk did not.
    pub(crate) is_hostile: bool,
    /// When each join was taken, so that a test can see a herd.
    pub(crate) joins: Vec<Time>,
}

impl DeskNode {
    /// A signaller that is down.
    pub(crate) const fn new(identity: Identity, config: DeskConfig) -> Self {
        Self {
            identity,
            config,
            desk: None,
            clients: BTreeMap::new(),
            links: BTreeMap::new(),
            wake: None,
            ticks: (0, 0),
            tamper: None,
            is_hostile: false,
            joins: Vec::new(),
        }
    }

    /// Gives the ends that it held.
    pub(crate) fn stop(&mut self) -> Vec<EndId> {
        self.desk = None;
        let clients = mem::take(&mut self.clients).into_values();
        clients.chain(mem::take(&mut self.links).into_values()).collect()
    }

    pub(crate) fn start(&mut self, seed: [u8; 32], now: Time) {
        self.desk = Some(Desk::new(self.identity.clone(), self.config.clone(), seed, now));
    }
}
