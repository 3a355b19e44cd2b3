//! The time: when a peer wants to be called, and what it does then.

use super::Peer;
use crate::{Time, limits};

/// How often a dozing peer looks for more that is due at one moment: more often than announcements
/// can wait for one link.
const ROUNDS: usize = 64;

impl Peer {
    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.left { None } else { self.deadline() }
    }

    /// Does what is due by `now`; call it when [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.left {
            return;
        }
        self.cx.now = now;
        self.notice_sleep();
        self.tick();
        self.run_overdue();
    }

    /// If we are called long after we wanted to be, we know nothing of the time between.
    pub(super) fn notice_sleep(&mut self) {
        let now = self.cx.now;
        let late = |since: Time| now.since(since) > limits::OVERSLEPT;
        // The deadline has not changed since we were called last; it is more expensive to find out.
        let called = core::mem::replace(&mut self.called, now);
        if late(called) && self.poll_timeout().is_some_and(late) {
            self.cx.probe(false);
            self.settle();
        }
    }

    /// While dozing, does at once whatever is due: the time for it may come late.
    pub(super) fn run_overdue(&mut self) {
        if !self.cx.dozing {
            return;
        }
        self.notice_sleep();
        let mut rounds = 0;
        while rounds < ROUNDS && self.poll_timeout().is_some_and(|due| due <= self.cx.now) {
            self.tick();
            rounds += 1;
        }
    }
}
