//! How much each author may write.
//!
//! An author keeps to a rate when it publishes ([`Quota`]); others drop what goes beyond twice of that.
//! They count by the time that a document bears, not by when it comes: a mesh that heals hands over
//! minutes of documents at once, which is nobody's fault. So all peers of a network must be configured
//! alike.

use std::collections::BTreeMap;

use taiinet_document::{Document, Timestamp};
use taiinet_identity::PeerId;

use crate::{Budget, Time, limits};

/// How much one author publishes in a network: so much at once, and so much each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Documents.
    pub documents: (u32, u32),
    /// Bytes of documents.
    pub bytes: (u32, u32),
}

impl Default for Quota {
    fn default() -> Self {
        Self { documents: limits::AUTHOR_DOCUMENTS, bytes: limits::AUTHOR_BYTES }
    }
}

impl Quota {
    /// No bound at all, where everybody is trusted.
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
    used: BTreeMap<(u64, PeerId), Used>,
}

#[derive(Debug, Default)]
struct Used {
    documents: u64,
    bytes: u64,
}

impl Quotas {
    pub(crate) fn new(quota: Quota, now: Time) -> Self {
        let documents = Budget::new(quota.documents, now);
        let bytes = Budget::new(quota.bytes, now);
        Self { quota, documents, bytes, waits_until: None, used: BTreeMap::new() }
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
        self.waits_until = Some(now.after(limits::QUOTA_RETRY));
        false
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
        self.used.get(&(step(document.created_at), author)).is_none_or(|used| {
            used.documents < Quota::of_a_step(self.quota.documents)
                && used.bytes.saturating_add(bytes as u64) <= Quota::of_a_step(self.quota.bytes)
        })
    }

    /// A verified document that was not seen before.
    pub(crate) fn note(&mut self, author: PeerId, document: &Document, bytes: usize) {
        let used = self.used.entry((step(document.created_at), author)).or_default();
        used.documents = used.documents.saturating_add(1);
        used.bytes = used.bytes.saturating_add(bytes as u64);
    }

    /// Forgets the times of which no document is live.
    pub(crate) fn expire(&mut self, now: Time) {
        let dead = now.before(limits::LIVE_WINDOW + limits::CLOCK_SKEW).timestamp();
        while let Some(oldest) = self.used.first_entry()
            && oldest.key().0 < step(dead)
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
        assert!(quotas.used.is_empty());
    }
}
