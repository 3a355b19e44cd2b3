//! Doors for the fuzz targets of `audits/`, and for the simulator, to what is private here.

use std::net::IpAddr;

use taiinet_document::Map;
use taiinet_identity::PeerId;
use taiinet_mesh::Time;

pub use crate::desk::Unsealed;
use crate::{
    Refused, forwarded,
    pool::{RemoteClients, news},
};

/// The addresses in a proxy's header: `X-Forwarded-For`'s, and `Forwarded`'s.
pub fn forwarded(line: &str) -> [Vec<Option<IpAddr>>; 2] {
    [forwarded::forwarded_for(line), forwarded::forwarded(line)]
}

/// What one signaller remembers of others' clients.
#[derive(Debug)]
pub struct News(RemoteClients);

impl News {
    /// Nothing yet.
    pub const fn new(own: PeerId) -> Self {
        Self(RemoteClients::new(own))
    }

    /// Takes what a member published; what was refused of it.
    pub fn take(&mut self, member: PeerId, fields: &Map, now: Time) -> Vec<Refused> {
        let mut refused = Vec::new();
        news::read(fields, |item| {
            refused.extend(item.and_then(|item| self.0.take(member, item, now)).err());
        });
        refused
    }

    /// Drops what is over; how much is left.
    pub fn expire(&mut self, now: Time) -> usize {
        self.0.expire(usize::MAX, now);
        self.0.len()
    }
}
