//! What this peer thinks of others: offences weighed and forgiven with time, and the blacklist that they
//! lead to.
//!
//! In the manner of gossipsub v1.1's peer score (Vyzovitis et al.: "GossipSub: attack-resilient message
//! propagation", 2020), with one difference: there is no praise, so no peer earns the right to misbehave.
//! Each offence costs [`Misbehaviour::weight`] points; one point is forgiven every
//! [`limits::POINT_FORGIVEN_EVERY`]. A peer keeps what it thinks of others to itself: an
//! accusation is no proof.

use core::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use taiinet_document::Timestamp;
use taiinet_identity::PeerId;

use crate::{Misbehaviour, Time, limits};

/// A peer that is kept out: no link is made to it or taken from it, and nothing that it
/// says about links is heard.
///
/// Of one that was listed by hand, documents are neither delivered nor passed on. Those of one that
/// misbehaved are judged like any other's: a valid document does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blacklisted {
    /// The peer that is kept out.
    pub peer: PeerId,
    /// Until when, in milliseconds since 1970; for ever, or rather until it is unblocked, if none.
    pub until: Option<Timestamp>,
    /// What it did; none: it was listed by hand.
    pub misbehaviour: Option<Misbehaviour>,
    /// How often it was listed for what it did. Each time is twice as long as the one before.
    pub times: u8,
}

impl Blacklisted {
    /// A peer listed by hand: until then, or until it is unblocked.
    pub const fn by_hand(peer: PeerId, until: Option<Timestamp>) -> Self {
        Self { peer, until, misbehaviour: None, times: 0 }
    }

    fn is_over(&self, now: Time) -> bool {
        self.until.is_some_and(|until| Time::from(until) <= now)
    }

    /// Whether it is not even remembered any more, for a next time to be longer.
    fn is_forgotten(&self, now: Time) -> bool {
        let remembered =
            self.misbehaviour.map_or(core::time::Duration::ZERO, |_| limits::LISTING_REMEMBERED);
        self.until.is_some_and(|until| Time::from(until).after(remembered) <= now)
    }
}

/// Why a peer cannot be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlacklistError {
    /// It is ourselves.
    #[error("this is the peer itself; name another")]
    Ourselves,
    /// There are too many already.
    #[error("at most {} peers can be listed by hand; unblock some first", limits::LISTED_BY_HAND)]
    Full,
}

/// What follows from an offence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Noted,
    /// From now on it is not believed.
    Suspect,
    /// From now on it is blacklisted.
    Blacklisted(Blacklisted),
}

#[derive(Debug, Default)]
struct Record {
    /// When the last of its points is forgiven.
    forgiven_at: Time,
    /// Until when it is not linked to, without being blacklisted.
    rests_until: Time,
    listed: Option<Blacklisted>,
}

impl Record {
    fn points(&self, now: Time) -> u32 {
        let point = limits::POINT_FORGIVEN_EVERY.as_millis();
        let points = self.forgiven_at.since(now).as_millis().div_ceil(point);
        u32::try_from(points).unwrap_or(u32::MAX)
    }

    fn is_over(&self, now: Time) -> bool {
        self.forgiven_at <= now
            && self.rests_until <= now
            && self.listed.is_none_or(|listed| listed.is_forgotten(now))
    }

    fn is_listed(&self, now: Time) -> bool {
        self.listed.is_some_and(|listed| !listed.is_over(now))
    }

    fn is_listed_by_hand(&self, now: Time) -> bool {
        self.listed.is_some_and(|listed| listed.misbehaviour.is_none() && !listed.is_over(now))
    }
}

/// The records of others' offences. Bounded: when there are too many, those with the fewest points go.
#[derive(Debug, Default)]
pub struct Reputation {
    records: BTreeMap<PeerId, Record>,
}

impl Reputation {
    /// With what was kept from an earlier run.
    pub fn new(kept: &[Blacklisted], now: Time) -> Self {
        let mut reputation = Self::default();
        for listed in kept.iter().filter(|listed| !listed.is_forgotten(now)) {
            reputation.record(listed.peer, now).listed = Some(*listed);
        }
        reputation
    }

    /// The only way to a penalty. The peer must have proven that it is the offender.
    pub fn charge(&mut self, peer: PeerId, what: Misbehaviour, now: Time) -> Verdict {
        let weight = what.weight();
        if weight == 0 || self.is_blacklisted(&peer, now) {
            return Verdict::Noted;
        }
        let record = self.record(peer, now);
        let before = record.points(now);
        record.forgiven_at =
            record.forgiven_at.max(now).after(limits::POINT_FORGIVEN_EVERY.saturating_mul(weight));
        let points = record.points(now);
        if points >= limits::BLACKLISTED_AT {
            let earlier = record.listed.map_or(0, |listed| listed.times);
            let (first, longest) = limits::BLACKLISTED_FOR;
            let doubled =
                first.saturating_mul(1_u32.checked_shl(earlier.into()).unwrap_or(u32::MAX));
            let listed = Blacklisted {
                peer,
                until: Some(now.after(doubled.min(longest)).timestamp()),
                misbehaviour: Some(what),
                times: earlier.saturating_add(1),
            };
            *record = Record { listed: Some(listed), ..Record::default() };
            return Verdict::Blacklisted(listed);
        }
        if before < limits::SUSPECT_AT && points >= limits::SUSPECT_AT {
            return Verdict::Suspect;
        }
        Verdict::Noted
    }

    /// It is of no use for now, through no fault that could be proven.
    pub(crate) fn rest(&mut self, peer: PeerId, now: Time) {
        self.record(peer, now).rests_until = now.after(limits::USELESS_RESTS);
    }

    /// Lists a peer by hand.
    pub(crate) fn list(
        &mut self,
        peer: PeerId,
        until: Option<Timestamp>,
        now: Time,
    ) -> Result<Blacklisted, BlacklistError> {
        let by_hand = |record: &&Record| record.is_listed_by_hand(now);
        if self.records.values().filter(by_hand).count() >= limits::LISTED_BY_HAND {
            return Err(BlacklistError::Full);
        }
        let listed = Blacklisted::by_hand(peer, until);
        self.record(peer, now).listed = Some(listed);
        Ok(listed)
    }

    /// Forgives a peer everything. Whether it was listed.
    pub fn unblock(&mut self, peer: &PeerId, now: Time) -> bool {
        self.records.remove(peer).is_some_and(|record| record.is_listed(now))
    }

    pub(crate) fn points(&self, peer: &PeerId, now: Time) -> u32 {
        self.records.get(peer).map_or(0, |record| record.points(now))
    }

    /// Whether it is not believed: neither what it announces nor the peers that it tells of.
    pub(crate) fn is_suspect(&self, peer: &PeerId, now: Time) -> bool {
        self.points(peer, now) >= limits::SUSPECT_AT
    }

    pub(crate) fn is_resting(&self, peer: &PeerId, now: Time) -> bool {
        self.records.get(peer).is_some_and(|record| now < record.rests_until)
    }

    /// Whether it is listed now, for what it did or by hand.
    pub fn is_blacklisted(&self, peer: &PeerId, now: Time) -> bool {
        self.records.get(peer).is_some_and(|record| record.is_listed(now))
    }

    /// Whether it was listed by hand: then its documents are not wanted either.
    pub(crate) fn is_listed_by_hand(&self, peer: &PeerId, now: Time) -> bool {
        self.records.get(peer).is_some_and(|record| record.is_listed_by_hand(now))
    }

    /// All that are listed now, by name.
    pub fn blacklist(&self, now: Time) -> Vec<Blacklisted> {
        let listed = self.records.values().filter_map(|record| record.listed);
        listed.filter(|listed| !listed.is_over(now)).collect()
    }

    /// What a later run is to know: those listed, and those that were.
    pub(crate) fn to_keep(&self, now: Time) -> Vec<Blacklisted> {
        let listed = self.records.values().filter_map(|record| record.listed);
        listed.filter(|listed| !listed.is_forgotten(now)).collect()
    }

    fn record(&mut self, peer: PeerId, now: Time) -> &mut Record {
        if self.records.len() >= limits::REPUTATIONS && !self.records.contains_key(&peer) {
            self.make_room(now);
        }
        self.records.entry(peer).or_default()
    }

    fn make_room(&mut self, now: Time) {
        self.records.retain(|_, record| !record.is_over(now));
        if self.records.len() < limits::REPUTATIONS {
            return;
        }
        // A listed peer stays for longest; for ever, if it was listed by hand.
        let least = self
            .records
            .iter()
            .filter(|(_, record)| !record.is_listed_by_hand(now))
            .min_by_key(|(_, record)| {
                let until = record.listed.and_then(|listed| listed.until);
                (record.is_listed(now), until, record.forgiven_at, Reverse(record.rests_until))
            })
            .map(|(peer, _)| *peer);
        if let Some(least) = least {
            self.records.remove(&least);
        }
    }
}

#[cfg(test)]
mod tests;
