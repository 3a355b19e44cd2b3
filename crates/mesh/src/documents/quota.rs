//! How much each author may write.
//!
//! An author keeps to a rate when it publishes ([`Quota`]); others drop what goes beyond twice of that.
//! They count by the time that a document bears, not by when it comes: a mesh that heals hands over
//! minutes of documents at once, which is no peer's fault. So all peers of a network must be configured
//! alike.
//!
//! Keys cost nothing, so of one minute only so many authors are counted one by one
//! ([`limits::QUOTA_AUTHORS`]), by the algorithm Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient
//! Computation of Frequent and Top-k Elements in Data Streams", ICDT 2005): where there is no room, a
//! newcomer takes the place of the author that has written least, *with its count*. So none is ever counted for
//! less than it wrote, and for more by at most what all wrote divided by the number of places: a flood
//! of keys refuses no author that is not close to its quota anyway.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::{Document, Timestamp};
use taiinet_identity::PeerId;

use crate::{Budget, Time, limits};

/// How much one author publishes in a network: so much at once, and so much each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many documents.
    pub documents: (u32, u32),
    /// How many bytes, all documents together.
    pub bytes: (u32, u32),
}

impl Default for Quota {
    fn default() -> Self {
        Self { documents: limits::AUTHOR_DOCUMENTS, bytes: limits::AUTHOR_BYTES }
    }
}

impl Quota {
    /// No bound at all, where every author is trusted.
    pub const UNBOUNDED: Self =
        Self { documents: (u32::MAX, u32::MAX), bytes: (u32::MAX, u32::MAX) };

    /// What others let pass of one author's documents of one [`limits::QUOTA_STEP`].
    fn of_a_step((burst, per_second): (u32, u32)) -> u64 {
        let steady = u64::from(per_second).saturating_mul(limits::QUOTA_STEP.as_secs());
        u64::from(burst).saturating_add(steady).saturating_mul(2)
    }
}

/// What we publish, and what others have written.
#[derive(Debug)]
pub(crate) struct Quotas {
    quota: Quota,
    documents: Budget,
    bytes: Budget,
    /// Since when something of ours has waited for the next second.
    waits_until: Option<Time>,
    /// Of each [`limits::QUOTA_STEP`] that is live.
    steps: BTreeMap<u64, Step>,
}

/// What authors have written in one step.
#[derive(Debug, Default)]
struct Step {
    used: BTreeMap<PeerId, Used>,
    /// The authors by what they wrote, once there is no room for another.
    least: BTreeSet<(u64, PeerId)>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Used {
    documents: u64,
    bytes: u64,
}

impl Used {
    fn and(self, bytes: usize) -> Self {
        Self {
            documents: self.documents.saturating_add(1),
            bytes: self.bytes.saturating_add(bytes as u64),
        }
    }

    /// As one number, to find the author that has written least: a document counts for as many bytes as an
    /// author's quota has for each.
    const fn weight(self) -> u64 {
        let document = (limits::AUTHOR_BYTES.1 / limits::AUTHOR_DOCUMENTS.1) as u64;
        self.documents.saturating_mul(document).saturating_add(self.bytes)
    }
}

impl Step {
    fn is_full(&self) -> bool {
        self.used.len() >= limits::QUOTA_AUTHORS
    }

    /// What an author is counted for: if it has no place, what comes with the one that it would get.
    fn of(&self, author: &PeerId) -> Used {
        let least = || self.least.first().and_then(|(_, least)| self.used.get(least));
        self.used.get(author).or_else(least).copied().unwrap_or_default()
    }

    fn note(&mut self, author: PeerId, bytes: usize) {
        if self.is_full() {
            self.note_in_full(author, bytes);
            return;
        }
        let used = self.used.entry(author).or_default();
        *used = used.and(bytes);
        if self.is_full() {
            let weights = self.used.iter().map(|(author, used)| (used.weight(), *author));
            self.least = weights.collect();
        }
    }

    fn note_in_full(&mut self, author: PeerId, bytes: usize) {
        let before = self.of(&author);
        if self.used.contains_key(&author) {
            self.least.remove(&(before.weight(), author));
        } else if let Some((_, least)) = self.least.pop_first() {
            self.used.remove(&least);
        }
        let after = before.and(bytes);
        self.least.insert((after.weight(), author));
        self.used.insert(author, after);
    }
}

impl Quotas {
    pub(crate) fn new(quota: Quota, now: Time) -> Self {
        let documents = Budget::new(quota.documents, now);
        let bytes = Budget::new(quota.bytes, now);
        Self { quota, documents, bytes, waits_until: None, steps: BTreeMap::new() }
    }

    /// Whether we may publish a document of so many bytes now; if not, the deadline says when to try
    /// again.
    pub(crate) fn may_publish(&mut self, bytes: usize, now: Time) -> bool {
        self.waits_until = None;
        // A document larger than all that may come at once would wait for ever.
        let bytes = bytes.min(self.quota.bytes.0 as usize);
        if self.bytes.has(bytes, now) && self.documents.take(1, now) {
            return self.bytes.take(bytes, now);
        }
        self.wait(now);
        false
    }

    /// What we publish is tried again soon.
    pub(crate) fn wait(&mut self, now: Time) {
        self.waits_until = Some(now.after(limits::QUOTA_RETRY));
    }

    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.waits_until
    }

    /// Nothing waits any more, or it asks again.
    pub(crate) fn tick(&mut self, now: Time) {
        self.waits_until = self.waits_until.filter(|until| now < *until);
    }

    /// Whether its author may still have written this one.
    pub(crate) fn admits(&self, author: PeerId, document: &Document, bytes: usize) -> bool {
        let Some(step) = self.steps.get(&step(document.created_at)) else { return true };
        let used = step.of(&author);
        // A document larger than all that may come in a step is taken if it is the first.
        used.documents == 0
            || used.documents < Quota::of_a_step(self.quota.documents)
                && used.bytes.saturating_add(bytes as u64) <= Quota::of_a_step(self.quota.bytes)
    }

    /// A verified document that was not seen before.
    pub(crate) fn note(&mut self, author: PeerId, document: &Document, bytes: usize) {
        self.steps.entry(step(document.created_at)).or_default().note(author, bytes);
    }

    /// Forgets the times of which no document is live.
    pub(crate) fn expire(&mut self, now: Time) {
        let dead = now.before(limits::LIVE_WINDOW + limits::CLOCK_SKEW).timestamp();
        while let Some(oldest) = self.steps.first_entry()
            && *oldest.key() < step(dead)
        {
            oldest.remove();
        }
    }
}

fn step(created_at: Timestamp) -> u64 {
    created_at.as_millis() / u64::try_from(limits::QUOTA_STEP.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::testing::{self, NOW};

    const SMALL: Quota = Quota { documents: (10, 2), bytes: (1000, 100) };

    #[test]
    fn we_publish_a_burst_and_then_at_a_steady_rate() {
        let mut quotas = Quotas::new(SMALL, NOW);
        assert!((0..10).all(|_| quotas.may_publish(1, NOW)));
        assert!(!quotas.may_publish(1, NOW));
        let again = quotas.deadline().expect("something waits");
        assert!(again > NOW && again <= NOW.after(Duration::from_millis(500)));
        let later = NOW.after(Duration::from_millis(500));
        quotas.tick(later);
        assert!(quotas.deadline().is_none());
        assert!(quotas.may_publish(1, later));
    }

    #[test]
    fn bytes_count_as_well_and_the_largest_document_still_goes() {
        let mut quotas = Quotas::new(SMALL, NOW);
        assert!(quotas.may_publish(5000, NOW));
        assert!(!quotas.may_publish(1, NOW));
        assert!(quotas.may_publish(100, NOW.after(Duration::from_secs(1))));
    }

    #[test]
    fn of_others_twice_as_much_passes_by_the_time_that_documents_bear() {
        let mut quotas = Quotas::new(SMALL, NOW);
        let (author, other) = (testing::identity(1), testing::identity(2));
        let at = |seconds: u64, nonce| {
            testing::document_at(&author, nonce, 1, NOW.after(Duration::from_secs(seconds)))
        };
        // (10 + 60 × 2) × 2 documents in a minute, whenever they come.
        let mut passed = 0;
        for nonce in 0..1000 {
            let document = at(0, nonce);
            if quotas.admits(document.author(), &document, 1) {
                quotas.note(document.author(), &document, 1);
                passed += 1;
            }
        }
        assert_eq!(passed, 260);
        let later = at(60, 0);
        assert!(quotas.admits(later.author(), &later, 1), "of the next minute");
        let of_another = testing::document(&other, 0, 1);
        assert!(quotas.admits(of_another.author(), &of_another, 1));
        // The first may be as large as any document; none that follows.
        let large = at(60, 1);
        assert!(quotas.admits(large.author(), &large, 1_000_000));
        quotas.note(large.author(), &large, 1);
        assert!(!quotas.admits(large.author(), &large, 1_000_000));
        quotas.expire(NOW.after(limits::LIVE_WINDOW * 2));
        assert!(quotas.steps.is_empty());
    }

    fn author(number: u32) -> PeerId {
        let mut bytes = [0; PeerId::LEN];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        PeerId::from_bytes(bytes)
    }

    #[test]
    fn any_number_of_keys_take_so_much_room() {
        let mut quotas = Quotas::new(Quota::default(), NOW);
        let document = testing::document(&testing::identity(1), 0, 1);
        for number in 0..200_000 {
            assert!(quotas.admits(author(number), &document, 100));
            quotas.note(author(number), &document, 100);
        }
        let step = &quotas.steps[&step(document.created_at)];
        assert_eq!(step.used.len(), limits::QUOTA_AUTHORS);
        assert_eq!(step.least.len(), limits::QUOTA_AUTHORS);
        let weights: BTreeSet<_> =
            step.used.iter().map(|(author, used)| (used.weight(), *author)).collect();
        assert_eq!(step.least, weights);
    }

    /// A peer that floods a network with keys of one document each neither gets past the quota itself, nor
    /// keeps out authors that keep to theirs, known or new.
    #[test]
    fn a_flood_of_keys_refuses_no_author_within_its_quota_and_hides_none_over_it() {
        let quota = Quota { documents: (40, 1), bytes: (100_000, 1000) };
        let allowed = Quota::of_a_step(quota.documents);
        let mut quotas = Quotas::new(quota, NOW);
        let document = testing::document(&testing::identity(1), 0, 1);
        let mut write = |author| {
            let admitted = quotas.admits(author, &document, 10);
            if admitted {
                quotas.note(author, &document, 10);
            }
            admitted
        };
        // Twenty honest ones write half of what they may, one greedy one all it can.
        // Of all that have written as little as the greedy one, it would be the first to be forgotten.
        let (honest, greedy) = (1_000_000..1_000_020, author(0));
        let (mut refused, mut taken) = (0, 0);
        for round in 0..20_000_u32 {
            for fresh in 0..10 {
                write(author(1 + round * 10 + fresh));
            }
            // It begins when there is no room for another.
            if round >= 1000 {
                taken += u64::from(write(greedy));
            }
            if round % 200 == 0 {
                refused += honest.clone().filter(|number| !write(author(*number))).count();
            }
        }
        assert_eq!(refused, 0, "of {}", 100 * honest.len());
        assert!(taken <= allowed, "{taken} of {allowed}");
        assert!((0..20).all(|number| write(author(3_000_000 + number))), "newcomers");
    }
}
