//! When our documents are published, as they say themselves.
//!
//! Of two versions under one key the later one counts. Two of one millisecond would be ordered by their
//! ids, which is by chance; so an author never gives two documents the same time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use taiinet_document::{Before, Timestamp};

use crate::{Time, VersionAhead, limits};

/// Gives the documents of one author their `created_at`: the time, or if that is not later than the
/// last one's, the next millisecond. Clones are handles of the same, for drivers that sign themselves.
///
/// That is so for versions, those with a key, always. Other documents are never more than
/// [`limits::STAMP_LEAD`] ahead of the time: in a burst of more they share a millisecond, and where another
/// instance was further ahead they do not follow it.
#[derive(Debug, Clone, Default)]
pub struct Stamps(Arc<AtomicU64>);

impl Stamps {
    /// The last time that was given; zero if none was.
    pub fn last(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// Goes on after the last one of an earlier run, or of another instance of the same author; unless it is
    /// more than [`limits::VERSION_LEAD`] ahead: one of the two clocks is wrong, and to follow it would mean
    /// to be refused by those whose clock is right.
    pub fn resume(&self, last: Timestamp, now: Time) {
        if Time::from(last) <= now.after(limits::VERSION_LEAD) {
            self.0.fetch_max(last.as_millis(), Ordering::Relaxed);
        }
    }

    /// For a document; one with a key is to be later than what is known to be [before](crate::Peer::before) it, also
    /// where that is by the clock of another.
    ///
    /// # Errors
    /// [`VersionAhead`]: what is before a version is more than [`limits::VERSION_LEAD`] ahead of the time. Where it only may count ([`Before::perhaps`]) that is no error, and the version is not later.
    pub fn next(&self, version: Option<Before>, now: Time) -> Result<Timestamp, VersionAhead> {
        match version {
            Some(before) => self.version(before, now),
            None => Ok(self.document(now)),
        }
    }

    /// When a document expires that is to at this moment: later than it was published, also where that is
    /// ahead of the time. What is over already stays so, and is refused when it is signed.
    pub fn end(expires_at: Timestamp, created_at: Timestamp, now: Time) -> Timestamp {
        let after = Timestamp::from_millis(created_at.as_millis().saturating_add(1));
        if Time::from(expires_at) > now { after.max(expires_at) } else { expires_at }
    }

    /// For a document that replaces others.
    fn version(&self, before: Before, now: Time) -> Result<Timestamp, VersionAhead> {
        let latest = now.after(limits::VERSION_LEAD).timestamp();
        if let Some(surely) = before.surely
            && surely > latest
        {
            return Err(VersionAhead { by: Time::from(surely).since(now) });
        }
        let others = before.surely.max(before.perhaps.filter(|perhaps| *perhaps <= latest));
        let others = others.map_or(0, |others| others.as_millis().saturating_add(1));
        Ok(self.advance(|last| others.max(now.as_millis()).max(last.saturating_add(1))))
    }

    /// For a document that replaces none.
    fn document(&self, now: Time) -> Timestamp {
        let furthest = now.after(limits::STAMP_LEAD).as_millis();
        let mut stamp = 0;
        self.advance(|last| {
            stamp = last.saturating_add(1).min(furthest).max(now.as_millis());
            stamp.max(last)
        });
        Timestamp::from_millis(stamp)
    }

    fn advance(&self, mut next: impl FnMut(u64) -> u64) -> Timestamp {
        let mut stamp = 0;
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            stamp = next(last);
            Some(stamp)
        });
        Timestamp::from_millis(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_millis(1_800_000_000_000);

    const VERSION: Option<Before> = Some(Before { surely: None, perhaps: None });

    fn next(stamps: &Stamps, version: Option<Before>, now: Time) -> Timestamp {
        stamps.next(version, now).expect("a time")
    }

    fn ahead(stamp: Timestamp) -> u64 {
        stamp.as_millis() - NOW.as_millis()
    }

    #[test]
    fn each_document_is_later_than_the_one_before() {
        let stamps = Stamps::default();
        let next = |version, now| next(&stamps, version, now);
        let given = [next(None, NOW), next(VERSION, NOW), next(None, NOW), next(VERSION, NOW)];
        assert_eq!(given.map(ahead), [0, 1, 2, 3]);
        let later = Time::from_millis(NOW.as_millis() + 50);
        assert_eq!(ahead(next(None, later)), 50, "the time, where it is later");
        assert_eq!(ahead(next(None, NOW)), 51, "also for a clock that goes back");
    }

    #[test]
    fn a_burst_runs_ahead_only_so_far_but_for_versions() {
        let stamps = Stamps::default();
        let lead = u64::try_from(limits::STAMP_LEAD.as_millis()).expect("a few seconds");
        let burst = (0..lead + 10).map(|_| ahead(next(&stamps, None, NOW)));
        assert_eq!(burst.max(), Some(lead));
        let versions = [0; 2].map(|_| ahead(next(&stamps, VERSION, NOW)));
        assert_eq!(versions, [lead + 1, lead + 2]);
        assert_eq!(ahead(next(&stamps, None, NOW)), lead, "no other follows them");
        assert_eq!(ahead(next(&stamps, VERSION, NOW)), lead + 3);
    }

    #[test]
    fn a_version_is_later_than_those_before_it_whatever_clock_they_are_of() {
        let at = |seconds| Some(NOW.after(core::time::Duration::from_secs(seconds)).timestamp());
        let lead = limits::VERSION_LEAD.as_secs();
        let next = |surely, perhaps| {
            let given = Stamps::default().next(Some(Before { surely, perhaps }), NOW);
            given.map(ahead)
        };
        assert_eq!(next(at(50), at(10)), Ok(50_001));
        assert_eq!(next(at(10), at(50)), Ok(50_001));
        assert_eq!(next(at(lead), None), Ok(1000 * lead + 1));
        let by = core::time::Duration::from_secs(lead + 1);
        assert_eq!(next(at(lead + 1), at(1)), Err(VersionAhead { by }));
        assert_eq!(
            next(at(1), at(lead + 1)),
            Ok(1001),
            "nobody is held up by who may be a stranger"
        );
    }

    #[test]
    fn an_earlier_run_is_gone_on_with_unless_its_clock_was_wrong() {
        let stamps = Stamps::default();
        stamps.resume(NOW.after(limits::STAMP_LEAD).timestamp(), NOW);
        let given = ahead(next(&stamps, VERSION, NOW));
        assert_eq!(given, ahead(NOW.after(limits::STAMP_LEAD).timestamp()) + 1);

        let wrong = Stamps::default();
        wrong.resume(Timestamp::from_millis(u64::MAX), NOW);
        assert_eq!(ahead(next(&wrong, VERSION, NOW)), 0);
    }

    #[test]
    fn what_expires_soon_expires_after_it_was_published() {
        let ahead = NOW.after(limits::STAMP_LEAD).timestamp();
        let soon = Timestamp::from_millis(NOW.as_millis() + 5);
        assert!(Stamps::end(soon, ahead, NOW) > ahead);
        let later = NOW.after(2 * limits::STAMP_LEAD).timestamp();
        assert_eq!(Stamps::end(later, ahead, NOW), later);
        assert_eq!(Stamps::end(NOW.timestamp(), ahead, NOW), NOW.timestamp());
    }
}
