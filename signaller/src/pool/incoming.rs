//! What other signallers may have us do for them.
//!
//! Signatures are what is expensive: those of signals, and those of presences in the news. Each other signaller
//! has so many verified, more than an honest one needs; most of these come out of what all share, so that
//! a pool of many hostile members does not take all of the desk's time, and some are its own.

use std::collections::BTreeMap;

use taiinet_identity::{PeerId, Signed, Verified};
use taiinet_mesh::{Budget, Time, wire::Signal};

use super::{pairs::Pairs, replays::Replays};
use crate::{limits, refused::Refused};

/// Signatures that one member has verified.
#[derive(Debug)]
struct Share {
    all: Budget,
    /// Of these, those that do not come out of what is shared.
    own: Budget,
}

impl Share {
    fn new(all: (u32, u32), own: (u32, u32), now: Time) -> Self {
        Self { all: Budget::new(all, now), own: Budget::new(own, now) }
    }

    fn take(&mut self, shared: &mut Budget, now: Time) -> bool {
        self.all.has(1, now)
            && (self.own.take(1, now) || shared.take(1, now))
            && self.all.take(1, now)
    }
}

#[derive(Debug)]
struct Member {
    pairs: Pairs,
    signals: Share,
    news: Share,
}

impl Member {
    fn new(now: Time) -> Self {
        Self {
            pairs: Pairs::new(limits::POOL_PAIRS),
            signals: Share::new(limits::POOL_VERIFIED, limits::POOL_VERIFIED_OWN, now),
            news: Share::new(limits::POOL_NEWS, limits::POOL_NEWS_OWN, now),
        }
    }
}

/// What is left to all members.
#[derive(Debug)]
pub(super) struct Incoming {
    members: BTreeMap<PeerId, Member>,
    signals: Budget,
    news: Budget,
    /// Signals that came.
    arrived: Replays,
}

impl Incoming {
    pub(super) fn new(now: Time) -> Self {
        Self {
            members: BTreeMap::new(),
            signals: Budget::new(limits::POOL_VERIFIED_SHARED, now),
            news: Budget::new(limits::POOL_NEWS_SHARED, now),
            arrived: Replays::default(),
        }
    }

    /// Whether a signal of this content came before.
    pub(super) fn has_arrived(&self, sender: PeerId, body: &Signal) -> bool {
        self.arrived.has(sender, body)
    }

    /// Charges a member, and the sender of a signal that it passes on.
    pub(super) fn charge(
        &mut self,
        member: PeerId,
        sender: PeerId,
        to: PeerId,
        now: Time,
    ) -> Result<(), Refused> {
        let member = self.members.entry(member).or_insert_with(|| Member::new(now));
        let may = member.pairs.take(sender, to, now) && member.signals.take(&mut self.signals, now);
        if may { Ok(()) } else { Err(Refused::TooOften) }
    }

    /// Charges a member for a presence that it tells of; whether that may be verified.
    pub(super) fn charge_news(&mut self, member: PeerId, now: Time) -> bool {
        let member = self.members.entry(member).or_insert_with(|| Member::new(now));
        member.news.take(&mut self.news, now)
    }

    /// Checks the signature of a signal that is paid for, and that it came for the first time.
    pub(super) fn verify(
        &mut self,
        signal: Signed<Signal>,
        now: Time,
    ) -> Result<Verified<Signal>, Refused> {
        let signal = signal.verify().map_err(|_| Refused::Signature)?;
        if self.arrived.is_one(signal.signer(), &signal, now) {
            return Err(Refused::Replayed);
        }
        Ok(signal)
    }

    /// Forgets some of what is over, and all of those that are no members any more.
    pub(super) fn expire(&mut self, is_member: impl Fn(&PeerId) -> bool, now: Time) {
        self.arrived.forget(limits::POOL_FORGOTTEN, now);
        self.members.retain(|member, _| is_member(member));
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const NOW: Time = Time::from_millis(1_800_000_000_000);

    fn member(number: u8) -> PeerId {
        PeerId::from_bytes([number; 32])
    }

    fn news(incoming: &mut Incoming, of: u8, at: Time, most: u32) -> u32 {
        (0..most).filter(|_| incoming.charge_news(member(of), at)).count() as u32
    }

    #[test]
    fn many_hostile_members_leave_an_honest_one_its_own() {
        let mut incoming = Incoming::new(NOW);
        let (each, shared) = (limits::POOL_NEWS.0, limits::POOL_NEWS_SHARED.0);
        assert_eq!(news(&mut incoming, 1, NOW, each + 10), each, "one has so many");
        let all: u32 = (2..60).map(|of| news(&mut incoming, of, NOW, each)).sum();
        let own = limits::POOL_NEWS_OWN;
        assert_eq!(all + each, shared + 59 * own.0, "and all together");
        assert_eq!(news(&mut incoming, 60, NOW, each), own.0, "but a newcomer has its own");
        let later = NOW.after(Duration::from_secs(1));
        for of in 1..60 {
            news(&mut incoming, of, later, each);
        }
        assert_eq!(news(&mut incoming, 60, later, each), own.1);
    }
}
