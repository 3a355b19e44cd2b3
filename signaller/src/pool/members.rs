//! The signallers whose news count: those that are linked, or were a short while ago.
//!
//! Any peer can sign a document of the pool and have it passed on; only one that has proven itself on a
//! link, and is on the operator's list if there is one, is a member.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_identity::PeerId;
use taiinet_mesh::{Time, limits as mesh_limits};

use crate::limits;

/// The members.
#[derive(Debug, Default)]
pub(super) struct Members {
    linked: BTreeSet<PeerId>,
    /// Until when each is remembered that is not linked any more.
    lately: BTreeMap<PeerId, Time>,
}

impl Members {
    /// Those that are linked.
    pub(super) const fn linked(&self) -> &BTreeSet<PeerId> {
        &self.linked
    }

    pub(super) fn came(&mut self, peer: PeerId) {
        self.lately.remove(&peer);
        self.linked.insert(peer);
    }

    pub(super) fn left(&mut self, peer: PeerId, now: Time) {
        if !self.linked.remove(&peer) {
            return;
        }
        if self.lately.len() >= limits::POOL_MEMBERS {
            let first = self.lately.iter().min_by_key(|(_, until)| **until);
            if let Some(first) = first.map(|(peer, _)| *peer) {
                self.lately.remove(&first);
            }
        }
        self.lately.insert(peer, now.after(mesh_limits::PRESENCE_LIFE));
    }

    /// It is no member any more, linked or not.
    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.linked.remove(peer);
        self.lately.remove(peer);
    }

    /// Only these are members any more.
    pub(super) fn retain(&mut self, stays: impl Fn(&PeerId) -> bool) {
        self.linked.retain(&stays);
        self.lately.retain(|member, _| stays(member));
    }

    pub(super) fn has(&self, peer: &PeerId) -> bool {
        self.linked.contains(peer) || self.lately.contains_key(peer)
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.lately.retain(|_, until| *until > now);
    }
}
