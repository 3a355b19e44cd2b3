//! How many signals of each sender another signaller may still pass on to each recipient.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_identity::PeerId;
use taiinet_mesh::Time;

use crate::{limits, shares::Shares};

/// A share for each pair of a sender and a recipient. When too many pairs are counted, one is forgotten of
/// the sender that has most: none that comes later is refused for it.
#[derive(Debug)]
pub(super) struct Pairs {
    senders: BTreeMap<PeerId, Shares<PeerId>>,
    by_count: BTreeSet<(usize, PeerId)>,
    count: usize,
    most: usize,
}

impl Pairs {
    pub(super) const fn new(most: usize) -> Self {
        Self { senders: BTreeMap::new(), by_count: BTreeSet::new(), count: 0, most }
    }

    /// Takes one of this pair's share, if there is one left and its sender has not too many recipients.
    pub(super) fn take(&mut self, sender: PeerId, to: PeerId, now: Time) -> bool {
        let fresh = || Shares::new(limits::SIGNALS_TO_ONE, limits::POOL_PAIRS_PER_SENDER);
        self.senders.entry(sender).or_insert_with(fresh);
        let taken = self.change(sender, |shares| shares.take(to, now));
        while self.count > self.most
            && let Some((_, fullest)) = self.by_count.last().copied()
        {
            self.change(fullest, |shares| shares.forget_one(now));
        }
        taken.unwrap_or(false)
    }

    /// Changes the shares of a sender; drops them if nothing is left.
    fn change<R>(
        &mut self,
        sender: PeerId,
        change: impl FnOnce(&mut Shares<PeerId>) -> R,
    ) -> Option<R> {
        let shares = self.senders.get_mut(&sender)?;
        let before = shares.len();
        let result = change(shares);
        let after = shares.len();
        self.by_count.remove(&(before, sender));
        self.count = self.count.saturating_sub(before) + after;
        if after == 0 {
            self.senders.remove(&sender);
        } else {
            self.by_count.insert((after, sender));
        }
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const NOW: Time = Time::from_millis(1_800_000_000_000);

    fn peer(number: u16) -> PeerId {
        let mut bytes = [7; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        PeerId::from_bytes(bytes)
    }

    #[test]
    fn many_senders_with_many_recipients_block_nobody() {
        let mut pairs = Pairs::new(limits::POOL_PAIRS);
        for sender in 0..210 {
            for to in 0..5 {
                assert!(pairs.take(peer(sender), peer(1000 + to), NOW));
            }
        }
        assert!(pairs.count <= limits::POOL_PAIRS);
        let (honest, friend) = (peer(500), peer(600));
        let most = limits::SIGNALS_TO_ONE.0;
        for sent in 0..2 * most {
            assert_eq!(pairs.take(honest, friend, NOW), sent < most, "{sent}");
            // They go on, with others each time.
            let (sender, to) = (sent as u16 % 210, 2000 + sent as u16);
            pairs.take(peer(sender), peer(to), NOW);
        }
    }

    #[test]
    fn one_sender_has_so_many_recipients_and_what_is_counted_is_bounded() {
        let mut pairs = Pairs::new(100);
        let taken = (0..1000).filter(|to| pairs.take(peer(1), peer(1000 + to), NOW)).count();
        assert_eq!(taken, limits::POOL_PAIRS_PER_SENDER);
        for sender in 0..1000 {
            assert!(pairs.take(peer(2000 + sender), peer(1), NOW));
            let count: usize = pairs.senders.values().map(Shares::len).sum();
            assert!(count <= 100 && count == pairs.count);
            assert_eq!(pairs.by_count.len(), pairs.senders.len());
        }
        let later = NOW.after(Duration::from_secs(60));
        assert!(pairs.take(peer(1), peer(9), later));
    }
}
