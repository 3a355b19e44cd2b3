//! How much work the other end of a link may make for us.
//!
//! Each frame has a cost ([`crate::wire::cost_of`]), and what it makes us do beyond that is spent where it is
//! done: signatures of presences, documents looked at for a comparison or a search, queries evaluated. What
//! one frame can make us do has a bound of its own, so no debt takes long to pay. What we asked for ourselves, the
//! answers to our searches, has the bounds of what was asked, and costs its sender nothing.
//!
//! Frames are dealt with while anything of the budget is left; what they cost more is a debt. While there
//! is a debt, messages wait for the time that pays for it: so a link that asks for too much is slowed. One that
//! goes on all the same, until more waits than [`limits::WAITING_BYTES`], is cut. What a peer has spent on one
//! link it has spent on the next ([`Spent`]).

use std::collections::{BTreeMap, VecDeque};

use taiinet_identity::PeerId;

use crate::{Time, limits};

/// What may still be spent.
#[derive(Debug, Clone, Copy)]
struct Purse {
    /// In thousandths of a unit; negative: a debt.
    left: i64,
    filled: Time,
}

impl Purse {
    fn refill(&mut self, now: Time) {
        let elapsed = i64::try_from(now.since(self.filled).as_millis()).unwrap_or(i64::MAX);
        let earned = elapsed.saturating_mul(i64::from(limits::WORK.1));
        self.left = self.left.saturating_add(earned).min(burst());
        self.filled = now;
    }

    /// No frame is so expensive that its debt would take minutes to pay.
    fn take(&mut self, thousandths: i64) {
        self.left = self.left.saturating_sub(thousandths).max(-burst());
    }

    const fn spent(&self) -> i64 {
        burst().saturating_sub(self.left)
    }
}

/// What peers have spent whose links have ended.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    peers: BTreeMap<PeerId, Purse>,
}

impl Spent {
    /// The link of a peer that proved itself has ended.
    pub(crate) fn keep(&mut self, peer: PeerId, work: &Work, now: Time) {
        let mut purse = work.purse;
        purse.refill(now);
        // A link that was refused has not settled yet.
        if let Some(mut earlier) = self.peers.remove(&peer) {
            earlier.refill(now);
            purse.take(earlier.spent());
        }
        if purse.spent() == 0 {
            return;
        }
        if self.peers.len() >= limits::SPENDERS {
            self.peers.retain(|_, purse| {
                purse.refill(now);
                purse.spent() > 0
            });
        }
        if self.peers.len() >= limits::SPENDERS {
            let least = self.peers.iter().min_by_key(|(_, purse)| purse.spent());
            let least = least.filter(|(_, least)| least.spent() < purse.spent());
            let Some(least) = least.map(|(peer, _)| *peer) else { return };
            self.peers.remove(&least);
        }
        self.peers.insert(peer, purse);
    }

    /// A peer has proven itself on a new link: what it still owes of the last one is spent of it. Whether
    /// anything is left.
    #[must_use]
    pub(crate) fn settle(&mut self, peer: &PeerId, work: &mut Work, now: Time) -> bool {
        if let Some(mut purse) = self.peers.remove(peer) {
            purse.refill(now);
            work.purse.take(purse.spent());
        }
        work.purse.left > 0
    }
}

/// The work of one link, and the messages that wait for it.
#[derive(Debug)]
pub(crate) struct Work {
    purse: Purse,
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
}

/// What is to be done with a message that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Deal with it.
    Now(Vec<u8>),
    /// It waits; look again at [`Work::deadline`].
    Waits,
    /// There is no room for it to wait.
    TooMuch,
}

impl Work {
    pub(crate) fn new(now: Time) -> Self {
        let purse = Purse { left: burst(), filled: now };
        Self { purse, waiting: VecDeque::new(), waiting_bytes: 0 }
    }

    /// A message has come.
    pub(crate) fn arrives(&mut self, message: Vec<u8>, now: Time) -> Arrival {
        self.purse.refill(now);
        if self.waiting.is_empty() && self.purse.left > 0 {
            return Arrival::Now(message);
        }
        if self.waiting_bytes.saturating_add(message.len()) > limits::WAITING_BYTES {
            return Arrival::TooMuch;
        }
        self.waiting_bytes += message.len();
        self.waiting.push_back(message);
        Arrival::Waits
    }

    /// The next message that has waited long enough.
    pub(crate) fn next(&mut self, now: Time) -> Option<Vec<u8>> {
        self.purse.refill(now);
        let message = if self.purse.left > 0 { self.waiting.pop_front()? } else { return None };
        self.waiting_bytes -= message.len();
        Some(message)
    }

    /// How many messages wait, and their bytes.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        (self.waiting.len(), self.waiting_bytes)
    }

    /// Whether anything that came waits: what judges a link by what has come does not know all of it.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes so many units, with a debt if need be.
    pub(crate) fn spend(&mut self, units: u64, now: Time) {
        self.purse.refill(now);
        self.purse.take(thousandths(units));
    }

    /// Gives so many units back that were taken before.
    pub(crate) fn refund(&mut self, units: u64, now: Time) {
        self.purse.refill(now);
        self.purse.left = self.purse.left.saturating_add(thousandths(units)).min(burst());
    }

    /// How many units are left; none while there is a debt.
    #[cfg(test)]
    pub(crate) const fn left(&self) -> i64 {
        self.purse.left / 1000
    }

    /// When a message that waits can be dealt with.
    pub(crate) fn deadline(&self) -> Option<Time> {
        if self.waiting.is_empty() {
            return None;
        }
        let debt = u64::try_from(1_i64.saturating_sub(self.purse.left)).unwrap_or(0);
        let wait = debt.div_ceil(u64::from(limits::WORK.1).max(1));
        Some(self.purse.filled.after(core::time::Duration::from_millis(wait)))
    }
}

fn thousandths(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX).saturating_mul(1000)
}

const fn burst() -> i64 {
    limits::WORK.0 as i64 * 1000
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::testing::NOW;

    #[test]
    fn a_link_that_asks_for_too_much_is_slowed_in_order_and_then_cut() {
        let mut work = Work::new(NOW);
        assert_eq!(work.arrives(vec![1], NOW), Arrival::Now(vec![1]));
        work.spend(u64::from(limits::WORK.0) + u64::from(limits::WORK.1), NOW);
        assert_eq!(work.arrives(vec![2], NOW), Arrival::Waits);
        assert_eq!(work.arrives(vec![3], NOW), Arrival::Waits);
        assert_eq!(work.next(NOW), None);
        // The debt is that of one second.
        let paid = work.deadline().expect("something waits");
        assert!(paid > NOW.after(Duration::from_millis(999)), "{paid:?}");
        assert!(paid <= NOW.after(Duration::from_millis(1001)), "{paid:?}");
        assert_eq!(work.next(paid), Some(vec![2]));
        // What comes later comes after.
        assert_eq!(work.arrives(vec![4], paid), Arrival::Waits);
        assert_eq!(work.next(paid), Some(vec![3]));
        assert_eq!(work.next(paid), Some(vec![4]));
        assert_eq!(work.deadline(), None);
        work.spend(u64::MAX, paid);
        let much = vec![0; limits::WAITING_BYTES];
        assert_eq!(work.arrives(much, paid), Arrival::Waits);
        assert_eq!(work.arrives(vec![0], paid), Arrival::TooMuch);
    }

    #[test]
    fn no_debt_is_for_ever() {
        let mut work = Work::new(NOW);
        work.spend(u64::MAX, NOW);
        assert_eq!(work.arrives(vec![1], NOW), Arrival::Waits);
        let paid = work.deadline().expect("something waits");
        assert!(paid < NOW.after(Duration::from_secs(60)), "{paid:?}");
        assert_eq!(work.next(paid), Some(vec![1]));
    }

    #[test]
    fn what_a_peer_has_spent_on_one_link_it_has_spent_on_the_next() {
        let (debtor, other) = (PeerId::from_bytes([1; 32]), PeerId::from_bytes([2; 32]));
        let mut spent = Spent::default();
        let mut first = Work::new(NOW);
        first.spend(u64::from(limits::WORK.0) + 3 * u64::from(limits::WORK.1), NOW);
        spent.keep(debtor, &first, NOW);

        let later = NOW.after(Duration::from_secs(1));
        let mut second = Work::new(later);
        assert!(!spent.settle(&debtor, &mut second, later), "in debt");
        assert_eq!(second.left(), -2 * i64::from(limits::WORK.1));
        assert_eq!(second.arrives(vec![1], later), Arrival::Waits);

        // A link that is refused meanwhile forgives nothing.
        spent.keep(debtor, &first, NOW);
        spent.keep(debtor, &Work::new(NOW), NOW);
        let mut third = Work::new(later);
        assert!(!spent.settle(&debtor, &mut third, later));
        assert_eq!(third.left(), second.left());

        // It is spent once, by its spender alone, and not for ever.
        let mut third = Work::new(later);
        assert!(spent.settle(&debtor, &mut third, later));
        assert_eq!(third.left(), i64::from(limits::WORK.0));
        spent.keep(debtor, &second, later);
        assert!(spent.settle(&other, &mut third, later));
        assert_eq!(third.left(), i64::from(limits::WORK.0));
        let paid = later.after(Duration::from_secs(60));
        assert!(spent.settle(&debtor, &mut third, paid));
        assert_eq!(third.left(), i64::from(limits::WORK.0));
    }

    #[test]
    fn of_many_spenders_those_are_remembered_that_spent_most() {
        let mut spent = Spent::default();
        let peer = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
            PeerId::from_bytes(bytes)
        };
        for number in 0..2 * limits::SPENDERS {
            let mut work = Work::new(NOW);
            work.spend(1 + number as u64, NOW);
            spent.keep(peer(number), &work, NOW);
        }
        assert_eq!(spent.peers.len(), limits::SPENDERS);
        assert!(spent.peers.contains_key(&peer(2 * limits::SPENDERS - 1)));
        assert!(!spent.peers.contains_key(&peer(0)));
    }
}
