//! The circuits between clients: over which links are relayed, and how much is on its way on each.
//!
//! A circuit is asked for by one client and agreed to by the other; what it carries then is sealed in a session of
//! the two, and is nothing to us but so many bytes. Nothing of it is kept here: what one says goes at once into
//! what waits for the other, and each may have only so much on its way ([`CIRCUIT_WINDOW`]). The other end says
//! what it took, and that is passed back when the quotas allow it: so they slow a client down, and nothing is lost.
//! A first window is paid for when a circuit is opened, that none gets more by opening many.

use std::collections::{BTreeMap, VecDeque};

use taiinet_mesh::{
    Budget, Time,
    limits::{CIRCUIT_MESSAGE_BYTES, CIRCUIT_WINDOW, WIRE_BYTES},
};

use super::config::Relaying;
use crate::{ClientId, addresses::Ranges, limits, refused::Refused};

/// How far a circuit is, for one of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has asked for it.
    Asking,
    /// It is asked for it.
    Asked,
    /// Both have agreed.
    Open,
}

/// One direction of a circuit.
#[derive(Debug)]
struct Way {
    stage: Stage,
    /// Where the one comes from that asked for the circuit.
    of: Ranges,
    /// What was passed on and its sender was not told to be taken.
    outstanding: usize,
    /// Of that, what was taken: the quotas are in its way.
    owed: usize,
    /// When its sender said something last, or when the circuit was asked for.
    heard: Time,
}

/// The way from one client to another.
pub(super) type Name = (ClientId, ClientId);

/// The circuits that there are.
#[derive(Debug)]
pub(super) struct Circuits {
    /// Two ways for each.
    ways: BTreeMap<Name, Way>,
    /// Those whose sender waits to be told what was taken.
    owing: VecDeque<Name>,
    pay_at: Time,
    /// What all may still say.
    bytes: Budget,
}

impl Circuits {
    pub(super) fn new(relaying: Option<&Relaying>, now: Time) -> Self {
        let bytes = relaying.map_or((0, 0), Relaying::bytes);
        Self {
            ways: BTreeMap::new(),
            owing: VecDeque::new(),
            pay_at: now,
            bytes: Budget::new(bytes, now),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ways.len() / 2
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        (!self.owing.is_empty()).then_some(self.pay_at)
    }

    /// The other ends of a client's circuits.
    pub(super) fn others(&self, client: ClientId) -> impl Iterator<Item = ClientId> {
        self.of(client).map(|(other, _)| other)
    }

    fn of(&self, client: ClientId) -> impl Iterator<Item = (ClientId, &Way)> {
        let (first, last) = ((client, 0.into()), (client, u64::MAX.into()));
        self.ways.range(first..=last).map(|((_, other), way)| (*other, way))
    }

    fn count(&self, client: ClientId, asked: bool) -> usize {
        self.of(client).filter(|(_, way)| (way.stage == Stage::Asked) == asked).count()
    }

    /// Whether another may be opened from one client to another.
    pub(super) fn has_room(
        &self,
        from: ClientId,
        of: Ranges,
        to: ClientId,
        relaying: &Relaying,
    ) -> bool {
        let each = relaying.circuits_per_peer;
        let site = (relaying.circuits / limits::CIRCUITS_SHARE).max(each);
        let of_site = self.ways.values().filter(|way| way.of.narrow() == of.narrow());
        self.len() < relaying.circuits
            && self.count(from, false) < each
            && self.count(to, false) < each
            // Strangers that only ask leave room for others.
            && self.count(to, true) < 2 * each
            && of_site.count() / 2 < site
    }

    pub(super) fn open(&mut self, (from, to): Name, of: Ranges, now: Time) {
        let way = |stage| Way { stage, of, outstanding: 0, owed: 0, heard: now };
        self.ways.insert((from, to), way(Stage::Asking));
        self.ways.insert((to, from), way(Stage::Asked));
    }

    /// How far the circuit is for the one that says something this way; none if there is no such circuit.
    pub(super) fn stage(&self, name: Name) -> Option<Stage> {
        self.ways.get(&name).map(|way| way.stage)
    }

    /// Both have agreed.
    pub(super) fn agree(&mut self, (from, to): Name, now: Time) {
        for name in [(from, to), (to, from)] {
            if let Some(way) = self.ways.get_mut(&name) {
                way.stage = Stage::Open;
                way.heard = now;
            }
        }
    }

    /// What counts for so many bytes goes this way: whether its sender keeps to the window.
    #[must_use]
    pub(super) fn send(&mut self, name: Name, bytes: usize, now: Time) -> bool {
        let Some(way) = self.ways.get_mut(&name) else { return false };
        way.heard = now;
        // One message more may be a farewell.
        let fits = way.outstanding < CIRCUIT_WINDOW + WIRE_BYTES + CIRCUIT_MESSAGE_BYTES;
        way.outstanding += bytes;
        fits
    }

    /// So many bytes that came this way were taken.
    ///
    /// # Errors
    /// [`Refused::OutOfTurn`] if that is more than came.
    pub(super) fn take(&mut self, name: Name, bytes: usize, now: Time) -> Result<(), Refused> {
        let Some(way) = self.ways.get_mut(&name) else { return Ok(()) };
        let owed = way.owed.checked_add(bytes).filter(|owed| *owed <= way.outstanding);
        let before = core::mem::replace(&mut way.owed, owed.ok_or(Refused::OutOfTurn)?);
        if before == 0 {
            if self.owing.is_empty() {
                self.pay_at = now;
            }
            self.owing.push_back(name);
        }
        Ok(())
    }

    /// Of what all may say, takes so much, if `sender` may say as much, too.
    pub(super) fn pay(&mut self, bytes: usize, now: Time, sender: impl FnOnce() -> bool) -> bool {
        self.bytes.has(bytes, now) && sender() && self.bytes.take(bytes, now)
    }

    /// Whose turn it is to be told what was taken, each in turn: its way, and how much.
    pub(super) fn due(&mut self, now: Time) -> Vec<(Name, usize)> {
        if self.owing.is_empty() || now < self.pay_at {
            return Vec::new();
        }
        self.pay_at = now.after(limits::CIRCUIT_PACE);
        let owing = core::mem::take(&mut self.owing);
        let owed = |name| self.ways.get(&name).map_or(0, |way| way.owed);
        // A window at most, whatever was taken.
        let due = owing.into_iter().map(|name| (name, owed(name).min(CIRCUIT_WINDOW)));
        due.filter(|(_, bytes)| *bytes > 0).collect()
    }

    /// So much was told of what was due; the rest waits.
    pub(super) fn told(&mut self, name: Name, bytes: usize) {
        let Some(way) = self.ways.get_mut(&name) else { return };
        way.owed -= bytes.min(way.owed);
        way.outstanding -= bytes.min(way.outstanding);
        if way.owed > 0 {
            self.owing.push_back(name);
        }
    }

    pub(super) fn close(&mut self, (from, to): Name) {
        self.ways.remove(&(to, from));
        self.ways.remove(&(from, to));
    }

    /// Those over which nothing has come for too long, or that were not agreed to in time.
    pub(super) fn late(&self, now: Time) -> Vec<Name> {
        let late = self.ways.iter().filter(|((from, to), way)| {
            let heard = self.ways.get(&(*to, *from)).map_or(way.heard, |other| other.heard);
            let limit = match way.stage {
                Stage::Open => limits::CIRCUIT_IDLE,
                Stage::Asking | Stage::Asked => limits::JOIN_TIMEOUT,
            };
            from < to && way.heard.max(heard).after(limit) <= now
        });
        late.map(|(name, _)| *name).collect()
    }
}
