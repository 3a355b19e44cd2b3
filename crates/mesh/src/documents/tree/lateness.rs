//! How much later than its first announcement a document is pushed, and what follows for how long to wait.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use taiinet_document::DocumentId;

use crate::Time;

/// The shortest and the longest wait between an announcement and the request for what it announced,
/// when a push may still bring it.
pub(super) const WAIT: (Duration, Duration) =
    (Duration::from_millis(5), Duration::from_millis(250));
/// Of so many documents that we had asked for it is remembered when they were first announced.
const PULLED: usize = 1024;
/// Fractions of a millisecond in which the estimate is kept.
const SCALE: u64 = 16;

/// Estimates the lateness of pushes: its mean and mean deviation, as TCP estimates its round trip (RFC
/// 6298), each new sample with the weight of a sixteenth.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    estimate: Option<(u64, u64)>,
    /// What came because we asked for it, and when it was first announced: if it is pushed after all, we
    /// were impatient.
    pulled: BTreeMap<DocumentId, Time>,
    order: VecDeque<DocumentId>,
}

impl Lateness {
    /// A document was pushed so long after its announcement.
    pub(super) fn sample(&mut self, late: Duration) {
        let late = u64::try_from(late.min(WAIT.1).as_millis()).unwrap_or_default() * SCALE;
        self.estimate = Some(match self.estimate {
            None => (late, late / 2),
            Some((mean, deviation)) => {
                ((mean * 15 + late) / 16, (deviation * 15 + mean.abs_diff(late)) / 16)
            }
        });
    }

    /// A document came that we had asked for; it was first announced then.
    pub(super) fn pulled(&mut self, id: DocumentId, announced: Time) {
        if self.order.len() >= PULLED
            && let Some(oldest) = self.order.pop_front()
        {
            self.pulled.remove(&oldest);
        }
        self.order.push_back(id);
        self.pulled.insert(id, announced);
    }

    /// A further copy came that we had not asked for. Whether it is the one that we should have waited
    /// for.
    pub(super) fn overtaken(&mut self, id: &DocumentId, now: Time) -> bool {
        let Some(announced) = self.pulled.remove(id) else { return false };
        self.sample(now.since(announced));
        true
    }

    /// How long after an announcement a push may still come.
    pub(super) fn wait(&self) -> Duration {
        let (mean, deviation) = self.estimate.unwrap_or_default();
        Duration::from_millis((mean + 4 * deviation) / SCALE).clamp(WAIT.0, WAIT.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn the_wait_follows_what_pushes_need_within_its_bounds() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.wait(), WAIT.0);
        for _ in 0..200 {
            lateness.sample(millis(40));
        }
        assert!((millis(40)..millis(60)).contains(&lateness.wait()), "{:?}", lateness.wait());
        for _ in 0..200 {
            lateness.sample(Duration::from_secs(60));
        }
        assert_eq!(lateness.wait(), WAIT.1);
        for _ in 0..400 {
            lateness.sample(Duration::ZERO);
        }
        assert_eq!(lateness.wait(), WAIT.0);
    }

    #[test]
    fn a_push_that_our_request_overtook_makes_us_wait_longer_once() {
        let mut lateness = Lateness::default();
        let id = |number: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            DocumentId::from_bytes(bytes)
        };
        lateness.pulled(id(1), NOW);
        assert!(lateness.overtaken(&id(1), NOW.after(millis(80))));
        assert!(lateness.wait() > millis(80));
        assert!(!lateness.overtaken(&id(1), NOW.after(millis(90))), "a third copy is one too many");
        for number in 0..5000 {
            lateness.pulled(id(number), NOW);
        }
        assert!(lateness.pulled.len() <= PULLED && lateness.order.len() <= PULLED);
    }
}
