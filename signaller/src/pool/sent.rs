//! Signals of our clients that other signallers were to pass on: only they, and only of these, may
//! say that they found nobody.

use std::collections::{BTreeMap, VecDeque};

use taiinet_document::Network;
use taiinet_identity::{PeerId, Verified};
use taiinet_mesh::{
    Time,
    frame::{Astray, Signal},
    limits as mesh_limits,
};

use crate::limits;

/// To which signaller, in which network, whose, for whom.
type Name = (PeerId, Network, PeerId, PeerId);

#[derive(Debug, Clone, Copy)]
struct Out {
    count: u32,
    last: Time,
}

/// Recent ones. When there are too many the oldest go, and what is said of them is not believed.
#[derive(Debug, Default)]
pub(super) struct Sent {
    out: BTreeMap<Name, Out>,
    order: VecDeque<(Time, Name)>,
}

impl Sent {
    pub(super) fn note(&mut self, member: PeerId, signal: &Verified<Signal>, now: Time) {
        let name = (member, signal.network.clone(), signal.signer(), signal.to);
        let out = self.out.entry(name.clone()).or_insert(Out { count: 0, last: now });
        *out = Out { count: out.count.saturating_add(1), last: now };
        self.order.push_back((now, name));
        while self.order.len() > limits::POOL_SENT {
            self.forget();
        }
    }

    /// Whether one of these is out; from now on one less is.
    pub(super) fn take(&mut self, member: PeerId, astray: Astray, now: Time) -> bool {
        self.expire(now);
        let name = (member, astray.network, astray.from, astray.to);
        let Some(out) = self.out.get_mut(&name) else { return false };
        out.count -= 1;
        if out.count == 0 {
            self.out.remove(&name);
        }
        true
    }

    pub(super) fn expire(&mut self, now: Time) {
        while self.order.front().is_some_and(|(at, _)| now.since(*at) > mesh_limits::SIGNAL_LIFE) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        if let Some((at, name)) = self.order.pop_front()
            && self.out.get(&name).is_some_and(|out| out.last == at)
        {
            self.out.remove(&name);
        }
    }
}
