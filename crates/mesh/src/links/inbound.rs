//! The window of what comes in over a link: documents taken and not yet acknowledged.

use core::mem;

use crate::{Misbehaviour, Time, limits, wire::LinkFrame};

/// Bytes of documents that the other end sent, and when to say that they were taken.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    unacknowledged: usize,
    acknowledge_at: Option<Time>,
    /// Nothing is gathered while we doze, because the time to say it may come late.
    unbatched: bool,
}

impl Inbound {
    /// From now on nothing is gathered, or it is again.
    pub(crate) fn set_unbatched(&mut self, unbatched: bool, now: Time) {
        self.unbatched = unbatched;
        if unbatched {
            self.acknowledge_at = self.acknowledge_at.map(|at| at.min(now));
        }
    }

    /// A document of so many bytes came, of whatever use.
    ///
    /// # Errors
    /// [`Misbehaviour::OverWindow`]: an honest end sends no more than the last document that begins
    /// within the window.
    pub(crate) fn account_received(&mut self, bytes: usize, now: Time) -> Result<(), Misbehaviour> {
        self.unacknowledged = self.unacknowledged.saturating_add(bytes);
        if self.unacknowledged > limits::LINK_WINDOW + taiinet_document::limits::DOCUMENT_BYTES {
            return Err(Misbehaviour::OverWindow);
        }
        let at = if self.unbatched || self.unacknowledged >= limits::LINK_WINDOW / 4 {
            now
        } else {
            now.after(limits::ACK_EVERY)
        };
        self.acknowledge_at = Some(self.acknowledge_at.map_or(at, |earlier| earlier.min(at)));
        Ok(())
    }

    /// What is to be acknowledged now.
    pub(crate) fn acknowledge(&mut self, now: Time) -> Option<LinkFrame> {
        if self.acknowledge_at.is_none_or(|at| now < at) {
            return None;
        }
        self.acknowledge_at = None;
        let bytes = u32::try_from(mem::take(&mut self.unacknowledged)).unwrap_or(u32::MAX);
        Some(LinkFrame::Ack(bytes))
    }

    /// What is not acknowledged yet, when the link is about to be closed.
    pub(crate) fn last_acknowledgement(&mut self) -> Option<LinkFrame> {
        self.acknowledge_at.and_then(|at| self.acknowledge(at))
    }

    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.acknowledge_at
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::NOW;

    #[test]
    fn a_sender_of_more_than_its_window_holds_is_not_honest() {
        let mut inbound = Inbound::default();
        let document = taiinet_document::limits::DOCUMENT_BYTES;
        // The last document may begin where the window is all but full.
        inbound.account_received(limits::LINK_WINDOW - 1, NOW).unwrap();
        inbound.account_received(document, NOW).unwrap();
        assert_eq!(inbound.account_received(2, NOW), Err(Misbehaviour::OverWindow));
        let mut other = Inbound::default();
        for _ in 0..1000 {
            other.account_received(document, NOW).unwrap();
            other.acknowledge(NOW.after(limits::ACK_EVERY)).unwrap();
        }
    }

    #[test]
    fn while_we_doze_nothing_is_gathered() {
        let mut inbound = Inbound::default();
        // Also what was being gathered when we began to.
        inbound.account_received(10, NOW).unwrap();
        assert_eq!(inbound.acknowledge(NOW), None);
        inbound.set_unbatched(true, NOW);
        for _ in 0..2 {
            assert_eq!(inbound.deadline(), Some(NOW));
            assert_eq!(inbound.acknowledge(NOW), Some(LinkFrame::Ack(10)));
            assert_eq!(inbound.deadline(), None);
            inbound.account_received(10, NOW).unwrap();
        }
        inbound.acknowledge(NOW).unwrap();
        inbound.set_unbatched(false, NOW);
        inbound.account_received(10, NOW).unwrap();
        assert_eq!(inbound.acknowledge(NOW), None);
    }
}
