//! Sleep through the front door: dozing, oversleeping, waking.
//!
//! A peer that *dozes* has timers, but late. It says so; its neighbours wait longer before they take
//! silence for the end, let others serve them, and send it all they have. It does at once what it
//! would have gathered, and whatever is overdue with each thing that happens: its neighbours' pings
//! are its clock.
//!
//! A peer that *slept* knows nothing of the time between. Whoever it was linked to is pinged and
//! judged by what comes from then on, so that what they said meanwhile is read first.

use super::Peer;
use crate::{LinkId, Time, frame::Frame, frame::ToSignaller, limits};

/// How often a dozing peer looks for more that is due at one moment: more often than announcements
/// can wait for one link.
const ROUNDS: usize = 64;

impl Peer {
    pub(super) fn set_dozing(&mut self, dozing: bool, now: Time) {
        if core::mem::replace(&mut self.dozing, dozing) == dozing {
            return;
        }
        self.signallers.dozing = dozing;
        self.broadcast.set_dozing(dozing, now);
        for link in self.links.values_mut() {
            link.we_doze = dozing;
        }
        for link in self.active() {
            self.control(link, &Frame::Doze(dozing), now);
        }
        if !dozing {
            // Our patience ends, but not before what waits to be read was read.
            self.probe(false, now);
        }
    }

    /// A neighbour begins or ceases to doze.
    pub(super) fn neighbour_dozes(&mut self, link: LinkId, dozing: bool, now: Time) {
        let Some(state) = self.links.get_mut(&link) else { return };
        if core::mem::replace(&mut state.dozing, dozing) == dozing {
            return;
        }
        if let Some(prune) = self.broadcast.neighbour_dozes(link, dozing) {
            self.control(link, &prune, now);
        }
        // It counts as less of a neighbour, or as one again.
        self.restless = true;
        self.weigh_surplus(now);
    }

    pub(super) fn wake(&mut self, now: Time) {
        self.signallers.wake(now);
        self.candidates.wake(now);
        self.probe(true, now);
        self.restless = true;
    }

    /// If we are called long after we wanted to be, nobody told us of the time between.
    pub(super) fn notice_sleep(&mut self, now: Time) {
        let late = |since: Time| now.since(since) > limits::OVERSLEPT;
        // The deadline has not changed since we were called last; it is dearer to find out.
        let called = core::mem::replace(&mut self.called, now);
        if late(called) && self.poll_timeout().is_some_and(late) {
            self.probe(false, now);
        }
    }

    /// Asks everybody whether they are still there.
    fn probe(&mut self, again: bool, now: Time) {
        let probes: Vec<(LinkId, Option<Frame>)> =
            self.links.values_mut().map(|link| (link.id, link.probe(again, now))).collect();
        for (link, ping) in probes {
            if let Some(ping) = ping {
                self.control(link, &ping, now);
            }
        }
        for link in self.signallers.probe(again, now) {
            self.tell(link, &ToSignaller::Ping(0), now);
        }
    }

    /// While dozing, does at once whatever is due: the time for it may come late.
    pub(super) fn hurry(&mut self, now: Time) {
        if !self.dozing {
            return;
        }
        self.notice_sleep(now);
        let mut rounds = 0;
        while rounds < ROUNDS && self.poll_timeout().is_some_and(|due| due <= now) {
            self.tick(now);
            rounds += 1;
        }
    }

    fn active(&self) -> Vec<LinkId> {
        self.links.values().filter(|link| link.is_active()).map(|link| link.id).collect()
    }
}
