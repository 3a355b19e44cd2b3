//! The circuits between clients: over which links are relayed, and how much is on its way on each.
//!
//! A circuit is asked for by one client and agreed to by the other; what it carries then is sealed in a session of
//! the two, and is nothing to us but so many bytes. Nothing of it is kept here: what one says goes at once into
//! what waits for the other, and each may have only so much on its way ([`CIRCUIT_WINDOW`]). The other end says
//! what it took, and that is passed back when the quotas allow it: so they slow a client down, and nothing is lost.
//! A first window each way is paid for when a circuit is opened, by the one that asks for it: so none gets more by
//! opening many, and who is asked loses nothing.

use std::collections::{BTreeMap, VecDeque};

use taiinet_mesh::{
    Budget, Time,
    limits::{CIRCUIT_MESSAGE_BYTES, CIRCUIT_WINDOW, WIRE_BYTES},
};

use super::config::Relaying;
use crate::{
    ClientId,
    addresses::{AddressCounts, Ranges},
    limits,
    refused::Refused,
};

/// How far a circuit is, for one of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has asked for it.
    Asking,
    /// It is asked for it.
    Asked,
    /// Both have agreed.
    Open,
    /// It is over, and keeps its place for a moment: ends are passed on, and shall not come without end.
    Over,
}

/// One direction of a circuit.
#[derive(Debug)]
struct Way {
    stage: Stage,
    /// Whether its sender has asked for it.
    asked_for: bool,
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
    /// What those of each address may still say, and how that begins.
    bytes_of: AddressCounts<Budget>,
    each_address: (u32, u32),
}

impl Circuits {
    pub(super) fn new(relaying: Option<&Relaying>, now: Time) -> Self {
        let bytes = relaying.map_or((0, 0), Relaying::bytes);
        Self {
            ways: BTreeMap::new(),
            owing: VecDeque::new(),
            pay_at: now,
            bytes: Budget::new(bytes, now),
            bytes_of: AddressCounts::default(),
            each_address: relaying.map_or((0, 0), Relaying::bytes_of_address),
        }
    }

    /// How many there are that are not over.
    pub(super) fn len(&self) -> usize {
        self.ways.values().filter(|way| way.stage != Stage::Over).count() / 2
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        (!self.owing.is_empty()).then_some(self.pay_at)
    }

    /// The other ends of a client's circuits, and how far each is.
    pub(super) fn others(&self, client: ClientId) -> impl Iterator<Item = (ClientId, Stage)> {
        self.of(client).map(|(other, way)| (other, way.stage))
    }

    fn of(&self, client: ClientId) -> impl Iterator<Item = (ClientId, &Way)> {
        let (first, last) = ((client, 0.into()), (client, u64::MAX.into()));
        self.ways.range(first..=last).map(|((_, other), way)| (*other, way))
    }

    fn count(&self, client: ClientId, which: impl Fn(&Way) -> bool) -> usize {
        self.of(client).filter(|(_, way)| which(way)).count()
    }

    /// Whether a client has room for one more, of those that it asks for or of those that it agrees to. At most half
    /// of its places are for what others ask, so that nobody takes those that it needs itself.
    fn has_place(&self, client: ClientId, asks: bool, each: usize) -> bool {
        let agreed = self.count(client, |way| way.stage == Stage::Open && !way.asked_for);
        let all = agreed + self.count(client, |way| way.asked_for);
        all < each && (asks || agreed < each.div_ceil(2))
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
        self.ways.len() / 2 < relaying.circuits
            && self.has_place(from, true, each)
            && self.has_place(to, false, each)
            // Strangers that only ask leave room for others.
            && self.count(to, |way| way.stage == Stage::Asked) < 2 * each
            && of_site.count() / 2 < site
    }

    /// Whether the one that was asked may agree: it may have agreed to others since.
    pub(super) fn may_agree(&self, client: ClientId, relaying: &Relaying) -> bool {
        self.has_place(client, false, relaying.circuits_per_peer)
    }

    pub(super) fn open(&mut self, (from, to): Name, of: Ranges, now: Time) {
        let way = |stage| {
            let asked_for = stage == Stage::Asking;
            Way { stage, asked_for, of, outstanding: 0, owed: 0, heard: now }
        };
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

    /// Of what all may say, and those from where a sender comes, takes so much, if `sender` may say as much, too.
    pub(super) fn pay(
        &mut self,
        bytes: usize,
        from: Ranges,
        now: Time,
        sender: impl FnOnce() -> bool,
    ) -> bool {
        let has = self.bytes.has(bytes, now)
            && self.bytes_of.all(from, |left, _| left.has(bytes, now))
            && sender();
        if has {
            self.bytes.take(bytes, now);
            self.bytes_of.sweep(limits::SWEPT_AT_ONCE, |left| left.is_full(now));
            let (burst, per_second) = self.each_address;
            let fresh = |share: u32| {
                Budget::new((burst.saturating_mul(share), per_second.saturating_mul(share)), now)
            };
            self.bytes_of.update(from, fresh, |left| {
                left.take(bytes, now);
            });
        }
        has
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

    /// A circuit is over; its place is kept for a moment.
    pub(super) fn end(&mut self, (from, to): Name, now: Time) {
        for name in [(from, to), (to, from)] {
            if let Some(way) = self.ways.get_mut(&name) {
                *way = Way { stage: Stage::Over, outstanding: 0, owed: 0, heard: now, ..*way };
            }
        }
    }

    /// Nothing is left of a circuit.
    pub(super) fn close(&mut self, (from, to): Name) {
        self.ways.remove(&(to, from));
        self.ways.remove(&(from, to));
    }

    /// Forgets what makes no difference any more.
    pub(super) fn sweep(&mut self, now: Time) {
        self.ways.retain(|_, way| {
            way.stage != Stage::Over || way.heard.after(limits::CIRCUIT_KEPT) > now
        });
        self.bytes_of.sweep(limits::SWEPT_EACH_SECOND, |left| left.is_full(now));
    }

    /// Those over which nothing has come for too long, or that were not agreed to in time.
    pub(super) fn late(&self, now: Time) -> Vec<Name> {
        let late = self.ways.iter().filter(|((from, to), way)| {
            let heard = self.ways.get(&(*to, *from)).map_or(way.heard, |other| other.heard);
            let limit = match way.stage {
                Stage::Open => limits::CIRCUIT_IDLE,
                Stage::Asking | Stage::Asked => limits::JOIN_TIMEOUT,
                Stage::Over => return false,
            };
            from < to && way.heard.max(heard).after(limit) <= now
        });
        late.map(|(name, _)| *name).collect()
    }
}
